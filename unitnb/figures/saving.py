"""Figures and tables are saved with a manifest of what was plotted."""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np

from ..files import store
from ..images.parameters import sample_sizes
from ..profiles import Profile, project_root


def plotted_numbers(figure) -> list[np.ndarray]:
    """Every number that the artists of a figure hold, to five significant digits.

    Those of lines, bars, images and bands, in the order in which they are drawn.
    """
    found = []
    for axes in figure.axes:
        found += [line.get_xydata() for line in axes.lines]
        found += [np.asarray(image.get_array(), float) for image in axes.images]
        # In the axes' own units, not in pixels, which are layout.
        found += [patch.get_patch_transform().transform(patch.get_path().vertices) for patch in axes.patches]
        found += [path.vertices for collection in axes.collections for path in collection.get_paths()]
    return [
        np.array([float(f"{value:.4e}") for value in np.ravel(np.asarray(array, float))]) for array in found
    ]


@contextlib.contextmanager
def recording(profile: Profile):
    """The lock of a run's records: manifest, samples and claims. Notebooks may run side by side."""
    from filelock import FileLock

    lock = project_root() / "build" / "locks" / f"{profile.name}-{profile.target_class}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        yield


def _record_in_manifest(profile: Profile, file: str, notebook: str, sha: str, samples: Sequence) -> None:
    folder = profile.figures_folder
    entry = {
        "notebook": notebook,
        "profile": profile.name,
        "class": profile.target_class,
        "seed": profile.seed,
        "data_sha256": sha,
    }
    entry |= _origin(profile)
    with recording(profile):
        _merge_entries(folder / "manifest.json", {file: entry})
        _merge_entries(
            folder / "samples.json",
            {f"{sample.model} {sample.name}": _sample_entry(sample) for sample in samples},
        )


def _origin(profile: Profile) -> dict:
    """The interpolation of photographs and the given weights, where there are any."""
    photographs = profile.source in ("folder", "ilsvrc", "imagenette")
    resized = {"interpolation": profile.interpolation} if photographs else {}
    if not profile.is_given:
        return resized
    from ..networks.given import describe_given

    return resized | {"weights": describe_given(profile)}


def _sample_entry(sample) -> dict:
    return {
        "split": sample.split,
        "classes": sorted({int(c) for c in sample.labels}),
        "indices": sample.indices.tolist(),
        "skipped": sample.skipped,
    }


def _merge_entries(path, entries: Mapping) -> None:
    """Add entries to a JSON object in a file, sorted, a line an entry; others stay."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    merged = dict(sorted({**known, **entries}.items()))
    lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in merged.items()]
    store.write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def save_figure(profile: Profile, name: str, figure, notebook: str, samples: Sequence = ()) -> None:
    """Write ``figures/<profile>/<class>/<name>.png`` and ``.pdf``, and their line in ``manifest.json``.

    Parameters
    ----------
    name : the paper's label, for instance ``"fig3"``
    figure : a matplotlib figure
    notebook : the notebook that makes it, without the ending
    samples : the sample sets behind it; their indices are recorded in ``samples.json``
    """
    figure.canvas.draw()
    area = _with_sample_sizes(profile, figure) if profile.own_network else {}
    figure.set_layout_engine("none")  # both files keep this layout, which takes half a second to make
    sha = hashlib.sha256(b"".join(array.tobytes() for array in plotted_numbers(figure))).hexdigest()
    for ending, metadata in {".png": {"Software": None}, ".pdf": {"CreationDate": None}}.items():
        with store.atomic_path(profile.figures_folder / f"{name}{ending}") as temporary:
            figure.savefig(temporary, metadata=metadata, **area)
    _record_in_manifest(profile, f"{name}.png", notebook, sha, samples)


def _with_sample_sizes(profile: Profile, figure) -> dict:
    """Write the sizes of the sample sets, as the folder fills them, below a figure; what to save of it."""
    from matplotlib.transforms import Bbox

    width, height = figure.get_size_inches()
    style = {"ha": "right", "va": "top", "fontsize": 6, "color": "#666666"}
    figure.text(0.998, 0, sample_sizes(profile), **style)
    return {"bbox_inches": Bbox([[0, -0.12], [width, height]])}  # inches


def save_table(profile: Profile, name: str, text: str, notebook: str, samples: Sequence = ()) -> None:
    """Write a Markdown table as ``figures/<profile>/<class>/<name>.md``, and its line in ``manifest.json``.

    The parameters are those of ``save_figure``.
    """
    store.write_text(profile.figures_folder / f"{name}.md", text.rstrip() + "\n")
    _record_in_manifest(profile, f"{name}.md", notebook, hashlib.sha256(text.encode()).hexdigest(), samples)

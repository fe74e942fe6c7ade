"""Figures and tables are saved with a manifest of what was plotted."""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from ..files import store
from ..images.parameters import sample_sizes
from ..profiles import Profile, project_root
from .numbers import figure_numbers
from .provenance import origin
from .published import MANIFEST, is_published, merge_entries


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


def _entry(profile: Profile, notebook: str, sha: str) -> dict:
    """The line of a file in the manifest."""
    run = {"notebook": notebook, "profile": profile.name, "class": profile.target_class, "seed": profile.seed}
    return {**run, "data_sha256": sha, **origin(profile)}


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _record(profile: Profile, entries: Mapping, samples: Sequence) -> None:
    folder = profile.figures_folder
    with recording(profile):
        merge_entries(folder / MANIFEST, entries)
        drawn = {f"{sample.model} {sample.name}": _sample_entry(sample) for sample in samples}
        merge_entries(folder / "samples.json", drawn)


def _sample_entry(sample) -> dict:
    return {
        "split": sample.split,
        "classes": sorted({int(c) for c in sample.labels}),
        "indices": sample.indices.tolist(),
        "skipped": sample.skipped,
    }


def save_figure(profile: Profile, name: str, figure, notebook: str, samples: Sequence = ()) -> None:
    """Write ``figures/<profile>/<class>/<name>.png``, ``.pdf`` and ``.csv``, with lines in ``manifest.json``.

    The CSV has the numbers behind the figure (see ``numbers.figure_numbers``). Its line in the manifest has
    "every" where only every second, fourth, ... point of a long series fits in it.

    Picture and line stay as they are where they say the same already (see ``published.is_published``).

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
    file, entry = f"{name}.png", _entry(profile, notebook, sha)
    numbers, step = figure_numbers(figure)
    table = _entry(profile, notebook, _sha(numbers)) | ({"every": step} if step > 1 else {})
    published = is_published(profile.figures_folder, file, entry, {f"{name}.csv": numbers})
    for ending, metadata in {".pdf": {"CreationDate": None}, ".png": {"Software": None}}.items():
        if ending == ".pdf" or not published:
            with store.atomic_path(profile.figures_folder / f"{name}{ending}") as temporary:
                figure.savefig(temporary, metadata=metadata, **area)
    if not published:
        store.write_text(profile.figures_folder / f"{name}.csv", numbers)
    _record(profile, {} if published else {file: entry, f"{name}.csv": table}, samples)


def _with_sample_sizes(profile: Profile, figure) -> dict:
    """Write the sizes of the sample sets, as the folder fills them, below a figure; what to save of it."""
    from matplotlib.transforms import Bbox

    width, height = figure.get_size_inches()
    style = {"ha": "right", "va": "bottom", "fontsize": 6, "color": "#666666", "zorder": 9}  # a legend has 5
    figure.text(0.998, -0.13 / height, sample_sizes(profile), **style)
    return {"bbox_inches": Bbox([[0, -0.14], [width, height]])}  # inches


def save_table(profile: Profile, name: str, text: str, notebook: str, samples: Sequence = ()) -> None:
    """Write a Markdown table as ``figures/<profile>/<class>/<name>.md``, and its line in ``manifest.json``.

    The parameters are those of ``save_figure``.
    """
    file, text = f"{name}.md", text.rstrip() + "\n"
    entry = _entry(profile, notebook, _sha(text.rstrip("\n")))
    published = is_published(profile.figures_folder, file, entry, {file: text})
    if not published:
        store.write_text(profile.figures_folder / file, text)
    _record(profile, {} if published else {file: entry}, samples)

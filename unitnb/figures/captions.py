"""The caption of each figure, by the name of its file: what the notebooks say in the cell under it."""

import itertools
import re

from ..profiles import project_root

OVERVIEW = (
    "**From a map to a rank.** The strongest entries of a symmetrized feature map are the edges of a graph. "
    "The number of edges at which the first hole appears is the map's birth point. The share of a class's "
    "images that have one, over the entropy of their birth points, ranks the units. Removing units by that "
    "rank gives the curve."
)


def captions() -> dict[str, str]:
    """The captions as Markdown, those of the notebooks in their order behind that of ``overview``.

    Raises
    ------
    ValueError
        If a notebook saves a figure and its next cell does not begin with "**Figure".
    """
    found = {"overview": OVERVIEW}
    for path in sorted((project_root() / "notebooks").glob("[0-9]*.py")):
        cells = path.read_text(encoding="utf-8").split("\n# %%")
        for cell, below in itertools.pairwise(cells):
            for name in re.findall(r'save_figure\(\w+, "(\w+)"', cell):
                found[name] = _caption(below, f"{path.name}: {name}")
    return found


def _caption(cell: str, place: str) -> str:
    text = re.sub(r"\n# ?", "\n", cell.removeprefix(" [markdown]")).strip()
    if not text.startswith("**Figure"):
        raise ValueError(f"{place} has no caption; expected a cell below it that begins with '**Figure'")
    return " ".join(text.split())

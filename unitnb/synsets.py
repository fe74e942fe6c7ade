"""The 1000 classes of ILSVRC2012: WordNet id (wnid), names, and index in the output of Keras's networks.

The index of a class is its place among the 1000 sorted wnids, whichever classes are present. ``synsets.txt``
names its source. Standard library only: make asks for the name of a class before the environment exists
(``python3 -m unitnb.synsets 'hognose snake'``).
"""

import difflib
import functools
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Synset:
    """One class: ``index`` 0..999, ``wnid`` such as n01729322, and its names, the most common first."""

    index: int
    wnid: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the class in figures and folders: one word, unique among the 1000."""
        first = _plain(self.names[0])
        return f"{first}_{self.wnid}" if _uses()[_key(first)] > 1 else first


def _plain(name: str) -> str:
    return re.sub("[^A-Za-z0-9]+", "_", name).strip("_")


def _key(name: str) -> str:
    return _plain(name).casefold()


@functools.cache
def synsets() -> tuple[Synset, ...]:
    """All 1000 classes, by index."""
    text = (Path(__file__).parent / "synsets.txt").read_text(encoding="utf-8")
    lines = [line.split(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return tuple(Synset(index, wnid, tuple(names.split(", "))) for index, (wnid, names) in enumerate(lines))


@functools.cache
def _uses() -> Counter:
    return Counter(_key(synset.names[0]) for synset in synsets())


@functools.cache
def by_wnid() -> dict[str, Synset]:
    """All 1000 classes, by wnid."""
    return {synset.wnid: synset for synset in synsets()}


@functools.cache
def _by_name() -> dict[str, list[Synset]]:
    """Classes by each of their names. The first name of a class hides further names of others."""
    first: dict[str, list[Synset]] = {}
    further: dict[str, list[Synset]] = {}
    for synset in synsets():
        for name in dict.fromkeys((_key(synset.name), _key(synset.names[0]))):
            first.setdefault(name, []).append(synset)
        for name in map(_key, synset.names[1:]):
            further.setdefault(name, []).append(synset)
    return further | first


def find_synset(given: object) -> Synset:
    """The class of a wnid, an index 0..999, or a name (in any case, with any marks between words).

    Raises
    ------
    ValueError
        If there is no such class (the text gives the nearest names), or several (the text gives their wnids).

    >>> [find_synset(given).index for given in ("hognose snake", "n01729322", 54, "54", "Puff-Adder")]
    [54, 54, 54, 54, 54]
    """
    text, key = str(given).strip(), _key(str(given))
    if text in by_wnid():
        return by_wnid()[text]
    if re.fullmatch("[0-9]{1,3}", text):
        return synsets()[int(text)]
    meant = _by_name().get(key, [])
    if len(meant) > 1:
        raise ValueError(
            f"class '{given}' means {len(meant)} classes of ImageNet; "
            f"give one of {', '.join(synset.wnid for synset in meant)}"
        )
    if not meant:
        raise ValueError(
            f"unknown class '{given}': {_similar(key)}; "
            "expected a name, a wnid (n01729322) or an index 0 to 999"
        )
    return meant[0]


def _similar(key):
    close = difflib.get_close_matches(key, [*_by_name(), *by_wnid()], n=3, cutoff=0.6)
    if not close:
        return "no name of ImageNet's 1000 classes is like it"
    return f"did you mean {' or '.join(repr(name) for name in close)}?"


if __name__ == "__main__":
    try:
        print(find_synset(sys.argv[1]).name)
    except ValueError as error:
        sys.exit(f"unitnb: {error}")

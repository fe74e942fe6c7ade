"""Folders of images, ``train/<class>/*`` and ``test/<class>/*``: what lies there, and what does not count.

A class is a folder with images in it, also in folders further inside. Its name decides its label: classes are
sorted by their names in one form (NFC), so that labels are the same whatever system wrote the folders.
"""

import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files.inventory import is_left_behind
from .decoding import begins_as_image, is_image

TRAIN = ("train", "training")
TEST = ("test", "val", "validation", "valid")  # the first that has classes
EXPECTED = "train/<class>/<images> and test/<class>/<images>"
SHOWN = 8  # names in a message


class Split(NamedTuple):
    """The n images of a split, class after class."""

    classes: tuple[str, ...]
    files: list[Path]  # (n,)
    labels: np.ndarray  # (n,) int64


def open_folder(root: Path) -> dict[str, Split]:
    """The splits "train" and "test" of a folder of images, with the classes of its training images.

    Warns
    -----
    UserWarning
        In one line, of folders that are no classes and of files that are no images.

    Raises
    ------
    FileNotFoundError
        If the folder, a split or its classes are missing. The text says what lies there.
    ValueError
        If the two splits have no class in common, or two folders have one name.
    """
    top = _top(Path(root))
    train = _first_split(top, TRAIN)
    left_out: Counter[str] = Counter()
    found = {"train": _by_class(train, left_out)}
    classes = tuple(found["train"])
    found["test"] = _by_class(_test_split(top, train, classes), left_out)
    strangers = [name for name in found["test"] if name not in classes]
    if strangers:
        left_out[f"classes without training images: {_some(strangers)}"] = 0
    if left_out:
        warnings.warn(f"{root}: left out {_counted(left_out)}", stacklevel=3)
    return {split: _listed(classes, images) for split, images in found.items()}


def class_folders(root: Path) -> tuple[str, ...]:
    """The classes of a folder's training images; empty where there is no such folder."""
    try:
        return tuple(_class_places(_first_split(_top(Path(root)), TRAIN)))
    except FileNotFoundError:
        return ()


def holds(folder: Path) -> str:
    """What lies in a folder, in words."""
    names = sorted(path.name + "/" * path.is_dir() for path in folder.iterdir())
    return _some(names) or "nothing"


def _some(names: Sequence[str] | dict) -> str:
    return ", ".join(list(names)[:SHOWN]) + (f", ... ({len(names)} in all)" if len(names) > SHOWN else "")


def _top(root: Path) -> Path:
    """The folder that holds the splits: the root, or a single folder in it, as archives leave it."""
    if root.is_file():
        raise FileNotFoundError(f"{root} is a file; unpack it, and name the folder that holds {EXPECTED}")
    if not root.is_dir():
        text = f"no folder of images at {root}; name it with DATA=<folder holding {EXPECTED}>"
        raise FileNotFoundError(text)
    inside = [path for path in root.iterdir() if path.is_dir() and not is_left_behind(path.name)]
    single = inside if len(inside) == 1 else []
    return next((top for top in (root, *single) if _named(top, TRAIN)), root)


def _named(top: Path, names: Sequence[str]) -> list[Path]:
    """Folders of these names, in this order, in any case."""
    there = {path.name.lower(): path for path in sorted(top.iterdir()) if path.is_dir()}
    return [there[name] for name in names if name in there]


def _first_split(top: Path, names: Sequence[str]) -> Path:
    """The first folder of these names that has classes; the error says what lies in those that have none."""
    there = _named(top, names)
    for place in there:
        if next(iter(_class_places(place)), None) is not None:
            return place
    if not there:
        raise FileNotFoundError(
            f"{top} has no folder '{' or '.join(names[:2])}' (it holds: {holds(top)}); expected {EXPECTED}"
        )
    states = "; ".join(f"{place} holds: {holds(place)}" for place in there)
    inside: Counter[str] = Counter()
    for folder in (path for place in there for path in place.iterdir() if path.is_dir()):
        next(images_below(folder, inside), None)  # there is none: all is gone through
    found = f"; there are {_counted(inside)}" if inside else ""
    raise FileNotFoundError(f"no class folders with images ({states}); expected {EXPECTED}{found}")


def _test_split(top: Path, train: Path, classes: Sequence[str]) -> Path:
    """The first test split that has classes of the training images."""
    first = _first_split(top, TEST)
    for place in _named(top, TEST):
        if set(classes) & set(_class_places(place)):
            return place
    raise ValueError(
        f"{train} has the classes {_some(classes)}, {first} has {_some(_class_places(first))}; "
        "expected the same ones"
    )


# ---- classes and their images ----


def _class_places(place: Path) -> dict[str, Path]:
    """Class folders by name, sorted: those with at least one image."""
    found: dict[str, Path] = {}
    for path in place.iterdir():
        if path.is_dir() and not is_left_behind(path.name) and next(images_below(path), None):
            name = unicodedata.normalize("NFC", path.name)
            if name in found:
                raise ValueError(f"{place} has two folders of one name, '{name}', written in two ways")
            found[name] = path
    return dict(sorted(found.items()))


def images_below(folder: Path | str, left_out: Counter | None = None) -> Iterator[Path]:
    """The images in a folder and in those inside it, by name or else by content; the rest is counted."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if is_left_behind(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from images_below(entry.path, left_out)
        elif not os.path.isfile(entry.path):
            if left_out is not None and entry.is_symlink():  # a pipe or a socket is passed over
                left_out["links to folders, or to nothing"] += 1
        elif is_image(entry.name) or begins_as_image(Path(entry.path)):
            yield Path(entry.path)
        elif left_out is not None:
            left_out[f"files {os.path.splitext(entry.name)[1].lower() or 'without ending'}"] += 1


def _by_class(place: Path, left_out: Counter) -> dict[str, list[Path]]:
    places = _class_places(place)
    known = {path.name for path in places.values()}
    others = sorted(path.name for path in place.iterdir() if path.is_dir() and path.name not in known)
    if others:
        left_out[f"folders without images in {place.name}: {_some(others)}"] = 0
    return {name: sorted(images_below(path, left_out)) for name, path in places.items()}


def _counted(left_out: Counter) -> str:
    """The rest in one line."""
    parts = [f"{count} {what}" if count else what for what, count in sorted(left_out.items())]
    return "; ".join(parts) + ". Images are JPEG, PNG, BMP or WebP"


def _listed(classes: tuple[str, ...], found: dict[str, list[Path]]) -> Split:
    groups = [found.get(name, []) for name in classes]
    labels = np.repeat(np.arange(len(classes)), [len(group) for group in groups])
    return Split(classes, [path for group in groups for path in group], labels)

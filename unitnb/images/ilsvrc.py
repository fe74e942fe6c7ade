"""ILSVRC2012 in its usual forms.

Training images are folders, class tars or the tar of tars. Validation images are in folders, flat, or a tar.
Labels are Keras's indices, 0 to 999, whichever classes are present. Flat images get theirs from the names of
their files (Hugging Face), from Kaggle's table, or from the devkit (see ``flat``).
"""

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ..files import store
from ..files.inventory import is_left_behind
from ..synsets import Synset, by_wnid, synsets
from . import flat, tars
from .decoding import is_image
from .flat import DEVKIT
from .folders import holds, images_below

# Files of the download, without their endings.
TRAIN, VAL = "ILSVRC2012_img_train", "ILSVRC2012_img_val"
INDEX = ("names", "offsets", "sizes")  # of the images in an archive, see tars.images_in
KAGGLE = Path("Data", "CLS-LOC")  # below the folder ILSVRC of Kaggle's archive
EXPECTED = {
    "train": f"train/<wnid>/*.JPEG, train/<wnid>.tar or {TRAIN}.tar",
    "val": f"val/<wnid>/*.JPEG, or val/*.JPEG or {VAL}.tar beside {DEVKIT}.tar.gz or LOC_val_solution.csv",
}


@dataclass(frozen=True)
class Listing:
    """The n images of a split, sorted by class and name, in c folders or archives."""

    labels: np.ndarray  # (n,) int64, 0..999
    names: np.ndarray  # (n,) bytes
    places: tuple[Path, ...]  # (c,)
    place: np.ndarray  # (n,) int64, which of the places
    offsets: np.ndarray  # (n,) int64, in the archive; -1 in a folder
    sizes: np.ndarray  # (n,) int64

    def open(self, index: int) -> Path | io.BytesIO:
        """The file of an image, or its bytes from an archive."""
        where = self.places[self.place[index]]
        if self.offsets[index] < 0:
            return where / os.fsdecode(self.names[index])
        return io.BytesIO(tars.read_member(where, int(self.offsets[index]), int(self.sizes[index])))

    def name(self, index: int) -> str:
        """``<wnid>/<file>``, the same for folders and archives."""
        return f"{synsets()[self.labels[index]].wnid}/{os.fsdecode(self.names[index])}"


def open_ilsvrc(root: Path, cache: Path) -> dict[str, Listing]:
    """The images under ``root``: ``"train"`` and ``"test"`` (ILSVRC's validation images).

    The indices of tars are kept in the folder ``cache``.

    Raises
    ------
    FileNotFoundError
        If the folder, a split or the devkit is missing. The text says what is expected.
    DamagedFileError
        If an archive or a file of the devkit is damaged.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"no folder of ILSVRC2012 at {root}; name it with DATA=<folder holding {EXPECTED['train']}>"
        )
    top = _top(root)
    return {"train": _train(top, cache), "test": _validation(top, cache)}


def _top(root: Path) -> Path:
    """The folder that holds the splits: Kaggle's, or a single folder in the root, as archives leave it."""
    for place in (root / "ILSVRC" / KAGGLE, root / KAGGLE):
        if place.is_dir():
            return place
    inside = [path for path in root.iterdir() if path.is_dir() and not is_left_behind(path.name)]
    return inside[0] if len(inside) == 1 and not _has_splits(root) and _has_splits(inside[0]) else root


def _has_splits(place: Path) -> bool:
    return any(name.startswith(("train", "val", TRAIN, VAL)) for name in os.listdir(place))


def _train(root, cache):
    for folder in (root / "train", root / TRAIN, root):
        if places := _class_places(folder):
            if folder != root:
                _warn_of_others(folder, places)
            return _by_class(places, cache)
        if folder != root and (names := _images_of(folder)):
            return _flat(folder, _in_folder(names), root)
    return _tar_of_tars(_existing(root / f"{TRAIN}.tar", "train"), cache)


def _validation(root, cache):
    for folder in (root / "val", root / VAL):
        if places := _class_places(folder):
            _warn_of_others(folder, places)
            return _by_class(places, cache)
        if names := _images_of(folder):
            return _flat(folder, _in_folder(names), root)
    path = _existing(root / f"{VAL}.tar", "val")
    return _flat(path, tars.images_in_tar(path, cache), root)


def _existing(path, split):
    if not path.is_file():
        inside = path.parent / split
        lies = f"; {inside} holds: {holds(inside)}" if inside.is_dir() else ""
        packed = sorted(item.name for item in path.parent.glob(f"{split}_images*.tar.gz"))
        unpack = f". Unpack {', '.join(packed)} into {inside}" if packed else ""
        raise FileNotFoundError(
            f"{path.parent} has no {split} images (it holds: {holds(path.parent)}{lies}); expected "
            f"{EXPECTED[split]}{unpack}"
        )
    return path


# ---- one folder or archive per class ----


def _class_places(folder: Path) -> dict[str, Path]:
    """By wnid, the folder or tar of each class. A folder is preferred to a tar of the same class."""
    if not folder.is_dir():
        return {}
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), reverse=True):
        wnid = path.name[:9]  # n01440764, n01440764_tench or n01440764.tar
        if wnid in by_wnid() and (path.is_dir() or path.name == f"{wnid}.tar"):
            if wnid in found and path.is_dir() and found[wnid].is_dir():
                raise ValueError(f"{folder} has two folders of {wnid}: {found[wnid].name} and {path.name}")
            found[wnid] = path
    return found


def _warn_of_others(folder, places) -> None:
    """Name the folders with images that lie beside those of the classes."""
    used = {path.name for path in places.values()}
    beside = (path for path in sorted(folder.iterdir()) if path.is_dir() and path.name not in used)
    others = [path.name for path in beside if not is_left_behind(path.name) and any(images_below(path))]
    if others:
        some = ", ".join(others[:5]) + ", ..." * (len(others) > 5)
        warnings.warn(
            f"{folder}: left out {some}, as wnids of ILSVRC2012 begin the names of the other {len(places)}",
            stacklevel=4,
        )


def _by_class(places, cache):
    wnids = sorted(places)
    found = [_images_at(places[wnid], cache) for wnid in wnids]
    place = np.repeat(np.arange(len(wnids)), [len(group["names"]) for group in found])
    labels = np.array([by_wnid()[wnid].index for wnid in wnids])[place]
    joined = {part: np.concatenate([group[part] for group in found]) for part in INDEX}
    return Listing(labels, places=tuple(places[wnid] for wnid in wnids), place=place, **joined)


def _images_at(path, cache):
    return _in_folder(_images_of(path)) if path.is_dir() else tars.images_in_tar(path, cache)


def _images_of(folder: Path) -> list[str]:
    """The images in a folder, or else in those inside it, by their paths from there."""
    if not folder.is_dir():
        return []
    if names := sorted(name for name in os.listdir(folder) if is_image(name)):  # a million of them in all
        return names
    return sorted(path.relative_to(folder).as_posix() for path in images_below(folder))


def _in_folder(names):
    none = np.full(len(names), -1)
    return {"names": np.array([os.fsencode(name) for name in names], "S"), "offsets": none, "sizes": none}


# ---- one archive ----


def _tar_of_tars(path, cache):
    index = tars.images_in_tars(path, cache)
    groups, of_group = np.unique(index.pop("groups"), return_inverse=True)
    unknown = sorted({group.decode("utf-8", "replace") for group in groups} - set(by_wnid()))
    if unknown:
        raise store.DamagedFileError(
            f"{path} holds tars of no class of ILSVRC2012: {', '.join(unknown[:5])}; expected <wnid>.tar"
        )
    labels = np.array([by_wnid()[group.decode()].index for group in groups])[of_group]
    return _sorted(path, labels, index)


def _flat(path, index, root):
    """Images without folders of classes."""
    wnids = flat.wnids([PurePosixPath(os.fsdecode(name)).name for name in index["names"]], path, root)
    return _sorted(path, np.array([by_wnid()[wnid].index for wnid in wnids], np.int64), index)


def _sorted(path, labels, index):
    order = np.lexsort((index["names"], labels))
    arrays = {part: index[part][order] for part in INDEX}
    return Listing(labels[order], places=(path,), place=np.zeros(len(order), np.int64), **arrays)


# ---- the studied classes ----


def studied_classes(labels: np.ndarray, target: Synset, most: int | None, seed: int) -> list[Synset]:
    """``target`` and other classes with training images, by index.

    The others are drawn by the seed, so that there are at most ``most`` classes in all.

    Raises
    ------
    ValueError
        If the target has no training image. The text names classes that have some.
    """
    present = np.unique(labels)
    if target.index not in present:
        some = ", ".join(synsets()[label].name for label in present[:5])
        raise ValueError(
            f"class '{target.name}' ({target.wnid}) has no training images; "
            f"{len(present)} classes have: {some}, ..."
        )
    drawn = np.random.default_rng(seed).permutation(present[present != target.index])
    others = drawn if most is None else drawn[: most - 1]
    return [synsets()[label] for label in sorted([target.index, *others.tolist()])]

"""ILSVRC2012 in its usual forms.

Training images are folders, class tars or the tar of tars. Validation images are in folders, flat, or a tar.
Labels are Keras's indices, 0 to 999, whichever classes are present. Flat validation images get their labels
from the devkit. Its numbers ("ILSVRC2012_ID", 1 to 1000) are in another order; its ``meta.mat`` gives the
wnid of each.
"""

import io
import os
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ..files import store
from ..synsets import Synset, by_wnid, synsets
from . import tars

# Files of the download, without their endings.
TRAIN, VAL, DEVKIT = "ILSVRC2012_img_train", "ILSVRC2012_img_val", "ILSVRC2012_devkit_t12"
TRUTH, META = "ILSVRC2012_validation_ground_truth.txt", "meta.mat"  # of the devkit
INDEX = ("names", "offsets", "sizes")  # of the images in an archive, see tars.images_in
EXPECTED = {
    "train": f"train/<wnid>/*.JPEG, train/<wnid>.tar or {TRAIN}.tar",
    "val": f"val/<wnid>/*.JPEG, or val/*.JPEG or {VAL}.tar beside {DEVKIT}.tar.gz",
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
    return {"train": _train(root, cache), "test": _validation(root, cache)}


def _train(root, cache):
    for folder in (root / "train", root / TRAIN, root):
        if places := _class_places(folder):
            return _by_class(places, cache)
    return _tar_of_tars(_existing(root / f"{TRAIN}.tar", "train"), cache)


def _validation(root, cache):
    for folder in (root / "val", root / VAL):
        if places := _class_places(folder):
            return _by_class(places, cache)
        if folder.is_dir() and (names := _images_of(folder)):
            return _flat(folder, _in_folder(names), root)
    path = _existing(root / f"{VAL}.tar", "val")
    return _flat(path, tars.images_in_tar(path, cache), root)


def _existing(path, split):
    if not path.is_file():
        holds = ", ".join(sorted(entry.name for entry in path.parent.iterdir())[:8]) or "nothing"
        raise FileNotFoundError(
            f"{path.parent} has no images to {split} with (it holds: {holds}); expected {EXPECTED[split]}"
        )
    return path


# ---- one folder or archive per class ----


def _class_places(folder: Path) -> dict[str, Path]:
    """By wnid, the folder or tar of each class. A folder is preferred to a tar of the same class."""
    if not folder.is_dir():
        return {}
    known = [path for path in sorted(folder.iterdir(), reverse=True) if path.stem in by_wnid()]
    return {path.stem: path for path in known if path.suffix == ".tar" or (path.is_dir() and not path.suffix)}


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
    return sorted(name for name in os.listdir(folder) if tars.is_image(name))


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
    """Validation images without classes: ``ILSVRC2012_val_00000001.JPEG`` has line 1 of the ground truth."""
    wnids = validation_wnids(root)
    lines = [_line_of_truth(os.fsdecode(name), len(wnids), path) for name in index["names"]]
    return _sorted(path, np.array([by_wnid()[wnids[line - 1]].index for line in lines], np.int64), index)


def _line_of_truth(name, lines, path):
    """The line, from 1, of the ground truth that a validation image's name gives."""
    found = re.search(r"_(\d{8})\.", name)
    if not found or not 1 <= int(found[1]) <= lines:
        raise ValueError(
            f"{path}: '{name}' has no line in the ground truth of {lines} images; "
            "expected names ILSVRC2012_val_00000001.JPEG"
        )
    return int(found[1])


def _sorted(path, labels, index):
    order = np.lexsort((index["names"], labels))
    arrays = {part: index[part][order] for part in INDEX}
    return Listing(labels[order], places=(path,), place=np.zeros(len(order), np.int64), **arrays)


# ---- the devkit ----


def validation_wnids(root: Path) -> list[str]:
    """The wnid of each validation image by its number, from the devkit's ground truth and ``meta.mat``.

    Raises
    ------
    FileNotFoundError
        If the devkit is missing, both unpacked and as an archive.
    DamagedFileError
        If one of its files cannot be read.
    """
    wnid_of, truth = _wnids_by_id(_devkit_file(root, META)), _devkit_file(root, TRUTH)
    try:
        return [wnid_of[int(line)] for line in truth.split()]
    except (ValueError, KeyError) as error:
        raise store.DamagedFileError(
            f"{TRUTH} of the devkit has a line that is no ILSVRC2012_ID of {META} ({error})"
        ) from error


def _wnids_by_id(meta: bytes) -> dict[int, str]:
    from scipy.io import loadmat

    try:
        table = loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
        rows = zip(table["ILSVRC2012_ID"], table["WNID"], strict=True)
        pairs = {int(number): str(wnid) for number, wnid in rows}
    except Exception as error:  # scipy's reader raises many types on a damaged file
        raise store.DamagedFileError(
            f"{META} of the devkit cannot be read ({error!r}); unpack the devkit again"
        ) from error
    return {number: wnid for number, wnid in pairs.items() if wnid in by_wnid()}


def _devkit_file(root: Path, name: str) -> bytes:
    for folder in (root, root / "data", root / "devkit" / "data", root / DEVKIT / "data"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    archive = root / f"{DEVKIT}.tar.gz"
    if archive.is_file():
        return _from_devkit(archive, name)
    raise FileNotFoundError(
        f"flat validation images need the devkit's {name}; "
        f"expected {archive} or {DEVKIT}/data/{name} under {root}"
    )


def _from_devkit(path, name):
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                wanted = member.isreg() and PurePosixPath(member.name).name == name
                if wanted and (content := archive.extractfile(member)) is not None:
                    return content.read(tars.IMAGE_BYTES)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise store.DamagedFileError(f"{path} is no whole archive ({error}); download it again") from error
    raise store.DamagedFileError(f"{path} holds no {name}; download it again")


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

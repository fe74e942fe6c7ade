"""Imagenette: all images that ImageNet has of ten classes, as folders or as an archive; no account is needed.

Imagenette's own split is not ImageNet's: its ``train/`` and its ``val/`` each hold images of both of
ImageNet's sets. A network that was trained on ImageNet has seen the training images, whichever folder they
lie in. So the name of a file decides: ``n01440764_10026.JPEG`` belongs to the split "train", and
``ILSVRC2012_val_00000293.JPEG`` to the split "test". The folder of a file is its class.
"""

import gzip
import os
import re
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from filelock import FileLock

from ..files import store
from ..files.atomic import atomic_path
from ..files.model_files import keras_home
from ..profiles import project_root
from ..synsets import by_wnid
from . import tars
from .decoding import is_image
from .ilsvrc import Listing

URL = "https://s3.amazonaws.com/fast-ai-imageclas"
MD5 = {  # of the archives, by their names without the ending; the number is the shorter side in pixels
    "imagenette2": "fe2fc210e6bb7c5664d602c3cd71e612",
    "imagenette2-320": "3df6f0d01a2c9592104656642f5e78a3",
    "imagenette2-160": "e793b78cc4c9e9a4ccc0c1155377a412",
}
ARCHIVES = (".tgz", ".tar.gz", ".tar")
EXPECTED = "train/<wnid>/*.JPEG and val/<wnid>/*.JPEG, or the archive of these"
# Names of ImageNet's training and validation images.
SEEN, UNSEEN = r"(n\d{8})_\d+\.", r"ILSVRC2012_val_\d{8}\."
TAR_BYTES = 2**33  # of an unpacked archive at most; the largest of the three has a fifth of it
VERSION = 1  # of the index; part of its key


class _File(NamedTuple):
    """One file: folder (train or val), class and name, and its place in the archive; -1 without one."""

    folder: str
    wnid: str
    name: str
    offset: int = -1
    size: int = -1


def open_imagenette(root: Path, cache: Path) -> dict[str, Listing]:
    """The images of Imagenette: ``"train"``, seen by a network trained on ImageNet, and ``"test"``, unseen.

    Parameters
    ----------
    root : Path
        The folder, whatever its size of images; the archive (.tgz, .tar.gz, .tar); or one of the words
        imagenette2, imagenette2-320 and imagenette2-160 below the project's root, which are downloaded once.
    cache : Path
        Where the index of an archive is kept, and the archive without its compression, which is as large.

    Raises
    ------
    FileNotFoundError
        If nothing is there, nothing can be downloaded, or it has no images of one of the two kinds.
    DamagedFileError
        If the archive is not whole.
    """
    place = _place(Path(root))
    files, where = (
        (_in_folders(top := _top(place)), top) if place.is_dir() else _in_archive(place, Path(cache))
    )
    listings = _listings(files, where, place)
    for split, listing in listings.items():
        if not len(listing.labels):
            names = {"train": "<wnid>_<number>.JPEG", "test": "ILSVRC2012_val_<number>.JPEG"}[split]
            raise FileNotFoundError(
                f"{place} has no images called {names} in folders of ImageNet's classes; expected {EXPECTED}"
            )
    return listings


# ---- where it lies ----


def _place(root: Path) -> Path:
    """The folder or archive that ``root`` names."""
    if root.is_dir() or (root.is_file() and root.name.endswith(ARCHIVES)):
        return root
    if root.is_file():
        raise FileNotFoundError(
            f"{root} is a file of another kind; expected a folder, or {', '.join(ARCHIVES)}"
        )
    if root.name in MD5 and root.parent == project_root():
        return _downloaded(root.name)
    raise FileNotFoundError(
        f"nothing is at {root}; name it with DATA=<folder holding {EXPECTED}>, "
        f"or have it downloaded with DATA={' or '.join(MD5)}"
    )


def _downloaded(word: str) -> Path:
    """Keras's cache has the archive, or gets it."""
    import keras

    home = keras_home()
    origin, path = f"{URL}/{word}.tgz", home / "datasets" / f"{word}.tgz"
    try:
        found = keras.utils.get_file(
            path.name, origin, cache_dir=str(home), cache_subdir="datasets", file_hash=MD5[word]
        )
    except Exception as error:  # whatever urllib and Keras make of no network
        raise FileNotFoundError(
            f"{word} cannot be downloaded ({error}); put {origin} (md5 {MD5[word]}) at {path}, "
            "or name where it lies with DATA=<path>"
        ) from error
    return Path(found)


def _top(root: Path) -> Path:
    """The folder that holds ``train/`` and ``val/``: the root, or a single folder in it."""
    inside = [path for path in root.iterdir() if path.is_dir()]
    for top in (root, *(inside if len(inside) == 1 else ())):
        if all((top / split).is_dir() for split in ("train", "val")):
            return top
    holds = ", ".join(sorted(path.name for path in root.iterdir())[:8]) or "nothing"
    raise FileNotFoundError(f"{root} is no folder of Imagenette (it holds: {holds}); expected {EXPECTED}")


# ---- what is there ----


def _in_folders(top: Path) -> list[_File]:
    folders = [folder for split in ("train", "val") for folder in sorted((top / split).iterdir())]
    return [
        _File(folder.parent.name, folder.name, name)
        for folder in folders
        if folder.is_dir()
        for name in sorted(os.listdir(folder))
    ]


def _in_archive(path: Path, cache: Path) -> tuple[list[_File], Path]:
    """The files of an archive by its index, and the uncompressed archive that their offsets count in."""
    status = path.stat()
    key = {"file": path.name, "bytes": status.st_size, "time": status.st_mtime_ns, "version": VERSION}
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "imagenette.lock"):  # notebooks run side by side: one unpacks, the others wait
        tar = path if path.suffix == ".tar" else _uncompressed(path, cache / f"{store.digest(key)[:20]}.tar")
        index = store.cached(cache, "imagenette", key, lambda: _index(tar, path))
    columns = [
        np.char.decode(index[part], "utf-8", "surrogateescape") for part in ("folders", "wnids", "names")
    ]
    rows = [column.tolist() for column in (*columns, index["offsets"], index["sizes"])]
    return [_File(*row) for row in zip(*rows, strict=True)], tar


def _uncompressed(path: Path, target: Path) -> Path:
    """The archive as a plain tar, in which single images can be read; its checksum is compared on the way."""
    if target.exists():
        return target
    try:
        with gzip.open(path) as packed, atomic_path(target) as temporary, open(temporary, "wb") as file:
            while block := packed.read(2**20):
                file.write(block)
                if file.tell() > TAR_BYTES:
                    raise EOFError(f"it unpacks to more than {TAR_BYTES:,} bytes")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise store.DamagedFileError(f"{path} is no whole archive ({error}); download it again") from error
    return target


def _index(tar: Path, path: Path) -> dict[str, np.ndarray]:
    with open(tar, "rb") as file:
        rows = sorted(_members(file, path))
    folders, wnids, names, offsets, sizes = zip(*rows, strict=True) if rows else ((),) * 5
    encoded = [
        np.array([text.encode("utf-8", "surrogateescape") for text in column], "S")
        for column in (folders, wnids, names)
    ]
    numbers = [np.array(column, np.int64) for column in (offsets, sizes)]
    return dict(zip(("folders", "wnids", "names", "offsets", "sizes"), (*encoded, *numbers), strict=True))


def _members(file, path: Path) -> Iterator[_File]:
    for member in tars.plain_members(file, path):
        parts = PurePosixPath(member.name).parts
        if len(parts) < 3 or parts[-3] not in ("train", "val"):
            continue
        if member.size > tars.IMAGE_BYTES:
            text = f"{path} holds '{member.name}' of {member.size:,} bytes"
            raise store.DamagedFileError(f"{text}; no image may have more than {tars.IMAGE_BYTES:,}")
        yield _File(parts[-3], parts[-2], parts[-1], member.offset_data, member.size)


# ---- seen and unseen ----


def _listings(files: list[_File], where: Path, place: Path) -> dict[str, Listing]:
    """Files by what their names say; those that say nothing are counted in a warning."""
    chosen: dict[str, dict[tuple[int, str], _File]] = {"train": {}, "test": {}}
    strays = 0
    for file in files:
        split = _split(file)
        strays += split is None and not file.name.startswith(".") and not file.name.endswith(".csv")
        if split:  # a file that lies in both folders counts once
            chosen[split].setdefault((by_wnid()[file.wnid].index, file.name), file)
    if strays:
        warnings.warn(
            f"{place}: {strays} file(s) are left out: by name or folder they are no images of ImageNet",
            stacklevel=3,
        )
    return {split: _listing(found, where) for split, found in chosen.items()}


def _split(file: _File) -> str | None:
    """Which split the file belongs to by its name."""
    if file.wnid not in by_wnid() or not is_image(file.name):
        return None
    if (seen := re.match(SEEN, file.name)) and seen[1] == file.wnid:
        return "train"
    return "test" if re.match(UNSEEN, file.name) else None


def _listing(found: dict[tuple[int, str], _File], where: Path) -> Listing:
    files = [found[key] for key in sorted(found)]
    folders = [where if where.is_file() else where / file.folder / file.wnid for file in files]
    places = tuple(dict.fromkeys(folders))
    of_place = {folder: number for number, folder in enumerate(places)}
    return Listing(
        np.array([by_wnid()[file.wnid].index for file in files], np.int64),
        np.array([os.fsencode(file.name) for file in files], "S"),
        places,
        np.array([of_place[folder] for folder in folders], np.int64),
        np.array([file.offset for file in files], np.int64),
        np.array([file.size for file in files], np.int64),
    )

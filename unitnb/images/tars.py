"""Tar archives read in place: an index of the images in them, and single images read by their offset.

Members are never extracted: their names serve for sorting and for messages only. A link, a device or a sparse file is an error.
"""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from filelock import FileLock

from ..files import store
from ..files.progress import progress_bar

ENDINGS = {".jpg", ".jpeg", ".png", ".bmp"}  # of images, in any case
IMAGE_BYTES = 2**26  # an image larger than this is refused; the largest of ILSVRC2012 is a quarter of it
VERSION = 1  # of the index; part of its key


def is_image(name: str) -> bool:
    """Whether a file is an image by its name; what begins with a dot is left beside it by file managers."""
    return os.path.splitext(name)[1].lower() in ENDINGS and not name.startswith(".")


def plain_members(file: BinaryIO, where: object) -> Iterator[tarfile.TarInfo]:
    """The plain files of the uncompressed archive ``file``, whose name for messages is ``where``.

    Raises
    ------
    DamagedFileError
        If it is no tar archive or is cut short, or holds anything but plain files and folders.
    """
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                if not member.isdir():
                    yield _checked(member, where)
            file.seek(archive.offset)
            if file.read(tarfile.BLOCKSIZE) != bytes(
                tarfile.BLOCKSIZE
            ):  # tarfile takes whatever else it meets for the end
                raise tarfile.ReadError("it ends without a closing block")
    except (tarfile.TarError, ValueError, OverflowError, EOFError, OSError) as error:
        if isinstance(error, store.DamagedFileError):
            raise
        raise store.DamagedFileError(
            f"{where} is no whole tar archive ({error}); copy or download it again"
        ) from error


def _checked(member: tarfile.TarInfo, where: object) -> tarfile.TarInfo:
    if not member.isreg() or member.issparse() or member.size < 0:
        raise store.DamagedFileError(
            f"{where} holds '{member.name}', which is no plain file (a link, a device or a sparse file)"
        )
    return member


def images_in(file: BinaryIO, where: object, start: int = 0) -> dict[str, np.ndarray]:
    """Index of the images in an archive, sorted by name: ``names`` (n,) bytes without folders, ``offsets`` and ``sizes`` (n,) int64.

    ``start`` is where the archive begins in the file that the offsets are to count from.
    """
    found = []
    for member in plain_members(file, where):
        name = PurePosixPath(member.name).name
        if is_image(name):
            found.append(
                (
                    name.encode("utf-8", "surrogateescape"),
                    start + member.offset_data,
                    _image_size(member, where),
                )
            )
    names, offsets, sizes = zip(*sorted(found), strict=True) if found else ((), (), ())
    return {
        "names": np.array(names, "S"),
        "offsets": np.array(offsets, np.int64),
        "sizes": np.array(sizes, np.int64),
    }


def _image_size(member: tarfile.TarInfo, where: object) -> int:
    if member.size > IMAGE_BYTES:
        raise store.DamagedFileError(
            f"{where} holds '{member.name}' of {member.size:,} bytes; no image may have more than {IMAGE_BYTES:,}"
        )
    return member.size


def images_in_tar(path: Path, cache: Path) -> dict[str, np.ndarray]:
    """:func:`images_in` of an archive, kept in the folder ``cache`` as long as its size and time stay as they are."""
    return _kept(path, cache, "images", lambda file: images_in(file, path))


def images_in_tars(path: Path, cache: Path) -> dict[str, np.ndarray]:
    """As :func:`images_in_tar`, of an archive of archives ``<group>.tar``; ``groups`` (n,) bytes are their names without the ending."""
    return _kept(path, cache, "tars", lambda file: _all_groups(file, path))


def _kept(path, cache, kind, compute):
    status = path.stat()
    key = {
        "file": path.name,
        "bytes": status.st_size,
        "time": status.st_mtime_ns,
        "kind": kind,
        "version": VERSION,
    }
    cache.mkdir(parents=True, exist_ok=True)
    with (
        FileLock(cache / "tar-index.lock"),
        open(path, "rb") as file,
    ):  # notebooks run side by side: one goes through it, the others wait
        return store.cached(cache, "tar-index", key, lambda: compute(file))


def _all_groups(file, path):
    members = [member for member in plain_members(file, path) if member.name.endswith(".tar")]
    found = [_one_group(file, path, member) for member in progress_bar(members, f"index of {path.name}")]
    if not found:
        raise store.DamagedFileError(f"{path} holds no archives <group>.tar; expected one for each class")
    return {name: np.concatenate([group[name] for group in found]) for name in found[0]}


def _one_group(file, path, member):
    stem = PurePosixPath(member.name).stem
    index = images_in(_Part(file, member.offset_data, member.size), f"{path}: {stem}.tar", member.offset_data)
    return index | {"groups": np.full(len(index["names"]), stem.encode("utf-8", "surrogateescape"))}


class _Part:
    """A stretch of a file as a file of its own, as far as tarfile needs one."""

    def __init__(self, file: BinaryIO, start: int, size: int):
        self.file, self.start, self.size, self.position = file, start, size, 0

    def tell(self) -> int:
        return self.position

    def seek(self, position: int) -> int:
        self.position = position
        return position

    def read(self, count: int) -> bytes:
        self.file.seek(self.start + self.position)
        found = self.file.read(max(0, min(count, self.size - self.position)))
        self.position += len(found)
        return found


def read_member(path: Path, offset: int, size: int) -> bytes:
    """The bytes of one member, by its place in the index; fewer where the file has been cut since."""
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)

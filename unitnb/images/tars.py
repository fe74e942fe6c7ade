"""Tar archives read in place: an index of the images in them, and single images read by their offset.

Members are never extracted; their names serve only for sorting and for messages. A link, a device or a sparse
file is an error.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import numpy as np
from filelock import FileLock

from ..files import store
from ..files.progress import progress_bar
from .decoding import is_image

IMAGE_BYTES = 2**26  # an image larger than this is refused; the largest of ILSVRC2012 is a quarter of it
VERSION = 2  # of the index; part of its key


def plain_members(file: BinaryIO, where: object) -> Iterator[tarfile.TarInfo]:
    """The plain files of the uncompressed archive ``file``; messages call it ``where``.

    Raises
    ------
    DamagedFileError
        If it is no tar archive, is cut short, or holds anything but plain files and folders.
    """
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                if not member.isdir():
                    yield _plain_member(member, where)
            file.seek(archive.offset)
            # tarfile takes any damaged header for the end of the archive.
            if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                raise tarfile.ReadError("it ends without a closing block")
    except (tarfile.TarError, ValueError, OverflowError, EOFError, OSError) as error:
        if isinstance(error, store.DamagedFileError):
            raise
        raise store.DamagedFileError(
            f"{where} is no whole tar archive ({error}); copy or download it again"
        ) from error


def _plain_member(member: tarfile.TarInfo, where: object) -> tarfile.TarInfo:
    if not member.isreg() or member.issparse() or member.size < 0:
        raise store.DamagedFileError(
            f"{where} holds '{member.name}', which is no plain file (a link, a device or a sparse file)"
        )
    return member


def images_in(file: BinaryIO, where: object, start: int = 0) -> dict[str, np.ndarray]:
    """Index of the images in an archive, sorted by name.

    Parameters
    ----------
    file : the open archive
    where : its name for messages
    start : offset of the archive in the file that offsets count from

    Returns
    -------
    dict
        ``names`` (n,) bytes without folders, ``offsets`` and ``sizes`` (n,) int64 in bytes.

    Raises
    ------
    DamagedFileError
        As in :func:`plain_members`, and if an image is larger than ``IMAGE_BYTES``.
    """
    found = []
    for member in plain_members(file, where):
        name = PurePosixPath(member.name).name
        if is_image(name):
            encoded = name.encode("utf-8", "surrogateescape")
            found.append((encoded, start + member.offset_data, _image_size(member, where)))
    names, offsets, sizes = zip(*sorted(found), strict=True) if found else ((), (), ())
    numbers = {"offsets": np.array(offsets, np.int64), "sizes": np.array(sizes, np.int64)}
    return {"names": np.array(names, "S"), **numbers}


def _image_size(member: tarfile.TarInfo, where: object) -> int:
    if member.size > IMAGE_BYTES:
        raise store.DamagedFileError(
            f"{where} holds '{member.name}' of {member.size:,} bytes; "
            f"no image may have more than {IMAGE_BYTES:,}"
        )
    return member.size


def images_in_tar(path: Path, cache: Path) -> dict[str, np.ndarray]:
    """:func:`images_in` of an archive, kept in the folder ``cache`` until its size or time changes."""
    return _cached_index(path, cache, "images", lambda file: images_in(file, path))


def images_in_tars(path: Path, cache: Path) -> dict[str, np.ndarray]:
    """:func:`images_in_tar` of an archive of archives ``<group>.tar``.

    The index has one more entry: ``groups`` (n,) bytes, the names of the inner archives without their ending.
    """
    return _cached_index(path, cache, "tars", lambda file: _all_groups(file, path))


def _cached_index(path, cache, kind, compute):
    status = path.stat()
    key = {
        "file": path.name,
        "bytes": status.st_size,
        "time": status.st_mtime_ns,
        "kind": kind,
        "version": VERSION,
    }
    cache.mkdir(parents=True, exist_ok=True)
    # Notebooks run side by side: one reads the archive, the others wait.
    with FileLock(cache / "tar-index.lock"), open(path, "rb") as file:
        return store.cached(cache, "tar-index", key, lambda: compute(file))


def _all_groups(file, path):
    members = [member for member in plain_members(file, path) if member.name.endswith(".tar")]
    found = [_one_group(file, path, member) for member in progress_bar(members, f"index of {path.name}")]
    if not found:
        raise store.DamagedFileError(f"{path} holds no archives <group>.tar; expected one for each class")
    return {name: np.concatenate([group[name] for group in found]) for name in found[0]}


def _one_group(file, path, member):
    stem = PurePosixPath(member.name).stem
    part = cast(BinaryIO, _Part(file, member.offset_data, member.size))
    index = images_in(part, f"{path}: {stem}.tar", member.offset_data)
    return index | {"groups": np.full(len(index["names"]), stem.encode("utf-8", "surrogateescape"))}


class _Part:
    """Part of a file as a file of its own, with the three methods that tarfile uses."""

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
    """The bytes of one member of an archive; fewer if the archive has been cut short since."""
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)

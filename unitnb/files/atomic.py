"""Files written whole or not at all, whatever happens to the process or the disk meanwhile."""

import contextlib
import errno
import functools
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except (
    ImportError
):  # not on Windows: there nothing is locked, and nothing that a killed writer left is removed
    fcntl = None

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a full disk, a quota, a limit on the size of a file


class DiskFullError(OSError):
    """There is no room to write a file; what was written before is whole."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, with its ending, that takes its place when the block ends well.

    Nobody ever reads a half-written file: on an error the temporary file is removed and ``path`` stays as it was. What a process that
    was killed here left, the next to write in this folder removes.

    Raises
    ------
    DiskFullError
        Where there is no room; the text names the disk, how full it is, and what to do.
    """
    path = Path(path)
    with _room_for(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidied_once(path.parent)
        with _locked(path.parent), _temporary(path) as name, _room_for(path):
            yield Path(name)
            with open(name, "rb") as written:
                os.fsync(written.fileno())
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, path)


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[str]:
    stem, ending = path.name.split(".")[0], "".join(path.suffixes)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{_mark()}{stem[:40]}-", suffix=ending)
    os.close(handle)
    try:
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def _room_for(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM or isinstance(error, DiskFullError):
            raise
        raise DiskFullError(
            f"{path} could not be written ({error.strerror}); {_fullness(path)}; make room and run it again"
        ) from error


def _fullness(path: Path) -> str:
    """The disk that ``path`` lies on and how full it is, in words."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    disk = next(parent for parent in (folder, *folder.parents) if os.path.ismount(parent))
    usage = shutil.disk_usage(folder)
    return f"the disk at {disk} has {usage.free / 1e6:,.1f} MB free of {usage.total / 1e6:,.1f} MB"


# ---- what killed writers leave ----


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove what killed processes of this machine left half-written in ``folder``, and return its paths.

    Whoever writes holds a lock on the folder, which the system frees when he dies; while there is one, nothing is removed. No clock is
    asked, so that none can lie. What another machine left is left to its own processes: its locks may not be seen from here.
    """
    with _locked(folder, alone=True) as alone:
        found = sorted(Path(folder).glob(f"{_mark()}*")) if alone else []
        for path in found:
            path.unlink(missing_ok=True)
    return found


_tidied_once = functools.cache(remove_leftovers)


def _mark() -> str:
    """How the names of this machine's temporary files begin."""
    return f".writing-{re.sub(r'[^A-Za-z0-9]+', '-', platform.node())[:40]}-"


@contextlib.contextmanager
def _locked(folder: Path, alone: bool = False) -> Iterator[bool]:
    """Hold a folder's lock together with others, or, without waiting for them, ``alone``; whether it is held."""
    if fcntl is None:
        yield False
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        yield _lock(place, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    finally:
        os.close(place)


def _lock(place: int, kind: int) -> bool:
    try:
        fcntl.flock(place, kind)
    except OSError:  # somebody else has it, or this file system has no locks
        return False
    return True


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current

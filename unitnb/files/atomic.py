"""Files written whole or not at all, even if the process is killed or the disk fills up."""

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
except ImportError:  # on Windows; there nothing is locked, and leftovers of killed writers stay
    fcntl = None  # type: ignore[assignment]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a full disk, a quota, a limit on the size of a file


class DiskFullError(OSError):
    """The disk has no room for a file. Files written before are whole."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, with its ending, that replaces ``path`` when the block succeeds.

    Readers never see a half-written file. On an error the temporary file is removed and ``path`` is
    unchanged. The next process that writes to the folder removes the temporary files of killed ones.

    Raises
    ------
    DiskFullError
        If there is no room. The text names the disk, its free space, and what to do.
    """
    path = Path(path)
    with _room_for(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidied_once(path.parent)
        with locked(path.parent), _temporary(path) as name, _room_for(path):
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
    """The disk of ``path`` and its free space, in words."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    disk = next(parent for parent in (folder, *folder.parents) if os.path.ismount(parent))
    usage = shutil.disk_usage(folder)
    return f"the disk at {disk} has {usage.free / 1e6:,.1f} MB free of {usage.total / 1e6:,.1f} MB"


# ---- leftovers of killed writers ----


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove half-written files of killed processes of this machine from ``folder``; returns their paths.

    Writers share a folder lock that the operating system releases when they exit. While one is held nothing
    is removed. Ages of files play no part, so a wrong clock does no harm. Files of other machines stay: their
    locks may not be visible here.
    """
    with locked(folder, alone=True) as alone:
        found = sorted(Path(folder).glob(f"{_mark()}*")) if alone else []
        for path in found:
            path.unlink(missing_ok=True)
    return found


_tidied_once = functools.cache(remove_leftovers)


def _mark() -> str:
    """The prefix of this machine's temporary files."""
    return f".writing-{re.sub(r'[^A-Za-z0-9]+', '-', platform.node())[:40]}-"


@contextlib.contextmanager
def locked(folder: Path, alone: bool = False) -> Iterator[bool]:
    """Hold a folder's lock, shared with other writers or, without waiting, ``alone``.

    Yields whether it is held.
    """
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
    except OSError:  # another process holds it, or the file system has no locks
        return False
    return True


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current

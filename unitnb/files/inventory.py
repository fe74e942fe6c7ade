"""What lies in a folder of images or in a file, in a few numbers that are the same on every machine.

Standard library only: make asks before the environment exists.
"""

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

HASHED = 2**33  # bytes of a file that is hashed whole; of a larger one name and size count
# Folders and files that systems leave behind; those with a dot in front are others.
SYSTEM = ("__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found", "__pycache__")
QUIET = ("thumbs.db", "desktop.ini")


def is_left_behind(name: str) -> bool:
    """Whether a system leaves files or folders of this name among images.

    >>> [is_left_behind(name) for name in (".ipynb_checkpoints", "Thumbs.db", "cat")]
    [True, True, False]
    """
    return name.startswith(".") or name.lower() in (*SYSTEM, *QUIET)


def _files(folder: str, above: str = "", within: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """Every file below a folder: its path from there and its size in bytes. Links that lead back are left."""
    here = os.path.realpath(folder)
    if here in within:
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if is_left_behind(entry.name) or (entry.is_symlink() and not os.path.exists(entry.path)):
            continue
        if entry.is_dir():
            yield from _files(entry.path, f"{above}{entry.name}/", (*within, here))
        elif entry.is_file():
            yield f"{above}{entry.name}", entry.stat().st_size


@functools.cache
def inventory(path: Path) -> dict[str, str | int]:
    """The name of a folder, the number of files below it, and a digest (SHA-256) of their names and sizes.

    Of a single file, for instance an archive, its name, its size and the digest of its content. Empty if
    nothing is there.
    """
    if path.is_dir():
        sha, count = hashlib.sha256(), 0
        for name, size in _files(str(path)):
            sha.update(f"{name}\0{size}\n".encode("utf-8", "surrogateescape"))
            count += 1
        return {"name": path.name, "files": count, "names_and_sizes_sha256": sha.hexdigest()[:16]}
    if not path.is_file():
        return {}
    size = path.stat().st_size
    whole = {"sha256": _content(path)[:16]} if size <= HASHED else {}
    return {"name": path.name, "bytes": size, **whole}


def _content(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def quick_state(path: Path) -> str:
    """The same in one short text, of a file by its size and time, which takes no second."""
    if path.is_file():
        status = path.stat()
        return f"{status.st_size} bytes of {status.st_mtime_ns}"
    return (
        "{files} files, {names_and_sizes_sha256}".format(**found) if (found := inventory(path)) else "missing"
    )

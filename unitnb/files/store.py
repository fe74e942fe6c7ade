"""Results on disk: written atomically, addressed by their inputs, checked when read."""

import contextlib
import functools
import hashlib
import json
import os
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from .atomic import atomic_path
from .settings import DamagedFileError as DamagedFileError

SMALL, FAST = 6, 1  # levels of compression: of files that are kept, and of results that can be made again

# NumPy and zipfile raise these on bytes that are no archive of plain arrays (found by fuzzing).
_BAD_BYTES = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    tokenize.TokenError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    SyntaxError,
    RuntimeError,
    MemoryError,
)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_npz(
    path: Path, arrays: Mapping[str, np.ndarray], meta: Mapping | None = None, level: int = SMALL
) -> None:
    """Write named arrays and a JSON description, atomically and compressed, as ``np.savez_compressed`` does.

    The same content gives the same bytes. ``level`` is zlib's, from 1 (fast) to 9 (small).
    """
    entries: dict[str, Any] = {**arrays, "meta": np.array(json.dumps(meta or {}, sort_keys=True))}
    with (
        atomic_path(path) as temporary,
        ZipFile(temporary, "w", ZIP_DEFLATED, compresslevel=level) as archive,
    ):
        for name, array in entries.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


def read_npz(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays and the description that :func:`write_npz` wrote, checked by the CRC-32 sums of the archive.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DamagedFileError
        If it is cut short, altered, or no archive of plain arrays. The text names the file.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return arrays, json.loads(str(arrays.pop("meta")))
    except FileNotFoundError:
        raise
    except _BAD_BYTES as error:
        raise DamagedFileError(f"{path} is damaged ({error}); remove it and make it again") from error


def digest(*parts) -> str:
    """SHA-256, in hexadecimal, of arrays (shape, type and bytes) and of values that JSON can write.

    >>> digest(np.arange(3)) == digest(np.arange(3)), digest([1]) == digest(["1"])
    (True, False)
    """
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            sha.update(f"{part.shape}{part.dtype.str}".encode())
            sha.update(np.ascontiguousarray(part).data)
        else:
            sha.update(json.dumps(part, sort_keys=True, default=str).encode())
    return sha.hexdigest()


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal, remembered while its size and time stay the same."""
    status = Path(path).stat()
    return _file_digest(str(path), status.st_size, status.st_mtime_ns)


@functools.cache
def _file_digest(path, size, time):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_path(folder: Path, kind: str, key: Mapping) -> Path:
    """The path of the result that :func:`cached` keeps for a key."""
    return Path(folder) / f"{kind}-{digest(kind, key)[:20]}.npz"


def cached(
    folder: Path,
    kind: str,
    key: Mapping,
    compute: Callable[[], Mapping[str, np.ndarray]],
    alone: bool = False,
) -> dict[str, np.ndarray]:
    """The result of ``compute()``, read from disk if it was computed before for the same key.

    A damaged file is set aside as ``*.corrupt``, with a warning, and computed anew.

    Parameters
    ----------
    folder : folder of the results
    kind : first part of the file's name, for instance "shapes"
    key : everything that the result depends on, including the version of the code
    compute : returns named arrays
    alone : whether other processes wait while one computes a result of this kind in this folder, for work
        that takes all cores
    """
    path = cached_path(folder, kind, key)
    if (known := _stored(path)) is not None:
        return known
    with _process_lock(path.parent / f".{kind}.lock") if alone else contextlib.nullcontext():
        if alone and (known := _stored(path)) is not None:
            return known
        arrays = dict(compute())
        write_npz(path, arrays, dict(key), FAST)
    return arrays


def _stored(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a file; None if it is missing, or damaged and therefore set aside."""
    try:
        return read_npz(path)[0]
    except FileNotFoundError:
        return None
    except DamagedFileError as error:
        os.replace(path, path.with_suffix(".corrupt"))
        aside = path.with_suffix(".corrupt").name
        warnings.warn(f"{error}: set aside as {aside} and computed anew", stacklevel=3)
        return None


def _process_lock(lock: Path):
    """A lock between processes; the operating system releases it when its holder exits."""
    from filelock import FileLock

    lock.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(lock)

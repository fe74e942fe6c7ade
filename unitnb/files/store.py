"""Results on disk: written atomically, addressed by what they were computed from, checked when read."""

import contextlib
import hashlib
import json
import os
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from .atomic import atomic_path

# What NumPy and zipfile raise on bytes that are no archive of plain arrays, found by fuzzing.
_DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, tokenize.TokenError, ValueError, EOFError, OSError, LookupError, TypeError,
           AttributeError, SyntaxError, RuntimeError, MemoryError)  # fmt: skip


class DamagedFileError(ValueError):
    """A file that is cut short, altered, or not what its name says."""


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_npz(path: Path, arrays: Mapping[str, np.ndarray], meta: Mapping | None = None) -> None:
    """Write named arrays and a JSON description, atomically and compressed; the same content gives the same bytes."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays, meta=np.array(json.dumps(meta or {}, sort_keys=True)))


def read_npz(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays and the description that :func:`write_npz` wrote; every byte is checked (CRC-32 of the archive).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DamagedFileError
        If it is cut short, altered, or no archive of plain arrays; the text names the file.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return arrays, json.loads(str(arrays.pop("meta")))
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise DamagedFileError(f"{path} is damaged ({error}); remove it and make it again") from error


def digest(*parts) -> str:
    """SHA-256 of arrays (shape, type and bytes) and of anything that JSON can write."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            sha.update(f"{part.shape}{part.dtype.str}".encode())
            sha.update(np.ascontiguousarray(part).data)
        else:
            sha.update(json.dumps(part, sort_keys=True, default=str).encode())
    return sha.hexdigest()


def cached_path(folder: Path, kind: str, key: Mapping) -> Path:
    """Where ``cached`` keeps the result of a key."""
    return Path(folder) / f"{kind}-{digest(kind, key)[:20]}.npz"


def cached(
    folder: Path,
    kind: str,
    key: Mapping,
    compute: Callable[[], Mapping[str, np.ndarray]],
    alone: bool = False,
) -> dict[str, np.ndarray]:
    """``compute()``, or what it gave before for the same key.

    A damaged file is set aside as ``*.corrupt``, with a warning, and computed anew.

    Parameters
    ----------
    folder : where the results lie
    kind : what they are; the first part of the file's name
    key : everything the result depends on, the version of the code that makes it included
    compute : gives named arrays
    alone : whether only one process at a time computes results of this kind in this folder, while others wait for what it finds: for
        work that takes all cores
    """
    path = cached_path(folder, kind, key)
    if (known := _known(path)) is not None:
        return known
    with _turn(path.parent / f".{kind}.lock") if alone else contextlib.nullcontext():
        if alone and (known := _known(path)) is not None:
            return known
        arrays = dict(compute())
        write_npz(path, arrays, dict(key))
    return arrays


def _known(path: Path) -> dict[str, np.ndarray] | None:
    """What a whole file holds; None where there is none, or a damaged one, which is set aside."""
    try:
        return read_npz(path)[0]
    except FileNotFoundError:
        return None
    except DamagedFileError as error:
        os.replace(path, path.with_suffix(".corrupt"))
        warnings.warn(
            f"{error}: set aside as {path.with_suffix('.corrupt').name} and computed anew", stacklevel=3
        )
        return None


def _turn(lock: Path):
    """A lock between processes; the system frees it where its holder dies."""
    from filelock import FileLock

    lock.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(lock)

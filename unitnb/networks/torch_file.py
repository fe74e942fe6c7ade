"""Weights in PyTorch's file format before 1.6, read without PyTorch and without running a pickle's code.

The file is five pickles: a magic number, the protocol 1001, the writer's system, the state dict, and the keys
of the storages. For each key an int64 count and as many little-endian values follow. A tensor in the state
dict names its storage, and its place in it by strides.
"""

import collections
import hashlib
import io
import math
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..files import store

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}  # of the module ``torch``


class _Storage(NamedTuple):
    """A stretch of values that tensors are views of."""

    key: str
    dtype: str
    n_values: int


class _Tensor(NamedTuple):
    """A tensor whose values stand further on in the file; ``offset`` and ``strides`` count values."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """An unpickler that knows four names, none of which does more than make a record; others are errors."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.tensor  # a bound method: a pickle cannot set attributes on it
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(
            f"it asks for '{module}.{name}', which no file of weights needs and which is not run"
        )

    def tensor(self, storage, offset, shape, strides, *_) -> _Tensor:
        return _Tensor(storage, offset, shape, strides)

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, count, view = pid
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"expected a whole storage, it names {pid!r:.100}")
        return _Storage(key, dtype, count)


def read_torch_file(path: Path, sha256: str | None = None) -> dict[str, np.ndarray]:
    """The tensors of a state dict by name: float32 or int64 arrays in the shapes that PyTorch shows.

    Parameters
    ----------
    path : the file
    sha256 : what the file's SHA-256 must be, in hexadecimal, or None for any file
        It is compared before anything is unpickled.

    Raises
    ------
    DamagedFileError
        If the hash differs, or the file is cut short, altered, of another format, or asks for a name beyond
        the four.
    """
    content = Path(path).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if sha256 and found != sha256:
        raise store.DamagedFileError(f"{path} has sha256 {found} ({len(content):,} bytes), expected {sha256}")
    try:
        return _tensors(io.BytesIO(content))
    except Exception as error:  # pickle raises whatever a damaged file makes it stumble over
        raise store.DamagedFileError(
            f"{path} is no whole file of PyTorch's format before 1.6 ({type(error).__name__}: {error})"
        ) from error


def _tensors(file: io.BytesIO) -> dict[str, np.ndarray]:
    if (head := [_load(file), _load(file)]) != [MAGIC, PROTOCOL]:
        raise ValueError(f"it begins with {head!r:.100}, expected {[MAGIC, PROTOCOL]}")
    _expect(_load(file), dict, "the system")
    state = _expect(_load(file), collections.OrderedDict, "the state dict")
    records = {_expect(name, str, "a name"): _expect(state[name], _Tensor, name) for name in state}
    declared = {record.storage.key: record.storage for record in records.values()}
    keys = _expect(_load(file), list, "the keys")
    if sorted(keys) != sorted(declared):
        raise ValueError(f"it lists {len(keys)} storages, and its tensors name {len(declared)} others")
    values = {key: _values(file, declared[key]) for key in keys}
    if surplus := len(file.read()):
        raise ValueError(f"{surplus:,} bytes follow the last storage")
    return {name: _view(values[record.storage.key], name, record) for name, record in records.items()}


def _load(file: io.BytesIO) -> Any:
    return _Unpickler(file).load()


def _expect(item: Any, kind: type, what: str) -> Any:
    if type(item) is not kind:
        raise ValueError(f"{what} is of type {type(item).__name__}, expected {kind.__name__}")
    return item


def _values(file: io.BytesIO, storage: _Storage) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    if count != storage.n_values:
        raise ValueError(f"storage {storage.key} has {count:,} values, expected {storage.n_values}")
    dtype = np.dtype(storage.dtype)
    content = file.read(count * dtype.itemsize)
    if len(content) < count * dtype.itemsize:
        raise ValueError(f"it ends within storage {storage.key}, after {len(content):,} bytes of it")
    return np.frombuffer(content, dtype)


def _view(values: np.ndarray, name: str, record: _Tensor) -> np.ndarray:
    """A copy of the strided view, which lies within its storage and is no larger than it."""
    offset, shape, strides = record.offset, record.shape, record.strides
    numbers = [offset, *shape, *strides]
    if len(shape) != len(strides) or any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError(f"'{name}' has offset {offset}, shape {shape} and strides {strides}")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if 0 in shape or math.prod(shape) > len(values) or last >= len(values):
        raise ValueError(f"'{name}' of shape {shape} does not fit its storage of {len(values):,} values")
    steps = [step * values.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(values[offset:], shape, steps, writeable=False).copy()

"""Settings from YAML files, checked against the fields of a dataclass, and names that are safe in paths.

Standard library only at import: the profiles are read before the environment exists.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args

from .ranges import check_ranges

ENGINE_DEVICE = "UNITNB_ENGINE_DEVICE"  # one of ranges.ENGINE_DEVICES


class DamagedFileError(ValueError):
    """A file is cut short, altered, or of another kind than its name says."""


def nearest(name: object, known: Iterable) -> str:
    """The end of an error text about an unknown name: the most similar known name, and all known names.

    >>> nearest("shape", ["shapes", "cifar10"])
    "did you mean 'shapes'? known: shapes, cifar10"
    """
    names = [str(item) for item in known]
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    meant = f"did you mean '{close[0]}'? " if close else ""
    return f"{meant}known: {', '.join(names) or 'none'}"


def checked_name(name: Any, kind: str) -> str:
    """``name`` if it can be part of a file's name.

    Raises
    ------
    ValueError
        For a path, a hidden name, a control character or more than 100 characters.
    """
    plain = isinstance(name, str) and re.fullmatch(r"[^\W_][^/\\\x00-\x1f\x7f]{0,99}", name)
    if not plain or ".." in name:
        expected = "expected up to 100 characters, a letter or digit first, without '/', '\\' or '..'"
        raise ValueError(f"{name!r} is no name of a {kind}: {expected}")
    return name


def class_folder(target_class: str) -> str:
    """The name of a class's folder of figures and runs: make knows no spaces."""
    return target_class.replace(" ", "_")


def read_settings(files: Mapping[str, Path], name: str) -> dict:
    """The settings of one of several files, over those of the file that it names as its ``base``.

    Raises
    ------
    ValueError
        If a file is no plain YAML mapping, or its base is unknown.
    """
    own = dict(_read_yaml(files[name]))
    base = own.pop("base", None)
    if base is None:
        return own
    if not isinstance(base, str) or base not in files or base == name:
        raise ValueError(f"{files[name]}: unknown base '{base}': {nearest(base, files)}")
    return {**_read_yaml(files[base]), **own}


def _read_yaml(path: Path) -> Mapping:
    """The content of a file of plain YAML; tags that would create objects are refused."""
    import yaml

    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read as plain YAML: {error}") from error
    if not isinstance(settings, Mapping):
        raise ValueError(f"{path}: expected names and values, got {type(settings).__name__}")
    return settings


def checked_settings(cls: type, settings: Any, where: str, ranges: Mapping | None = None) -> dict:
    """Settings as arguments of a dataclass: only its fields, each of the type that it declares.

    Parameters
    ----------
    ranges : by field, the least and the greatest number that it may be, both included

    Raises
    ------
    ValueError
        For an unknown key, or a value of another type or out of its range. The text begins with ``where``.
    """
    if not isinstance(settings, Mapping):
        raise ValueError(f"{where}: expected names and values, got {type(settings).__name__} {settings!r}")
    types = {f.name: f.type for f in fields(cls)}
    for key in settings:
        if key not in types:
            raise ValueError(f"{where}: unknown key '{key}': {nearest(key, types)}")
    found = {key: _converted(value, types[key], f"{where}: {key}") for key, value in settings.items()}
    check_ranges(found, ranges or {}, where)
    return found


def _converted(value: Any, kind: Any, where: str) -> Any:
    if kind == tuple[int, ...]:
        if (
            not isinstance(value, (list, tuple))
            or not all(type(i) is int and i > 0 for i in value)
            or not value
        ):
            raise ValueError(f"{where}: expected a list of positive whole numbers, got {value!r}")
        return tuple(value)
    if isinstance(kind, UnionType):  # a type or None
        if value is None:
            return None
        kind = next(part for part in get_args(kind) if part is not NoneType)
    if kind in (int, float, str, bool):
        accepted = (int, float) if kind is float else kind
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            quotes = "; put it in quotes" if kind is str else ""
            raise ValueError(f"{where}: expected {_WORDS[kind]}, got {value!r}{quotes}")
        return kind(value)
    if getattr(kind, "__origin__", None) is Mapping and not isinstance(value, Mapping):
        raise ValueError(f"{where}: expected names and values, got {value!r}")
    return value


_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def named_settings(pairs: Iterable[str]) -> dict:
    """``name=value`` pairs, as a command is given them, as settings; values are read as YAML.

    Raises
    ------
    ValueError
        If a pair has no name or no value.
    """
    import yaml

    split = [pair.partition("=") for pair in pairs]
    for name, equals, value in split:
        if not (name and equals and value):
            raise ValueError(f"setting '{name}{equals}{value}': expected name=value, for instance n_rank=60")
    return {name: yaml.safe_load(value) for name, _, value in split}


def choose_engine_device(setting: str) -> None:
    """Let this process and its children compute curves where a profile's ``engine_device`` says; "auto"
    leaves it as it is.
    """
    if setting != "auto":
        os.environ[ENGINE_DEVICE] = setting

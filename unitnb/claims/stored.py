"""What a record of claims may hold: numbers by name, an interval, a reason, and the same for each class."""

import math
from collections.abc import Mapping
from typing import Any

NEVER = "never"  # stands for infinity: a threshold that is not reached
RECORDED: dict[str, Any] = {"measured": {}, "interval": None, "reason": ""}
SINGLE = ("seeds", "random orders beaten")  # numbers that are added or compared, never lists


def recorded(entry: Mapping) -> dict:
    """What a notebook measured, of an entry of ``claims.json``; records of older versions have no classes.

    Raises
    ------
    KeyError, TypeError
        If a part is missing or of another kind. The text names the claim and the part.
    """
    classes = entry.get("classes") or {}
    if not isinstance(classes, dict):
        raise TypeError(f"{entry['id']}: classes: expected names and numbers, got {classes!r}")
    of_class = {name: _part(found, f"{entry['id']}, {name}") for name, found in classes.items()}
    return {**_part(entry, entry["id"]), "classes": of_class}


def _part(found: Mapping, where: str) -> dict:
    if not isinstance(found, dict):
        raise TypeError(f"{where}: expected numbers, got {found!r}")
    measured, interval, reason = (found[name] for name in RECORDED)
    if not isinstance(measured, dict):
        raise TypeError(f"{where}: the numbers have no names")
    for name, value in measured.items():
        if not (_is_number(value) or (_are_numbers(value) and name not in SINGLE)):
            raise TypeError(f"{where}: {name}: expected a number, got {value!r}")
    if interval is not None and not (_are_numbers(interval) and len(interval) == 2):
        raise TypeError(f"{where}: interval: expected two numbers, got {interval!r}")
    if not isinstance(reason, str):
        raise TypeError(f"{where}: reason: expected a text, got {reason!r}")
    return {"measured": measured, "interval": interval, "reason": reason}


def _is_number(value) -> bool:
    """A finite number, or the word that stands for infinity."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return math.isfinite(value)
    return value == NEVER


def _are_numbers(value) -> bool:
    return isinstance(value, list) and all(_is_number(item) for item in value)

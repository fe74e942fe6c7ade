"""Whether two texts say the same: equal words, and numbers that agree within a tolerance.

For tables in CSV or Markdown and for records in JSON, whatever their columns are.
"""

import re
from itertools import zip_longest
from pathlib import Path

TOLERANCE = 1e-5  # relative and absolute: processors round differently, by up to 3e-6 in maps
# A number that is no part of a word, a version, a date or a hexadecimal digest.
NUMBER = re.compile(r"(?<![\w.#-])[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w-]|\.\w)")


def differences(stored: str, new: str, tolerance: float = TOLERANCE) -> list[tuple[int, str, str]]:
    """The lines that differ: their number from 1, the stored line and the new one, "" for none.

    Two numbers agree if they differ by at most ``tolerance * (1 + |stored|)``. Whole numbers must be equal.

    >>> differences("x,0.5\\ny,3", "x,0.500001\\ny,4")
    [(2, 'y,3', 'y,4')]
    """
    pairs = zip_longest(stored.splitlines(), new.splitlines(), fillvalue="")
    return [
        (number, old, now)
        for number, (old, now) in enumerate(pairs, start=1)
        if old != now and not _lines_agree(old, now, tolerance)
    ]


def agrees(path: Path, new: str, tolerance: float = TOLERANCE) -> bool:
    """Whether a file is there and says the same as a text."""
    try:
        stored = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    return not differences(stored, new, tolerance)


def _lines_agree(stored: str, new: str, tolerance: float) -> bool:
    if NUMBER.sub("0", stored) != NUMBER.sub("0", new):
        return False
    return all(
        _numbers_agree(*pair, tolerance)
        for pair in zip(NUMBER.findall(stored), NUMBER.findall(new), strict=True)
    )


def _numbers_agree(stored: str, new: str, tolerance: float) -> bool:
    if stored == new:
        return True
    if stored.lstrip("+-").isdigit() and new.lstrip("+-").isdigit():
        return int(stored) == int(new)
    return abs(float(stored) - float(new)) <= tolerance * (1 + abs(float(stored)))

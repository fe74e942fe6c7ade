"""Words and tables of the reports: Markdown, shares, indexed names."""

from collections.abc import Sequence

import numpy as np


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table.

    >>> table(["a", "b"], [[1, "x"]])
    '| a | b |\\n| --- | --- |\\n| 1 | x |'
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def percent(share: float) -> str:
    """A share of the units as text; "never" for infinity, a threshold that is not reached.

    >>> percent(0.25), percent(float("inf"))
    ('25%', 'never')
    """
    return f"{share:.0%}" if np.isfinite(share) else "never"


def index_text(name: str) -> str:
    """``IR_100`` as mathematics; a plain name as it is.

    >>> index_text("IR_100"), index_text("mean rank")
    ('$IR_{100}$', 'mean rank')
    """
    letters, _, index = name.partition("_")
    return f"${letters}_{{{index}}}$" if index else name


def interval_text(interval: Sequence[float]) -> str:
    """A (mean, low, high) to two digits, without a minus before a zero.

    >>> interval_text((-0.001, -0.25, 0.123))
    '+0.00 [-0.25, +0.12]'
    """
    mean, low, high = (f"{round(value, 2) + 0:+.2f}" for value in interval)
    return f"{mean} [{low}, {high}]"


def steps_label(words: str, curve) -> str:
    """Words for an axis of units; of a filled curve, with the number of its points that were evaluated."""
    return words if curve.evaluated is None else f"{words}\n({len(curve.evaluated)} points)"


def points_note(curve) -> str:
    """A paragraph for a table that was read off a filled curve; empty where all its points were evaluated."""
    if curve.evaluated is None:
        return ""
    points = f"{len(curve.evaluated)} of its {len(curve.points)} points"
    return f"\n\nEach curve was evaluated at {points}; between them it is read off straight lines."

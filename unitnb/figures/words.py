"""Words and tables of the reports: Markdown, shares, indexed names."""

from collections.abc import Sequence

import numpy as np


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def percent(share: float) -> str:
    """A share of the units as text; ``"never"`` for infinity, which stands for a threshold that is not reached."""
    return f"{share:.0%}" if np.isfinite(share) else "never"


def index_text(name: str) -> str:
    """``IR_100`` as mathematics; a plain name as it is."""
    letters, _, index = name.partition("_")
    return f"${letters}_{{{index}}}$" if index else name

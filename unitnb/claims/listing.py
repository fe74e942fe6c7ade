"""``CRITERIA.md``: every criterion in words, with the day on which it last changed, from the code.

``python -m unitnb.claims.listing`` writes it anew. A test holds that file and code agree. Git tells whether a
criterion was there before a run's ``claims.json``: the file cannot.
"""

from pathlib import Path

from ..figures.words import table
from .criteria import CLAIMS

PATH = Path(__file__).with_name("CRITERIA.md")
ABOUT = (
    "The criteria by which the paper's claims are judged, made from the code beside this file by "
    "`python -m unitnb.claims.listing`. The day is that of a criterion's last change. Criteria of the first "
    "day were written together with their first measurement; those that changed did so for the reasons in "
    "`CHANGELOG.md`, which gives the verdicts before and after. The history of this file shows what changed."
)


def criteria_document() -> str:
    """The Markdown of ``CRITERIA.md``."""
    header = ["claim", "what the paper says", "measured", "holds if", "could not fail", "since"]
    rows = [[c.id, c.statement, c.measure, c.criterion, c.construction, c.changed] for c in CLAIMS]
    return f"# Criteria\n\n{ABOUT}\n\n{table(header, rows)}\n"


if __name__ == "__main__":
    PATH.write_text(criteria_document(), encoding="utf-8")

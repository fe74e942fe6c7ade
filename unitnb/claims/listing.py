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
    "`python -m unitnb.claims.listing`. The day is that of a criterion's last change. Those of a later day "
    "than the first changed after their claims had been measured, for the reasons in `CHANGELOG.md`, which "
    "gives the verdicts before and after. What was written before what can be checked in the history of this "
    "file and of each run's `claims.json`, and no further back than that."
)


def criteria_document() -> str:
    """The Markdown of ``CRITERIA.md``."""
    header = ["claim", "what the paper says", "measured", "holds if", "could not fail", "since"]
    rows = [[c.id, c.statement, c.measure, c.criterion, c.construction, c.changed] for c in CLAIMS]
    return f"# Criteria\n\n{ABOUT}\n\n{table(header, rows)}\n"


if __name__ == "__main__":
    PATH.write_text(criteria_document(), encoding="utf-8")

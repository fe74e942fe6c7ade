"""A claim of the paper as data, the four verdicts, and the grades that a criterion gives.

A criterion sees the measured numbers by name, ``r["units"]``, and ``r["interval"]``. "never", a threshold
that is not reached, is infinity. A claim holds in part where only some conditions of its criterion are met,
or where only some of the seeds meet it. Each criterion was fixed before its measurement.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

HOLDS, HOLDS_IN_PART, FAILS = "holds", "holds in part", "does not hold"
NOT_MEASURED = "not measured here"
VERDICTS = (HOLDS, HOLDS_IN_PART, FAILS, NOT_MEASURED)
SEEDS = 3  # trained networks that a claim about models or training needs at least
METHOD, TRAINING, ABLATION = "01_method", "02_training", "03_ablation"  # notebooks
STABILITY, ROLES, CONTROLS = "04_stability", "05_roles", "06_controls"
SIMPLIFICATION = "07_simplification"


@dataclass(frozen=True)
class Claim:
    """One claim of the paper and how it is judged here.

    Attributes
    ----------
    id : "C01" and so on
    place : where the paper says it, for instance "Fig. 3A"; [ICLR] is the paper's later version,
        [ours] a claim that the paper leads to and does not state
    statement, paper : what the paper says, and the number it gives
    measure, criterion : what is measured here, and the condition under which the claim holds
    notebook, figure : the notebook that measures it, without its ending; the file that shows it, or ""
    judge : the criterion as code, from the measured numbers by name to one of ``VERDICTS``
    seeds : training seeds that it needs at least
    """

    id: str
    place: str
    statement: str
    paper: str
    measure: str
    criterion: str
    notebook: str
    figure: str
    judge: Callable[[Mapping], str]
    seeds: int = 0


def grade(*met) -> str:
    """The verdict from the conditions of a criterion: all, none, or some are met.

    >>> grade(True, True), grade(True, False), grade(False)
    ('holds', 'holds in part', 'does not hold')
    """
    return HOLDS if all(met) else HOLDS_IN_PART if any(met) else FAILS


def grade_if(necessary, *met) -> str:
    """As ``grade``, but the claim fails without the first condition.

    >>> grade_if(True, False), grade_if(False, True)
    ('holds in part', 'does not hold')
    """
    return grade(necessary, *met) if necessary else FAILS


def positive(values: Iterable[float]) -> bool:
    """Whether every value is above 0."""
    return min(values) > 0


def negative(values: Iterable[float]) -> bool:
    """Whether every value is below 0."""
    return max(values) < 0

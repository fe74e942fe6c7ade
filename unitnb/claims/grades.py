"""A claim of the paper as data, the six verdicts, and the grades that a criterion gives.

A criterion sees the measured numbers by name, ``r["units"]``, and ``r["interval"]``. "never", a threshold
that is not reached, is infinity. A claim holds in part where only some conditions of its criterion are met,
or where only some of the seeds meet it. ``CRITERIA.md`` lists the criteria with the day of their last change.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

HOLDS, HOLDS_IN_PART, FAILS = "holds", "holds in part", "does not hold"
BY_CONSTRUCTION = "by construction"  # true by definition or mathematics: no measurement could refute it
ONE_TRAINING = "one training only"  # measured, on fewer training seeds than the criterion asks for
NOT_MEASURED = "not measured"
VERDICTS = (HOLDS, HOLDS_IN_PART, FAILS, BY_CONSTRUCTION, ONE_TRAINING, NOT_MEASURED)
SEEDS = 3  # trained networks that a claim about models or training needs at least
METHOD, TRAINING, ABLATION = "01_method", "02_training", "03_ablation"  # notebooks
STABILITY, ROLES, CONTROLS = "04_stability", "05_roles", "06_controls"
SIMPLIFICATION = "07_simplification"
FIRST = "2026-11-25"  # of the criteria that have not changed since the first version


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
    effect : name of the number that tells how large the effect is
    resampled : what the interval resamples, or why there is none
    seeds : training seeds that it needs at least
    construction : why the claim, or a part of it, could not fail; "" where all of it can. Only what can fail
        is judged, and a claim of which nothing can is true by construction.
    changed : day of the criterion's last change
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
    effect: str
    resampled: str
    seeds: int = 0
    construction: str = ""
    changed: str = FIRST


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


def by_construction(*met) -> str:
    """The verdict of a claim that could not fail: only an error in the code would give another.

    >>> by_construction(True), by_construction(False)
    ('by construction', 'does not hold')
    """
    return BY_CONSTRUCTION if all(met) else FAILS


def positive(values: Iterable[float]) -> bool:
    """Whether every value is above 0."""
    return min(values) > 0


def negative(values: Iterable[float]) -> bool:
    """Whether every value is below 0."""
    return max(values) < 0

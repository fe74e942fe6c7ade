"""What goes with the causal reference, the loss that a unit's removal costs (beside Sec. 2.2), over units."""

import numpy as np
from scipy.stats import spearmanr

from ..units.entropy import feature_entropy, selective_rate
from .comparison import partial_spearman
from .scores import CAUSAL, PAPER


def part_correlations(births, scores, p=0.1) -> dict[str, float]:
    """Spearman correlations of E and its parts with single ablation, -1 to 1.

    Over units with a rate of at least p and an entropy above 0. The last has the rate partialled out.
    ``births`` are (n, units), ``scores`` (units,) by name, of ``rival_scores``.
    """
    counted = _counted(births, p)
    rate, inverse = selective_rate(births)[counted], 1 / feature_entropy(births)[counted]
    parts = {"E": scores[PAPER][counted], "rate": rate, "1/H": inverse}
    causal = scores[CAUSAL][counted]
    found = {name: _spearman(values, causal) for name, values in parts.items()}
    return found | {"1/H given the rate": partial_spearman(inverse, causal, rate)}


def score_correlations(births, scores, p=0.1) -> dict[str, float]:
    """As ``part_correlations`` over the same units, by score; NaN where a score is the same for all."""
    counted = _counted(births, p)
    return {name: _spearman(values[counted], scores[CAUSAL][counted]) for name, values in scores.items()}


def _counted(births, p):
    return (selective_rate(births) >= p) & (feature_entropy(births) > 0)


def _spearman(first, second) -> float:
    constant = any(len(np.unique(values)) < 2 for values in (first, second))
    return float("nan") if constant else float(spearmanr(first, second).statistic)

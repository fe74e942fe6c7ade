"""Relations over many models: what may tell the generalisation gap, and rank correlations with intervals."""

import numpy as np
from scipy.stats import spearmanr

from ..ablation.held_out import slope_after
from ..controls.comparison import spearman
from ..units.intervals import drawn_places, interval


def overfitting_signs(results) -> dict[str, np.ndarray]:
    """Means over classes, (m,): the gap, and what may tell it from training images alone.

    ``gap`` is training minus test accuracy of the whole layer; ``slope`` the change of training accuracy
    after the core that the training curve shows (``head``); ``train_accuracy`` and ``train_loss`` (nats) are
    of the whole layer, and trivial predictors.
    """
    train, test, head = (results[name] for name in ("train", "test", "head"))
    slopes = [
        [slope_after(t, h) for t, h in zip(*pair, strict=True)] for pair in zip(train, head, strict=True)
    ]
    return {
        "gap": (train - test)[..., -1].mean(axis=1),
        "slope": np.mean(slopes, axis=1),
        "train_accuracy": train[..., -1].mean(axis=1),
        "train_loss": results["train_loss"].mean(axis=1),
    }


def spearman_text(x, y) -> str:
    """:func:`spearman_interval` in words, for a table of facts.

    >>> spearman_text([1.0, 2.0], [3.0, 4.0])
    'too few models for a correlation: 2'
    """
    rho, low, high, p_value = spearman_interval(x, y)
    if np.isnan(rho):
        return f"too few models for a correlation: {len(x)}"
    return f"Spearman {rho:+.1f} ({low:+.1f} to {high:+.1f}), {'p < 0.05' if p_value < 0.05 else 'p > 0.05'}"


def spearman_interval(x, y, n_boot=2000, seed=0) -> tuple[float, float, float, float]:
    """Spearman's rank correlation, its 95% interval over resampled pairs, and its p-value (two-sided).

    Draws in which one side has a single value have no correlation and are left out of the interval. Of fewer
    than three pairs, all four numbers are NaN.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 3:
        return (float("nan"),) * 4
    rho, p_value = spearmanr(x, y)
    draws = drawn_places(len(x), n_boot, np.random.default_rng(seed))
    low, high = interval(spearman(x[draws], y[draws])).ends
    return float(rho), low, high, float(p_value)


def spearman_difference(x, rival, y, n_boot=2000, seed=0) -> tuple[float, float, float]:
    """How much more strongly ``x`` than its rival correlates with ``y`` by ranks, and its 95% interval.

    The items are resampled together. Draws without a correlation are left out; of fewer than three items all
    numbers are NaN.
    """
    x, rival, y = (np.asarray(values, float) for values in (x, rival, y))
    if len(x) < 3:
        return (float("nan"),) * 3
    drawn = drawn_places(len(x), n_boot, np.random.default_rng(seed))
    draws = spearman(x[drawn], y[drawn]) - spearman(rival[drawn], y[drawn])
    more = spearmanr(x, y).statistic - spearmanr(rival, y).statistic
    return float(more), *interval(draws).ends

"""Every interval of the project: resampling draws, quantiles of draws, standard errors, paired bootstraps.

A draw is one value of a statistic on resampled data. An interval is the percentile interval of draws, between
their (1 - level) / 2 and (1 + level) / 2 quantiles (Efron and Tibshirani 1993, Sec. 13.3). A draw that is NaN
has no value. It is left out, and ``Interval.undefined`` counts it. Functions that draw take a random
generator or a seed from the caller.

``drawn_places`` serves statistics of resampled pairs, ``drawn_counts`` serves curves, whose images carry
weights. ``rate_error``, ``mean_and_sd`` and ``z_scores`` serve the null models.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.95
Z_95 = 1.96  # half the width, in standard errors, of a normal interval at LEVEL
LEAST_SPREAD = 1e-12  # a standard deviation up to this is rounding: a z-score by it has no meaning


class Interval(NamedTuple):
    """Two ends and the number of draws without a value; arrays where each draw is an array."""

    low: float
    high: float
    undefined: int

    @property
    def ends(self) -> tuple[float, float]:
        """(low, high)."""
        return self.low, self.high


def interval(draws, level=LEVEL, axis=0, method="linear") -> Interval:
    """Percentile interval that holds ``level`` of the draws along ``axis``.

    Parameters
    ----------
    draws : array
        Values of a statistic on resampled data. NaN are left out.
    level : float between 0 and 1
        Share of the draws inside; the rest is split evenly between the two tails.
    method : "linear" or "inner"
        "linear" interpolates between neighbouring draws (NumPy's default). "inner" takes whole draws: it
        skips floor(n (1 - level) / 2) of them at each end. Draws of a number of units need it, because some
        are infinite and nothing lies between two infinite draws.

    Returns
    -------
    Interval
        ``low`` and ``high`` are NaN where no draw has a value.

    Raises
    ------
    ValueError
        If there are no draws, the level is not between 0 and 1, or the method is unknown.

    >>> interval(np.arange(101))
    Interval(low=2.5, high=97.5, undefined=0)
    >>> interval([1.0, 2.0, np.inf, np.inf, np.nan], level=0.5, method="inner")
    Interval(low=2.0, high=inf, undefined=1)
    """
    draws = np.moveaxis(np.asarray(draws, float), axis, 0)
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; expected a share between 0 and 1, such as 0.95")
    if method not in ("linear", "inner"):
        raise ValueError(f"method is {method!r}; expected 'linear' or 'inner'")
    if not len(draws):
        raise ValueError("no draws; an interval needs at least one")
    tail = round((1 - level) / 2, 12)  # 0.025 to the bit
    undefined = np.isnan(draws).sum(axis=0)
    low, high = (_linear_ends if method == "linear" else _inner_ends)(draws, undefined, tail)
    if draws.ndim == 1:
        return Interval(float(low), float(high), int(undefined))
    return Interval(low, high, undefined)


def _linear_ends(draws, undefined, tail):
    if not undefined.any():
        return np.quantile(draws, (tail, 1 - tail), axis=0)
    ends = np.full((2, *draws.shape[1:]), np.nan)
    some = undefined < len(draws)
    ends[:, some] = np.nanquantile(draws[:, some], (tail, 1 - tail), axis=0)
    return ends


def _inner_ends(draws, undefined, tail):
    ordered, defined = np.sort(draws, axis=0), len(draws) - undefined  # NaN stand last
    skipped = np.floor(tail * defined + 1e-9).astype(int)
    places = np.stack([skipped, np.maximum(defined - 1 - skipped, 0)])
    return np.take_along_axis(ordered, places, axis=0)


# ---- draws ----


def drawn_places(n, n_draws, rng) -> np.ndarray:
    """Bootstrap samples as places: (n_draws, n) int, each 0 to n - 1, drawn with replacement.

    >>> drawn_places(1, 2, np.random.default_rng(0)).tolist()
    [[0], [0]]
    """
    return rng.integers(n, size=(n_draws, n))


def drawn_counts(n, n_draws, rng) -> np.ndarray:
    """Bootstrap samples as counts: how often each of n items is drawn, (n_draws, n) int. A row adds up to n.

    >>> drawn_counts(3, 2, np.random.default_rng(0)).sum(axis=1).tolist()
    [3, 3]
    """
    return rng.multinomial(n, np.full(n, 1 / n), n_draws)


def resampled_means(values, n_draws, rng) -> np.ndarray:
    """Means (n_draws,) of bootstrap samples of ``values`` (n,).

    Their standard deviation tends to sd(values) / sqrt(n), with ddof 0.
    """
    values = np.asarray(values, float)
    return values[drawn_places(values.size, n_draws, rng)].mean(axis=1)


# ---- means and their errors ----


def mean_interval(values, n_boot=1000, seed=0, level=LEVEL) -> tuple[float, float, float]:
    """Mean of one number a class, and its interval from resampled classes: (mean, low, high).

    Values that are not finite are left out. All three are NaN without a finite value, and equal with a single
    one.

    >>> mean_interval([0.25, np.nan])
    (0.25, 0.25, 0.25)
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not values.size:
        return (float("nan"),) * 3
    draws = resampled_means(values, n_boot, np.random.default_rng(seed))
    return (float(values.mean()), *interval(draws, level).ends)


def standard_error(values, axis=0) -> np.ndarray:
    """Standard error of a mean, sd / sqrt(n) with ddof 1, along ``axis``; at least two values.

    >>> float(standard_error([1.0, 3.0]))
    1.0
    """
    values = np.asarray(values, float)
    if values.shape[axis] < 2:
        raise ValueError(f"{values.shape[axis]} values; a standard error needs at least two")
    return values.std(axis=axis, ddof=1) / np.sqrt(values.shape[axis])


def rate_error(chances, axis=0) -> np.ndarray:
    """Standard deviation of the rate of n independent events, each with a chance of its own, along ``axis``.

    sqrt(sum p (1 - p)) / n. With equal chances it is the binomial sqrt(p (1 - p) / n).

    >>> float(rate_error([0.5, 0.5, 0.5, 0.5]))
    0.25
    """
    chances = np.asarray(chances, float)
    return np.sqrt((chances * (1 - chances)).sum(axis=axis)) / chances.shape[axis]


def mean_and_sd(values) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (ddof 1) over axis 0 of the finite values.

    The mean of no value is NaN, and so is the standard deviation of fewer than two.

    >>> [float(v) for v in mean_and_sd(np.array([1.0, 3.0, np.nan]))]
    [2.0, 1.4142135623730951]
    """
    known = np.isfinite(values)
    count = known.sum(axis=0)
    mean = _ratio_or_nan(np.where(known, values, 0).sum(axis=0), count)
    variance = _ratio_or_nan((np.where(known, values - mean, 0) ** 2).sum(axis=0), count - 1)
    return mean, np.sqrt(variance)


def z_scores(values, mean, sd) -> np.ndarray:
    """(values - mean) / sd; NaN where the sd is 0, unknown, or no more than rounding.

    >>> z_scores(np.array([3.0, 3.0]), np.array([1.0, 3.0]), np.array([2.0, 0.0]))
    array([ 1., nan])
    """
    return _ratio_or_nan(np.asarray(values) - mean, sd)


def _ratio_or_nan(value, by):
    return np.divide(value, by, out=np.full(np.shape(value), np.nan), where=np.asarray(by) > LEAST_SPREAD)


# ---- paired differences over classes and images ----


def class_mean(groups: Sequence) -> float:
    """Mean over groups of the mean over images.

    >>> class_mean([[1.0, 1.0, 1.0], [0.0]])
    0.5
    """
    return float(np.mean([np.mean(group) for group in groups]))


def paired_bootstrap(values, n_boot=1000, seed=0, level=LEVEL) -> tuple[float, float, float]:
    """Mean over classes of :func:`class_mean`, and its interval from resampled classes and images.

    The three numbers are (mean, low, high).

    Parameters
    ----------
    values : list, by class, of lists, by group, of (images,) arrays
        Differences of two scores on the same images, for instance: pairing is by subtraction before the call.
    n_boot, seed : int
        Each bootstrap draws as many classes with replacement and, for each class drawn, its images anew
        within each group.

    >>> paired_bootstrap([[np.array([0.25, 0.25])], [np.array([0.25])]])
    (0.25, 0.25, 0.25)
    """
    drawn = drawn_places(len(values), n_boot, np.random.default_rng(seed))
    means = np.empty(drawn.shape)
    for c, groups in enumerate(values):
        here = drawn == c
        shares = [_drawn_shares(len(group), int(here.sum()), seed, c, g) for g, group in enumerate(groups)]
        means[here] = np.mean([share @ group for share, group in zip(shares, groups, strict=True)], axis=0)
    return (
        float(np.mean([class_mean(groups) for groups in values])),
        *interval(means.mean(axis=1), level).ends,
    )


@functools.lru_cache(maxsize=128)
def _drawn_shares(n, n_draws, *seed):
    # Cached, as all comparisons of scores share these draws.
    return drawn_counts(n, n_draws, np.random.default_rng(seed)) / n

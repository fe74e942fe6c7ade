"""Intervals over few seeds, over ranking images and evaluation images together, and tests of equivalence.

An interval that holds 0 does not show that two things are equal: with few data every interval does. Two
things count as equivalent here where the 95% interval of their difference lies within a margin that was
named beforehand: two one-sided tests, each of size 2.5% (Schuirmann 1987).
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from .intervals import LEVEL


class Estimate(NamedTuple):
    """A number and its interval; NaN ends where there are too few values for one."""

    value: float
    low: float
    high: float

    @property
    def ends(self) -> tuple[float, float]:
        """(low, high)."""
        return self.low, self.high


def is_equivalent(low, high, margin) -> bool:
    """Whether an interval of a difference lies inside -margin to margin. An undefined one does not.

    >>> is_equivalent(-0.01, 0.02, 0.03), is_equivalent(-0.01, 0.04, 0.03)
    (True, False)
    """
    return bool(-margin < low and high < margin)


def mean_estimate(values, level=LEVEL) -> Estimate:
    """Mean of few independent numbers, such as one a training seed, and its interval by Student's t.

    At least two values for an interval.

    >>> [round(v, 2) for v in mean_estimate([1.0, 2.0, 3.0])]
    [2.0, -0.48, 4.48]
    """
    values = np.asarray(values, float)
    error = values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else np.nan
    return _by_student(values.mean(), error, values.size - 1, level)


def crossed_estimate(values, level=LEVEL) -> Estimate:
    """Mean of a table (r, n) whose rows and columns are both samples, and its interval.

    Rows are sets of images that each gave a rank, columns the images on which the ranks are judged. Two-way
    analysis of variance with random effects: the error of the mean is sqrt((MS_rows + MS_columns - MS_rest)
    / (r n)), degrees of freedom by Satterthwaite. At least two rows and two columns for an interval.

    >>> [round(v, 2) for v in crossed_estimate([[0.0, 2.0], [2.0, 4.0]], level=0.5)]
    [2.0, 0.85, 3.15]
    """
    values = np.asarray(values, float)
    rows, columns = values.shape
    if min(rows, columns) < 2:
        return Estimate(float(values.mean()), float("nan"), float("nan"))
    by_row, by_column = values.mean(axis=1), values.mean(axis=0)
    rest = values - by_row[:, None] - by_column + values.mean()
    squares = np.array([columns * by_row.var(ddof=1), rows * by_column.var(ddof=1), 0])
    free = np.array([rows - 1, columns - 1, (rows - 1) * (columns - 1)])
    squares[2] = (rest**2).sum() / free[2]
    squares /= rows * columns
    variance = float(max(squares[0] + squares[1] - squares[2], squares[0], squares[1]))
    return _by_student(values.mean(), np.sqrt(variance), _pooled(variance, squares, free), level)


def drawn_estimate(value, draws, images=(), level=LEVEL) -> Estimate:
    """A number whose spread over samples of ranking images is that of its values on resampled ones.

    Parameters
    ----------
    value : float
        From the images themselves.
    draws : (d,) float
        The same number from d bootstrap samples of the ranking images. Only their standard deviation counts:
        a bootstrap sample holds images twice, which shifts a rank's quality by itself.
    images : (n,) float, optional
        The number of each evaluation image, where it is a mean over them: their error is added.
    """
    draws, images = np.asarray(draws, float), np.asarray(images, float)
    parts, free = [draws.var(ddof=1)], [len(draws) - 1]
    if images.size > 1:
        parts, free = [*parts, images.var(ddof=1) / images.size], [*free, images.size - 1]
    variance = float(sum(parts))
    return _by_student(value, np.sqrt(variance), _pooled(variance, np.array(parts), np.array(free)), level)


def _pooled(variance, parts, free) -> float:
    """Degrees of freedom of a sum of mean squares (Satterthwaite 1946)."""
    below = (parts**2 / free).sum()
    return float(variance**2 / below) if below > 0 else 1.0


def _by_student(value, error, free, level) -> Estimate:
    half = float(student.ppf((1 + level) / 2, free) * error) if free > 0 else float("nan")
    return Estimate(float(value), float(value) - half, float(value) + half)

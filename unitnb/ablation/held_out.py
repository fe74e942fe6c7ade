"""Peaks of a curve whose place is chosen on some images and whose height is read on others (Sec. 3.4, 3.6).

The largest of many noisy values is too large, and its excess over the end of the curve is never below 0. Here
the images are halved: the place is chosen on one half and read on the other, and the halves are exchanged.
"""

from typing import NamedTuple

import numpy as np


class HeldOutPeak(NamedTuple):
    """The peak of a curve of p points over n images, chosen and read on different images."""

    places: tuple[int, int]  # the point chosen on the even images, and on the odd ones
    gains: np.ndarray  # (n,) of each image: outcome at the other half's place minus that at ``base``
    height: float  # mean outcome there, in [0, 1] for accuracy

    @property
    def gain(self) -> float:
        """Mean of the gains: how far the peak rises above the base. It can be below 0."""
        return float(self.gains.mean())

    @property
    def place(self) -> float:
        """Mean of the two places, in points."""
        return float(np.mean(self.places))


def held_out_peak(outcomes, base=0) -> HeldOutPeak:
    """The peak of the mean curve of ``outcomes`` (p, n), its place held out: at least two images.

    ``base`` is the point that the gains count from, 0 for the start, -1 for the end. Of equal points the
    first is chosen.

    >>> rising = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]])
    >>> held_out_peak(rising).places, held_out_peak(rising, base=-1).gain
    ((1, 1), 0.5)
    """
    outcomes = np.asarray(outcomes, float)
    if outcomes.ndim != 2 or outcomes.shape[1] < 2:
        raise ValueError(
            f"outcomes have shape {outcomes.shape}; expected (points, images), two images or more"
        )
    half = np.arange(outcomes.shape[1]) % 2
    chosen = [int(outcomes[:, half == side].mean(axis=1).argmax()) for side in (0, 1)]
    read = np.where(half == 0, chosen[1], chosen[0])
    height = np.take_along_axis(outcomes, read[None], axis=0)[0]
    return HeldOutPeak((chosen[0], chosen[1]), height - outcomes[base], float(height.mean()))


def slope_after(curve, place) -> float:
    """Change of a curve (p,) from a point to its end: least-squares slope times the number of steps.

    0 where nothing comes after the point.

    >>> round(slope_after(np.array([0, 0.5, 0.6, 0.7, 0.8]), 1), 3)  # three units bring 0.1 each
    0.3
    """
    rest = np.asarray(curve, float)[int(place) :]
    if len(rest) < 2:
        return 0.0
    return float(np.polyfit(np.arange(len(rest)), rest, 1)[0] * (len(rest) - 1))


def slope_after_peak(outcomes) -> float:
    """Change of the mean curve of ``outcomes`` (p, n) from its held-out peak to its end.

    Each half's curve is read after the place that the other half chose; the mean of the two.
    """
    outcomes = np.asarray(outcomes, float)
    first, second = held_out_peak(outcomes).places
    halves = outcomes[:, 1::2].mean(axis=1), outcomes[:, ::2].mean(axis=1)
    return float(np.mean([slope_after(c, k) for c, k in zip(halves, (first, second), strict=True)]))

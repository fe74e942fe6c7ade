"""Is the rank class specific (abstract, Sec. 3.6)? Ranks and damage between the classes of a data set."""

import numpy as np

from ..ablation.curves import image_areas
from ..units.intervals import interval


def rank_correlations(scores) -> np.ndarray:
    """Spearman's correlation of the units' scores between classes: (c, u) to (c, c), ties by mean rank."""
    from scipy.stats import rankdata

    return np.corrcoef([rankdata(row) for row in np.asarray(scores)])


def damage_matrix(curves, labels) -> np.ndarray:
    """Accuracy that class d loses while units go in the order of class c's rank: (c, d), from -1 to 1.

    It is a mean over the whole removal.

    Parameters
    ----------
    curves : list of c Curves of mode "remove"
        One for each class's rank, all on the same images of all classes.
    labels : (n,) int
        Classes of the images, 0 to c - 1.

    Raises
    ------
    ValueError
        If a curve is not of mode "remove", or there are not as many curves as classes.
    """
    labels = np.asarray(labels)
    if len(curves) != labels.max() + 1 or any(curve.mode != "remove" for curve in curves):
        modes = sorted({curve.mode for curve in curves})
        raise ValueError(
            f"{len(curves)} curves of modes {modes} and {labels.max() + 1} classes; "
            "expected one curve of mode 'remove' for each class"
        )
    lost = [curve.correct[0] - image_areas(curve.correct, curve.points) for curve in curves]
    return np.array([[row[labels == d].mean() for d in range(len(curves))] for row in lost])


def shared_tails(ranks, head, tail, draws=1000, seed=0) -> tuple[float, float, float]:
    """Share of a class's last units that are among the first of another, and its 95% range by chance (C38).

    Parameters
    ----------
    ranks : (c, u) int
        Importance ranks, most important first.
    head, tail : int
        How many units count as a class's core, and as its useless end.
    draws, seed : int
        Of the chance range: the same share where each class's rank is a random order.

    Returns
    -------
    share, low, high : float in [0, 1]
        The share is a mean over classes.

    >>> shared_tails([[0, 1, 2, 3], [3, 2, 1, 0]], head=1, tail=1)[0]
    1.0
    """
    ranks = np.asarray(ranks)
    if not (1 <= head <= ranks.shape[1] and 1 <= tail <= ranks.shape[1]):
        raise ValueError(f"head is {head} and tail {tail}; expected 1 to {ranks.shape[1]} units")
    rng = np.random.default_rng(seed)
    chance = [_share_in_other_cores(rng.permuted(ranks, axis=1), head, tail) for _ in range(draws)]
    return _share_in_other_cores(ranks, head, tail), *interval(chance).ends


def _share_in_other_cores(ranks, head, tail):
    in_core = np.zeros(ranks.shape, bool)
    np.put_along_axis(in_core, ranks[:, :head], True, axis=1)
    elsewhere = in_core.sum(axis=0) - in_core > 0
    return float(np.take_along_axis(elsewhere, ranks[:, -tail:], axis=1).mean())

"""Sample sets of images, effectiveness of units on each, votes of their ranks (Sec. 3.5, Eq. 11 to 14)."""

import numpy as np
from numba import prange

from ..files.compiled import compiled
from .entropy import importance_rank
from .estimators import checked_births, plugin, values_and_places

TOP = 20  # places of a rank that give a vote, Eq. 12
VOTED = 15  # units in IND_K, below Eq. 13, and places of the reference rank that count, Eq. 14
HEAD = 10  # units averaged in Eq. 14


def draw_sets(n_pool, set_size, n_sets=100, seed=0, disjoint=False):
    """Sample sets S^(1), ..., S^(n_sets) of K images, drawn without replacement (groups G, Sec. 3.5).

    Sets of one group are drawn one by one, so that two of them may share images; with ``disjoint`` the
    shuffled pool is cut into sets that share none. Groups of another size or seed are independent. Returns
    (n_sets, set_size) int64, indices in the pool.

    Raises
    ------
    ValueError
        If the pool is too small, or a number is below 1.

    >>> np.sort(draw_sets(6, 3, 2, disjoint=True), axis=None)
    array([0, 1, 2, 3, 4, 5])
    """
    if min(set_size, n_sets) < 1:
        raise ValueError(f"set_size is {set_size} and n_sets {n_sets}; both must be at least 1")
    if set_size > n_pool or disjoint and set_size * n_sets > n_pool:
        asked = f"{n_sets} disjoint sets of {set_size} images" if disjoint else f"sets of {set_size} images"
        raise ValueError(
            f"{asked} were asked for, but the pool has {n_pool} images; draw fewer or give more images"
        )
    rng = np.random.default_rng([seed, set_size])
    if disjoint:
        return rng.permutation(n_pool)[: n_sets * set_size].reshape(n_sets, set_size)
    return np.stack([rng.choice(n_pool, set_size, replace=False) for _ in range(n_sets)])


def resampled_effectiveness(births, set_size, n_sets=100, seed=0, p=0.1, disjoint=False):
    """Effectiveness of each unit on each of the sample sets of :func:`draw_sets`.

    Row i is ``effectiveness(births[set i], p)``, to the bit; births are counted in compiled code.

    Parameters
    ----------
    births : (pool, u) int
        Birth points of the pool's images; 0 where there is none.
    set_size, n_sets, seed, disjoint
        As in :func:`draw_sets`.
    p : float
        Effective threshold of the selective rate, Eq. 10.

    Returns
    -------
    (n_sets, u) float64
        From 0; infinite for a unit with the same birth on all images of the set that have one.

    Raises
    ------
    ValueError
        If ``births`` is not a 2-D array of integers from 0 up, or the pool has fewer images than a set.
    """
    return effectiveness_on(births, draw_sets(len(births), set_size, n_sets, seed, disjoint), p)


def effectiveness_on(births, sets, p=0.1):
    """``effectiveness`` on each of the sets (n_sets, K) of images (their places in the pool): (n_sets, u).

    The other arguments, the result and the errors are those of ``resampled_effectiveness``.
    """
    births = checked_births(births)
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p!r}; expected a share between 0 and 1")
    values, places = values_and_places(births)
    counts = _sorted_counts(places.astype(np.int32), sets, values.size, int(values[0] == 0))
    counts = counts.transpose(2, 0, 1)
    counts = counts[
        counts.any(axis=(1, 2)).argmax() :
    ]  # rows of zeros add exact zeros, at the price of the others
    born = counts.sum(axis=0)
    rate, entropy = born / sets.shape[1], plugin(counts, np.maximum(born, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((rate >= p) & (rate > 0), rate / entropy, 0.0)


@compiled(parallel=True)
def _sorted_counts(codes, sets, n_values, first):
    """How many images of a set have each birth, ascending, (n_sets, u, n_values); none below ``first``."""
    n_units = codes.shape[1]
    counts = np.zeros((len(sets), n_units, n_values), np.int32)
    for s in prange(len(sets)):
        for image in sets[s]:
            for unit in range(n_units):
                counts[s, unit, codes[image, unit]] += 1
        for unit in range(n_units):
            counts[s, unit, :first] = 0
            _sort(counts[s, unit])
    return counts


@compiled()
def _sort(counts):
    """Sort counts (n_values,) in place. Most are zero; each of the others is put in its place at the end."""
    start = len(counts)
    for place in range(len(counts) - 1, -1, -1):
        count, counts[place] = counts[place], 0
        if count > 0:
            start, to = start - 1, start - 1
            while to + 1 < len(counts) and counts[to + 1] < count:
                counts[to] = counts[to + 1]
                to += 1
            counts[to] = count


def mean_effectiveness(scores, set_size):
    """Mean (u,) over the sets of the effectiveness (n_sets, u).

    Its ``importance_rank`` is the mean rank of Sec. 3.5 (Fig. 4B).
    An infinite score would make the mean infinite, however rare it is. It counts as the largest finite one
    that sets of K >= 2 images allow, where all images have a birth and all but one the same: 1 / (ln K - (1 -
    1/K) ln(K - 1)). So it is still first in its set.

    >>> mean_effectiveness(np.array([[1.0, np.inf], [2.0, 0.0]]), 2).round(3)
    array([1.5  , 0.721])
    """
    if set_size < 2:
        raise ValueError(
            f"set_size is {set_size}; take at least 2, as one image gives no finite effectiveness above 0"
        )
    largest = 1 / (np.log(set_size) - (1 - 1 / set_size) * np.log(set_size - 1))
    return np.where(np.isinf(scores), largest, scores).mean(axis=0)


def set_votes(scores, top=TOP):
    """Votes (u,) of Eq. 12 from the effectiveness (n_sets, u): sets with a unit in the first ``top`` places.

    All units are voted for if there are no more than ``top``.

    >>> set_votes(np.array([[3.0, 2, 1], [3, 1, 2]]), top=2)
    array([2, 1, 1])
    """
    if top < 1:
        raise ValueError(f"top is {top}; at least 1 place must vote")
    votes = np.zeros(np.shape(scores)[1], np.int64)
    for row in scores:
        votes[importance_rank(row)[:top]] += 1
    return votes


def vote_rank(votes, reference_rank=None):
    """Units (1)_K, (2)_K, ... in descending order of their votes (Eq. 13); the first 15 are IND_K.

    Units with equally many votes stand in the order of ``reference_rank``, or of their indices if that is not
    given.

    >>> vote_rank([5, 9, 9]), vote_rank([5, 9, 9], reference_rank=[2, 1, 0])
    (array([1, 2, 0]), array([2, 1, 0]))
    """
    votes = np.asarray(votes)
    place = np.arange(votes.size) if reference_rank is None else np.argsort(reference_rank)
    return np.lexsort((place, -votes))


def stability_ratio(votes, n_sets, reference_rank, head=HEAD, reference_top=VOTED):
    """Ratio of Eq. 14: mean share of the sets that vote for the ``head`` most voted units.

    Of these units only those in the reference's top count:
    (1/10) sum_{j=1}^{10} stat_(j) / n_sets * 1[(j)_K in IR_1000(1:15)], where stat_(j) are the votes of the
    j-th most voted unit (Eq. 13; the paper drops the brackets of stat_j). It is not said how equal votes are
    ordered, which matters when more than 10 units have all votes: here they stand in the order of the
    reference rank, so that sets identical to the reference give 1 whatever the units' numbering.
    ``stability_table`` also gives the least ratio that another order of equal votes could give.

    Parameters
    ----------
    votes : (u,) int
        Of :func:`stability_votes`, from ``n_sets`` sets.
    reference_rank : (u,) int
        Units in descending importance: IR_1000 in the paper; better of images outside the pool.

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    ValueError
        If the shapes differ, votes exceed ``n_sets``, or there are fewer than ``head`` units.

    >>> stability_ratio([10, 9, 2, 0], 10, reference_rank=[1, 2, 0, 3], head=2, reference_top=2)
    0.45
    """
    votes, reference_rank = np.asarray(votes), np.asarray(reference_rank)
    if votes.shape != reference_rank.shape or votes.ndim != 1 or not 1 <= head <= votes.size:
        shapes = f"votes have shape {votes.shape} and the reference rank {reference_rank.shape}"
        raise ValueError(f"{shapes}; expected the same units, at least head = {head}")
    if votes.min() < 0 or votes.max() > n_sets:
        raise ValueError(
            f"votes go from {votes.min()} to {votes.max()}; {n_sets} sets can give 0 to {n_sets}"
        )
    return mean_vote_share(
        votes, n_sets, vote_rank(votes, reference_rank)[:head], reference_rank[:reference_top]
    )


def mean_vote_share(votes, n_sets, head_units, reference_units) -> float:
    """Mean over ``head_units`` of votes / n_sets; units that are not among ``reference_units`` count as 0."""
    return float(votes[head_units] @ np.isin(head_units, reference_units) / n_sets / len(head_units))

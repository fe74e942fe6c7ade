"""Stability of the importance rank against the choice of images (Sec. 3.5): agreement of ranks, table."""

import numpy as np
from scipy.stats import kendalltau

from .entropy import effectiveness, importance_rank
from .intervals import interval
from .votes import (
    HEAD,
    TOP,
    VOTED,
    mean_effectiveness,
    mean_vote_share,
    resampled_effectiveness,
    set_votes,
    stability_ratio,
    vote_rank,
)

SET_SIZES = tuple(range(50, 501, 25))  # K of Eq. 11


def stability_votes(births, set_size, n_sets=100, top=TOP, seed=0):
    """Votes stat^(K) of Eq. 12: how many sets of K images have each unit among the ``top`` first.

    The sets are drawn by :func:`draw_sets` from the images of ``births`` (pool, u), the ranks (Eq. 11) have
    ties by unit index.

    Returns
    -------
    (u,) int64
        From 0 to n_sets; they add up to n_sets * min(top, u). Raises as :func:`resampled_effectiveness`, and
        if ``top`` is below 1.
    """
    return set_votes(resampled_effectiveness(births, set_size, n_sets, seed), top)


def rank_agreement(scores, others, top=TOP):
    """Kendall's tau of two sets of scores, and the Jaccard index of their ``top`` first units.

    Tau is tau-b, from the scores and not from the ranks: units of equal effectiveness, as all that are below
    p, stand in the order of their indices in both ranks, which is no agreement. It is NaN if all scores of
    one set are equal. The scores are (u,).

    >>> rank_agreement([4, 3, 2, 1], [3, 4, 2, 1], top=3)[1]
    1.0
    """
    (found,) = _agreements(np.asarray(scores, float)[None], np.asarray(others, float)[None], top)
    return tuple(found.tolist())


def _agreements(scores, others, top):
    """``rank_agreement`` of the rows of two arrays of scores, (n, u) each: (n, 2)."""
    tau = kendalltau(scores, others, axis=1).statistic
    firsts = [[set(importance_rank(row)[:top].tolist()) for row in rows] for rows in (scores, others)]
    jaccard = [len(one & two) / len(one | two) for one, two in zip(*firsts, strict=True)]
    return np.column_stack([tau, jaccard])


def stability_table(
    births, reference=None, *, set_sizes=SET_SIZES, n_sets=100, seed=0, p=0.1, top=TOP, disjoint=False
):
    """Everything of Sec. 3.5 that follows from birth points, for each set size K (Fig. 4B-D).

    In the paper the reference holds the sets, and the sets overlap more the larger they are, which raises
    agreement by itself. For a fair look give as ``reference`` images outside the pool, and take ``disjoint``
    sets, as many of ``n_sets`` as the pool has.

    Parameters
    ----------
    births, reference : (pool, u) int, (images, u) int
        Birth points of the images to draw from, and of those that give the reference rank; the pool itself,
        as in the paper, if None.
    set_sizes, n_sets, seed, p, top, disjoint
        As in :func:`resampled_effectiveness` and :func:`stability_votes`.

    Returns
    -------
    dict of arrays, one row for each of the s set sizes
        ``set_size``, ``n_sets`` (s,); ``votes`` (s, u), Eq. 12; ``top_units`` (s, 15), IND_K with equal votes
        by the reference rank; ``ratio`` (s,), Eq. 14, and ``ratio_least`` (s,), with equal votes against the
        reference rank; ``mean_effectiveness`` (s, u); ``kendall`` and ``jaccard`` (s, 3): mean and 2.5% and
        97.5% quantiles over the sets of the agreement with the reference; ``kendall_between`` and
        ``jaccard_between`` (s, 3): the same for pairs of successive sets, NaN if there is one set only.

    Raises
    ------
    ValueError
        As :func:`resampled_effectiveness`; if there is no set size, or the units of the two arrays differ or
        are fewer than 10.
    """
    if not len(set_sizes):
        raise ValueError(
            f"no set sizes for a pool of {len(births)} images; give some that it holds "
            "(of a profile: set_sizes, n_large)"
        )
    reference_scores = effectiveness(births if reference is None else reference, p)
    if reference_scores.size != np.shape(births)[1]:
        raise ValueError(
            f"births are of {np.shape(births)[1]} units and the reference of {reference_scores.size}; "
            "give the same layer"
        )
    rows = []
    for size in set_sizes:
        count = max(1, min(n_sets, len(births) // size)) if disjoint else n_sets
        scores = resampled_effectiveness(births, size, count, seed, p, disjoint)
        rows.append(
            {"set_size": size, "n_sets": count, **_agreement_and_votes(scores, reference_scores, size, top)}
        )
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def _agreement_and_votes(scores, reference_scores, set_size, top):
    votes, reference_rank = set_votes(scores, top), importance_rank(reference_scores)
    with_reference = _agreements(scores, np.broadcast_to(reference_scores, scores.shape), top)
    between = _agreements(scores[:-1], scores[1:], top) if len(scores) > 1 else []
    return {
        "votes": votes,
        "top_units": vote_rank(votes, reference_rank)[:VOTED],
        "ratio": stability_ratio(votes, len(scores), reference_rank),
        "ratio_least": mean_vote_share(
            votes, len(scores), vote_rank(votes, reference_rank[::-1])[:HEAD], reference_rank[:VOTED]
        ),
        "mean_effectiveness": mean_effectiveness(scores, set_size),
        **dict(zip(("kendall", "jaccard"), _summaries(with_reference), strict=True)),
        **dict(zip(("kendall_between", "jaccard_between"), _summaries(between), strict=True)),
    }


def _summaries(pairs):
    """Mean and 95% interval of two measures of agreement, (2, 3); NaN for one that is NaN for a pair."""
    if not len(pairs):
        return np.full((2, 3), np.nan)
    values = np.asarray(pairs)
    found = np.vstack([values.mean(axis=0), interval(values).ends])
    return np.where(np.isnan(values).any(axis=0), np.nan, found).T

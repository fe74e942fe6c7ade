"""How far a rank, its curve and its votes depend on the images that gave it (beside Sec. 3.5).

Sets of 100 of the 1,000 images that share none are samples of their own. The 1,000 images themselves are
resampled with replacement. Evaluation images are kept one by one, so that both can be resampled together.
"""

from collections.abc import Mapping

import numpy as np

from ..ablation.cumulative import ablation_curves, curve_knots
from ..ablation.curves import image_areas
from ..profiles import Profile
from ..units.entropy import effectiveness, importance_rank
from ..units.intervals import drawn_places
from ..units.stability import stability_ratio
from ..units.votes import TOP, VOTED, effectiveness_on, mean_effectiveness, resampled_effectiveness, set_votes
from .scores import kendall, random_orders

SETS, POOLS, PAIRS, RANDOM = 10, 10, 20, 20  # disjoint sets, resampled pools, pairs of sets, random orders
POINTS = 33  # of the curves, at most: a mean over the curve needs no more


def ranking_areas(seen: Mapping, label: int, profile: Profile) -> dict[str, dict[str, np.ndarray]]:
    """Areas (ranks, images) under the curves of one class, by set of images, by kind of rank.

    ``seen[set]`` is of ``births_in_blocks``, for "S_100", "S_1000" and "S_val"; ``label`` is the class. The
    kinds: "IR_100", "IR_1000", "IR_val" and "mean rank", one rank each; "sets", of ten disjoint sets of as
    many images as S_100; "small", twenty of as many as S_val; "random" orders; and on S_1000 "pools" and
    "mean rank of pools", of ten bootstrap samples of S_1000.
    """
    orders = _orders({name: found.births for name, found in seen.items()}, profile)
    return {name: _areas(found, label, orders, name == "S_1000", profile) for name, found in seen.items()}


def _orders(births, profile):
    pool, p, seed = births["S_1000"], profile.effective_threshold, profile.seed
    pools = [pool[drawn] for drawn in drawn_places(len(pool), POOLS, np.random.default_rng(seed))]
    sets = resampled_effectiveness(
        pool, profile.n_rank, min(SETS, len(pool) // profile.n_rank), seed, p, True
    )
    scores = {
        **{"IR" + name[1:]: [effectiveness(found, p)] for name, found in births.items()},
        "mean rank": [_mean_scores(pool, profile)],
        "sets": list(sets),
        "small": list(resampled_effectiveness(pool, len(births["S_val"]), RANDOM, seed, p)),
        "pools": [effectiveness(found, p) for found in pools],
        "mean rank of pools": [_mean_scores(found, profile) for found in pools],
    }
    orders = {kind: [importance_rank(score) for score in group] for kind, group in scores.items()}
    return orders | {"random": random_orders(pool.shape[1], RANDOM, seed)}


def _mean_scores(births, profile):
    sets = resampled_effectiveness(
        births, profile.n_rank, profile.n_sets, profile.seed, profile.effective_threshold
    )
    return mean_effectiveness(sets, profile.n_rank)


def _areas(found, label, orders, with_pools, profile):
    kept = {kind: group for kind, group in orders.items() if with_pools or "pools" not in kind}
    flat = [order for group in kept.values() for order in group]
    points = curve_knots(profile, found.split, POINTS)
    curves = ablation_curves(found.split, found.maps, label, flat, points=points)
    areas = np.array([image_areas(curve.correct, curve.points) for curve in curves])
    ends = np.cumsum([len(group) for group in kept.values()])
    return dict(zip(kept, np.split(areas, ends[:-1]), strict=True))


def vote_readings(births, profile: Profile) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """What votes and ranks say of one class's pool, and the same on ten bootstrap samples of it.

    ``births`` (pool, u). The numbers, and their values (POOLS,) on the samples: "votes", the mean share of
    the largest sets that vote for the fifteen most voted units; "rise", of the share of the first twenty
    units that pairs of disjoint sets have in common, from the smallest to the largest size; "ratio", Eq. 14
    for sets as large as S_100, and "other images", the same for sets of one half against the rank of the
    other; "share", Kendall's tau of such sets with the other half's rank over that of the largest sets.
    """
    rng = np.random.default_rng(profile.seed)
    pools = [births[drawn] for drawn in drawn_places(len(births), POOLS, rng)]
    own, *draws = [_readings(pool, profile) for pool in (births, *pools)]
    return own, {name: np.array([drawn[name] for drawn in draws]) for name in own}


def _readings(births, profile):
    p, seed, half = profile.effective_threshold, profile.seed, len(births) // 2
    small, large = min(profile.set_sizes), min(max(profile.set_sizes), half)
    size = min(profile.n_rank, half // 2)
    votes = set_votes(resampled_effectiveness(births, large, profile.n_sets, seed, p))
    common = [_common_share(births, k, profile) for k in (small, large)]
    first, second = births[:half], effectiveness(births[half:], p)
    near, far = (resampled_effectiveness(first, k, PAIRS, seed, p) for k in (size, half // 2))
    taus = [kendall(scores, second).mean() for scores in (near, far)]
    return {
        "votes": float(np.sort(votes)[::-1][:VOTED].mean() / profile.n_sets),
        "rise": common[1] - common[0],
        "ratio": _ratio(births, effectiveness(births, p), profile.n_rank, profile),
        "other images": _ratio(first, second, size, profile),
        "share": float(taus[0] / taus[1]),
    }


def _ratio(births, reference, size, profile):
    sets = resampled_effectiveness(births, size, profile.n_sets, profile.seed, profile.effective_threshold)
    return stability_ratio(set_votes(sets), len(sets), importance_rank(reference))


def _common_share(births, size, profile):
    """Share of the first twenty units that two disjoint sets of images have in common, mean over pairs."""
    rng = np.random.default_rng(profile.seed)
    drawn = np.array([rng.permutation(len(births))[: 2 * size] for _ in range(PAIRS)])
    scores = effectiveness_on(births, drawn.reshape(2 * PAIRS, size), profile.effective_threshold)
    first = np.array([importance_rank(score)[:TOP] for score in scores]).reshape(PAIRS, 2, -1)
    return float(np.mean([len(np.intersect1d(*pair)) / len(pair[0]) for pair in first]))

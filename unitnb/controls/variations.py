"""The curves of one class with something else changed: what removed units show, how pixels are paired."""

import numpy as np

from ..ablation.cumulative import curve_knots
from ..topology.births import birth_points
from ..units.entropy import effectiveness, importance_rank
from .comparison import ClassMaps, ScoreCurves, areas, score_curves
from .constructions import random_pairing
from .scores import CAUSAL, PAPER, kendall, random_orders

RANDOM = "random orders"
POINTS = 33  # at most, of curves of which only the area is asked for, and in comparison with one another
COMPARED = (PAPER, "mean activation", CAUSAL)  # scores whose units are replaced by their mean maps, too


def mean_map(sets: ClassMaps) -> np.ndarray:
    """The mean map of each unit over the ranking images of all classes, each class alike, (h, w, u)."""
    return np.mean([maps.mean(axis=0, dtype=np.float64) for maps in sets.maps["ranking"].values()], axis=0)


def mean_map_curves(split, sets: ClassMaps, name: str, scores, points=None, seed=0) -> dict[str, ScoreCurves]:
    """Curves on test images of the class ``name`` whose removed units show ``mean_map``, by score.

    A zero map is an input that the network may never have met; the mean map is what is known of a unit before
    the image is seen. Of ``COMPARED`` and of four random orders.

    Parameters
    ----------
    split : SplitModel
    sets : ClassMaps
    name : one of ``sets.classes``
    scores : (u,) by score
    points, seed : of ``score_curves``, by default 33, and of ``random_orders``
    """
    orders = {score: [importance_rank(scores[score])] for score in COMPARED}
    drawn = random_orders(split.n_units, 2, seed)
    orders[RANDOM] = [*drawn, *(order[::-1] for order in drawn)]
    maps, others = sets.maps["test"][name], sets.others("test", name)
    return score_curves(split, maps, others, sets.labels[name], orders, points or POINTS, mean_map(sets))


def pairings(split, sets: ClassMaps, name: str, scores, profile, n_pairings=10) -> dict[str, np.ndarray]:
    """The rank by E of the class ``name`` when pixels are paired at random, for many random pairings.

    Returns "tau", Kendall's tau with ``scores``, the E of the class (u,), and "gain", the area between the
    two orders minus that of E, in balanced accuracy on test images; (n_pairings,) each.
    """
    maps, values = sets.maps["ranking"][name], {}
    for i in range(n_pairings):
        births = birth_points(random_pairing(maps, [profile.seed, i]), profile.b_max)
        values[str(i)] = effectiveness(births, p=profile.effective_threshold)
    orders = {key: [importance_rank(value)] for key, value in {PAPER: scores, **values}.items()}
    tests, others = sets.maps["test"][name], sets.others("test", name)
    points = curve_knots(profile, split, POINTS)
    curves = score_curves(split, tests, others, sets.labels[name], orders, points)
    tau = kendall(scores, np.array(list(values.values())))
    own, *area = (areas([curves], order)[0] for order in orders)
    return {"tau": tau, "gain": np.array(area) - own}

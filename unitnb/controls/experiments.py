"""What ``06_controls`` computes for one class: scores and curves, null models, constructions, choices."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..ablation.causal import greedy_forward
from ..ablation.cumulative import curve_knots
from ..ablation.marginals import neuron_shapley
from ..topology.births import birth_points
from ..units.entropy import effectiveness, importance_rank
from .chance import noise_units, null_scores, places_of_inserted, smooth_noise_units
from .choices import DEFAULT, all_choices, births_by_index, effectiveness_by_choice, single_choices
from .comparison import ClassMaps, ScoreCurves, areas, score_curves
from .constructions import constructions, cubical_births
from .correlations import part_correlations, score_correlations
from .scores import OURS, PAPER, kendall, random_orders, rival_scores
from .variations import POINTS, RANDOM, mean_map_curves, pairings

GREEDY, CHANCE, SHAPLEY = "greedy insertion", "-z of H (ours)", "Neuron Shapley"
NOISE_SHARES = (1.0, 0.5, 0.2, 0.1, 0.05)  # of positive pixels
NOISE_COPIES = 4  # inserted units of each kind
CURVED = (  # constructions whose rank is judged by curves
    "shift (2, 2), cropped",
    "shift (2, 0), cropped",
    "mirrored",
    "two permutations",
    "random pairing of pixels",
    "upper triangle only",
    "cubical persistence",
)


@dataclass(frozen=True, eq=False)
class ClassResult:
    """The results of one class; u is the number of units, n that of images in S_100.

    Attributes
    ----------
    scores : (u,) by score
    train, test : ScoreCurves by score
        ``test`` has those of constructions and choices, too.
    births : (n, u) int
    null : (u,) by name, of ``null_scores``
    noise : (NOISE_COPIES, 2) by kind of noise
        Places of inserted units by E and by birth information, 0 the head of the rank.
    changed : share of births that change, by construction
    agreement : Kendall's tau of E with the paper's, by construction
    choice_agreement : (choices,)
        Kendall's tau of E with the profile's, in the order of ``all_choices``.
    correlations : Spearman correlations with the causal reference, by part of E
        Over units with a rate of at least p and an entropy above 0.
    score_correlations : the same by score, NaN where the score is the same for all
    mean_map : ScoreCurves by score
        On test images, of removed units that show their mean map (``mean_map_curves``).
    pairings : (pairings,) by name
        "tau" and "gain" of E by pixels paired at random (``pairings``).
    """

    scores: Mapping[str, np.ndarray]
    train: Mapping[str, ScoreCurves]
    test: Mapping[str, ScoreCurves]
    births: np.ndarray
    null: Mapping[str, np.ndarray]
    noise: Mapping[str, np.ndarray]
    changed: Mapping[str, float]
    agreement: Mapping[str, float]
    choice_agreement: np.ndarray
    correlations: Mapping[str, float]
    score_correlations: Mapping[str, float]
    mean_map: Mapping[str, ScoreCurves]
    pairings: Mapping[str, np.ndarray]


def class_results(split, sets: ClassMaps, profile) -> dict[str, "ClassResult"]:
    """``class_result`` of every class, by name; two at a time where the engine lets go of Python's lock."""
    with ThreadPoolExecutor(2 if split.engine == "running-sum" else 1) as pool:
        found = pool.map(lambda name: class_result(split, sets, name, profile), sets.classes)
        return dict(zip(sets.classes, found, strict=True))


def class_result(split, sets: ClassMaps, name: str, profile) -> ClassResult:
    """All results of the class ``name``; about four seconds for 128 units of 14 x 14 on two cores.

    Parameters
    ----------
    split : SplitModel
    sets : ClassMaps
        Of ``class_maps``, with the same ``split``.
    name : one of ``sets.classes``
    profile : Profile
        For p, B_max, the seed and the numbers of orders and points.
    """
    label, maps, others = sets.labels[name], sets.maps["ranking"][name], sets.others("ranking", name)
    p, b_max = profile.effective_threshold, profile.b_max
    births = birth_points(maps, b_max)
    null = null_scores(maps, births, b_max, draws=50, seed=profile.seed)
    scores = rival_scores(split, maps, label, others, p, b_max, profile.seed)
    scores[CHANCE] = effectiveness(births, p, variant="chance", entropy_z=null["entropy z"])
    if profile.greedy and split.engine == "running-sum":  # where the network may be asked at every step
        drawn = random_orders(split.n_units, profile.n_random // 2, profile.seed)
        scores[SHAPLEY] = neuron_shapley(split, maps, label, [*drawn, *(order[::-1] for order in drawn)])
    built, changed, agreement = _constructions(maps, births, scores[PAPER], profile)
    chosen, choice_agreement = _choices(maps, scores[PAPER])
    orders = {score: [importance_rank(values)] for score, values in scores.items()}
    if SHAPLEY in scores:
        orders[GREEDY] = [greedy_forward(split, maps, label)]
    extra = {RANDOM: _random_both_ways(split.n_units, profile), **built, **chosen}
    train, test = (
        score_curves(split, sets.maps[kind][name], sets.others(kind, name), label, wanted, profile.points)
        for kind, wanted in (("train", orders), ("test", orders | extra))
    )
    return ClassResult(
        scores=scores,
        train=train,
        test=test,
        births=births,
        null=null,
        noise=noise_places(births, birth_points(others, b_max), maps.shape[1], scores, profile),
        changed=changed,
        agreement=agreement,
        choice_agreement=choice_agreement,
        correlations=part_correlations(births, scores, p),
        score_correlations=score_correlations(births, scores, p),
        mean_map=mean_map_curves(
            split, sets, name, scores, curve_knots(profile, split, POINTS), profile.seed
        ),
        pairings=pairings(split, sets, name, scores[PAPER], profile),
    )


def _random_both_ways(n_units, profile):
    """Random orders, and their reverses, which are random orders, too, and need no curves of their own."""
    drawn = random_orders(n_units, profile.n_random // 2, profile.seed)
    return [*drawn, *(order[::-1] for order in drawn)]


def _constructions(maps, births, scores, profile):
    """Orders by the E of each construction in CURVED; for all, births that change and tau with ``scores``."""
    built = constructions(maps, profile.seed)
    other_births = {name: birth_points(moved, profile.b_max) for name, moved in built.items()}
    other_births["cubical persistence"] = cubical_births(maps)
    values = {name: effectiveness(b, p=profile.effective_threshold) for name, b in other_births.items()}
    orders = {name: [importance_rank(values[name])] for name in CURVED}
    changed = {name: changed_share(births, b) for name, b in other_births.items()}
    return orders, changed, {name: kendall(scores, value) for name, value in values.items()}


def changed_share(births, other_births) -> float:
    """Share of the maps with a birth in either array, (n, u) int each, whose births differ; NaN without any.

    >>> changed_share(np.array([[7, 0]]), np.array([[9, 0]]))
    1.0
    """
    born = (births > 0) | (other_births > 0)
    return float((births != other_births)[born].mean()) if born.any() else float("nan")


def _choices(maps, scores):
    """Orders by the E of each single choice, and tau of every combination with the E of the profile."""
    births_of = births_by_index(maps)
    shared: dict = {}
    values = np.array([effectiveness_by_choice(births_of, choice, shared) for choice in all_choices()])
    distinct, which = np.unique(values, axis=0, return_inverse=True)  # many combinations give the same scores
    single = {"default choices": DEFAULT, **single_choices()}
    orders = {
        name: [importance_rank(effectiveness_by_choice(births_of, choice, shared))]
        for name, choice in single.items()
    }
    return orders, kendall(scores, distinct)[which]


def choice_areas(split, sets: ClassMaps, name: str, points=None) -> np.ndarray:
    """Area between the two orders under every combination of the free choices, (choices,), for one class.

    In balanced accuracy on test images, -1 to 1, in the order of ``all_choices``. Curves have ``points``, at
    most and by default 33.
    """
    births_of = births_by_index(sets.maps["ranking"][name])
    shared: dict = {}
    orders = [importance_rank(effectiveness_by_choice(births_of, choice, shared)) for choice in all_choices()]
    distinct = {order.tobytes(): [order] for order in orders}  # far fewer than combinations
    maps, others = sets.maps["test"][name], sets.others("test", name)
    curves = score_curves(split, maps, others, sets.labels[name], distinct, min(points or POINTS, POINTS))
    return np.array([areas([curves], order.tobytes())[0] for order in orders])


def noise_places(births, other_births, n, scores, profile) -> dict[str, np.ndarray]:
    """Places in the rank of units of pure noise put into a layer, (NOISE_COPIES, 2) by kind of noise.

    The columns are the places by E and by birth information, 0 the head of the rank and 1 its end.

    Parameters
    ----------
    births, other_births : (N, u), (M, u) int
        Of the class's images and of others; as many noise maps are drawn for each.
    n : int
        Rows of a map.
    scores : (u,) by score
        Of the layer's own units, with PAPER and OURS among them.
    """
    shares = np.repeat(NOISE_SHARES, NOISE_COPIES)
    count = len(births) + len(other_births)
    kinds = {
        "white": noise_units(count, n, shares, profile.seed),
        "smooth": smooth_noise_units(count, n, shares, 2.0, profile.seed),
    }
    places: dict[str, np.ndarray] = {}
    for kind, maps in kinds.items():
        found = birth_points(maps, profile.b_max)
        own, rest = found[: len(births)], found[len(births) :]
        balanced = effectiveness(own, variant="balanced", other_births=rest)
        inserted = {PAPER: effectiveness(own, p=profile.effective_threshold), OURS: balanced}
        pairs = np.stack(
            [places_of_inserted(scores[name], values) for name, values in inserted.items()], axis=1
        )
        places |= {f"{kind}, {share:.0%}": pairs[shares == share] for share in NOISE_SHARES}
    return places


# ---- all classes ----


def on_set(results: Mapping, kind: str) -> list:
    """The curves of every class on "train" or "test", for ``differences`` and ``areas``.

    ``results[class]`` is a ClassResult.
    """
    return [getattr(result, kind) for result in results.values()]


def by_area(results: Mapping) -> list[str]:
    """The scores, best first, by the area between the two orders.

    In balanced accuracy on test images, mean over the classes.
    """
    tests = on_set(results, "test")
    scores = [*next(iter(results.values())).train, RANDOM]
    return sorted(scores, key=lambda name: -areas(tests, name).mean())

"""Everything that ``06_controls`` computes for one class: scores, their curves, null models, other constructions, free choices."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..ablation.causal import greedy_forward
from ..topology.births import birth_points
from ..units.entropy import effectiveness, feature_entropy, importance_rank, selective_rate
from .chance import noise_units, null_scores, places_of_inserted, smooth_noise_units
from .choices import DEFAULT, all_choices, births_by_index, effectiveness_by_choice, single_choices
from .comparison import Answers, ClassMaps, answers_of, areas, partial_spearman
from .constructions import constructions, cubical_births
from .scores import CAUSAL, OURS, PAPER, random_orders, rival_scores

RANDOM, GREEDY, CHANCE = "random orders", "greedy insertion", "-z of H (ours)"
NOISE_SHARES = (1.0, 0.5, 0.2, 0.1, 0.05)  # of positive pixels
NOISE_COPIES = 4  # inserted units of each kind
CURVED = ("shift (2, 2), cropped", "shift (2, 0), cropped", "mirrored", "two permutations", "random pairing of pixels",
          "upper triangle only", "cubical persistence")  # constructions whose rank is judged by curves  # fmt: skip


@dataclass(frozen=True, eq=False)
class ClassResult:
    """The results of one class; u is the number of units, all arrays (u,) unless another shape is given."""

    scores: Mapping[str, np.ndarray]
    train: Mapping[str, Answers]  # by score
    test: Mapping[str, Answers]  # by score, construction and choice
    births: np.ndarray  # (n, u)
    null: Mapping[str, np.ndarray]  # of null_scores
    noise: Mapping[
        str, np.ndarray
    ]  # by kind, (NOISE_COPIES, 2): places by E and by birth information, 0 the head of the rank
    changed: Mapping[str, float]  # by construction: share of births that change
    agreement: Mapping[str, float]  # by construction: Kendall's tau of E
    choice_agreement: np.ndarray  # (choices,): Kendall's tau of E, in the order of all_choices()
    correlations: Mapping[str, float]  # with the causal reference, over units with a rate of at least p


def class_result(split, sets: ClassMaps, name: str, profile) -> ClassResult:
    """All results of the class ``name``; about three seconds for 128 units of 14 x 14 on two cores."""
    label, maps, others = sets.labels[name], sets.maps["ranking"][name], sets.others("ranking", name)
    p, b_max = profile.effective_threshold, profile.b_max
    births, null = (
        birth_points(maps, b_max),
        null_scores(maps, birth_points(maps, b_max), b_max, draws=50, seed=profile.seed),
    )
    scores = rival_scores(split, maps, label, others, p, b_max, profile.seed)
    scores[CHANCE] = effectiveness(births, p, variant="chance", entropy_z=null["entropy z"])
    built, changed, agreement = _constructions(maps, births, scores[PAPER], profile)
    chosen, choice_agreement = _choices(maps, scores[PAPER])
    orders = {score: [importance_rank(values)] for score, values in scores.items()}
    if profile.greedy and split.engine == "running-sum":
        orders[GREEDY] = [greedy_forward(split, maps, label)]
    drawn = random_orders(split.n_units, profile.n_random // 2, profile.seed)
    more = {
        RANDOM: [*drawn, *(order[::-1] for order in drawn)],
        **built,
        **chosen,
    }  # reversed, they are random orders, too
    train = answers_of(
        split, sets.maps["train"][name], sets.others("train", name), label, orders, profile.points
    )
    test = answers_of(
        split, sets.maps["test"][name], sets.others("test", name), label, orders | more, profile.points
    )
    noise = noise_places(births, birth_points(others, b_max), maps.shape[1], scores, profile)
    correlations = _correlations(births, scores, p)
    return ClassResult(
        scores, train, test, births, null, noise, changed, agreement, choice_agreement, correlations
    )


def _constructions(maps, births, scores, profile):
    """Orders by the E of each construction in CURVED, and for all: share of births changed, and tau with the paper's E."""
    found = {
        name: birth_points(built, profile.b_max) for name, built in constructions(maps, profile.seed).items()
    }
    found["cubical persistence"] = cubical_births(maps)
    values = {name: effectiveness(b, p=profile.effective_threshold) for name, b in found.items()}
    changed = {name: changed_share(births, b) for name, b in found.items()}
    orders = {name: [importance_rank(values[name])] for name in CURVED}
    return orders, changed, {name: kendall(scores, value) for name, value in values.items()}


def changed_share(births, other_births) -> float:
    """Share of the maps with a birth, in either, whose birth differs; NaN without any."""
    born = (births > 0) | (other_births > 0)
    return float((births != other_births)[born].mean()) if born.any() else float("nan")


def kendall(first, second) -> float:
    """Kendall's tau-b of two scores over units; infinities are the best."""
    from scipy.stats import kendalltau

    return float(kendalltau(first, second).statistic)


def _choices(maps, scores):
    """Orders by the E of each single choice, and tau of every combination with the E of the profile."""
    births_of, parts, known, agreement = births_by_index(maps), {}, {}, []
    for choice in all_choices():
        values = effectiveness_by_choice(births_of, choice, parts)
        key = values.tobytes()  # many choices give the same scores
        known[key] = known[key] if key in known else kendall(scores, values)
        agreement.append(known[key])
    single = {"default choices": DEFAULT, **single_choices()}
    orders = {
        name: [importance_rank(effectiveness_by_choice(births_of, choice, parts))]
        for name, choice in single.items()
    }
    return orders, np.array(agreement)


def choice_areas(split, sets: ClassMaps, name: str, points=None) -> np.ndarray:
    """What every combination of the free choices makes of one class's curves, (choices,) in the order of ``all_choices``.

    The area between removal in reverse and in rank order, in balanced accuracy on test images, -1 to 1; ``points`` as in ``answers_of``.
    """
    births_of, parts = births_by_index(sets.maps["ranking"][name]), {}
    orders = [importance_rank(effectiveness_by_choice(births_of, choice, parts)) for choice in all_choices()]
    distinct = {order.tobytes(): [order] for order in orders}  # far fewer than combinations
    found = answers_of(
        split, sets.maps["test"][name], sets.others("test", name), sets.labels[name], distinct, points
    )
    return np.array([areas([found], order.tobytes())[0] for order in orders])


def noise_places(births, other_births, n, scores, profile) -> dict[str, np.ndarray]:
    """Where units of pure noise come to stand when put into the layer: by kind, (NOISE_COPIES, 2), by E and by birth information."""
    shares = np.repeat(NOISE_SHARES, NOISE_COPIES)
    count = len(births) + len(other_births)
    kinds = {
        "white": noise_units(count, n, shares, profile.seed),
        "smooth": smooth_noise_units(count, n, shares, 2.0, profile.seed),
    }
    places = {}
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


def _correlations(births, scores, p):
    """Spearman correlations of a unit's parts of E with the causal reference; the last has the rate taken out of both."""
    from scipy.stats import spearmanr

    rate, entropy = selective_rate(births), feature_entropy(births)
    kept = (rate >= p) & (entropy > 0)
    inverse, causal, rate = 1 / entropy[kept], scores[CAUSAL][kept], rate[kept]
    simple = {"E": scores[PAPER][kept], "rate": rate, "1/H": inverse}
    return {name: float(spearmanr(value, causal).statistic) for name, value in simple.items()} | {
        "1/H given the rate": partial_spearman(inverse, causal, rate)
    }


# ---- all classes ----


def on_set(results: Mapping, kind: str) -> list:
    """The answers of every class on "train" or "test", as ``comparison.differences`` takes them; ``results[class]`` is a ClassResult."""
    return [getattr(result, kind) for result in results.values()]


def by_area(results: Mapping) -> list[str]:
    """The scores, best first: by the balanced area between the two orders on test images, mean over the classes."""
    tests = on_set(results, "test")
    return sorted([*next(iter(results.values())).train, RANDOM], key=lambda name: -areas(tests, name).mean())

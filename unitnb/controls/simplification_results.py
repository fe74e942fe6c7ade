"""What ``07_simplification`` computes: smaller networks for one class and for all, and of the core alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..ablation.cumulative import ablation_curve, curve_knots
from ..ablation.curves import Curve
from ..images.samples import Images
from ..networks.split import SplitModel
from ..networks.trained import is_there, open_layer
from ..profiles import Profile
from ..roles.by_place import categorise_roles
from ..topology.births import birth_points
from ..units.entropy import effectiveness, importance_rank
from .comparison import ClassMaps, class_maps
from .simplification import (
    RANDOM,
    class_scores,
    comparison_orders,
    kept_accuracy,
    kept_curves,
    overall_orders,
    usable_scores,
)
from .smaller_networks import tuned_accuracies_of

SEEDS = ("A", "A1", "A2")  # networks of one recipe
TUNED_ORDERS = 3  # random orders whose networks are trained
CORE_BOOTSTRAPS = 20


@dataclass(frozen=True, eq=False)
class Results:
    """Smaller networks of one network, before any training; u is the number of units.

    Attributes
    ----------
    scores : (u,) by class, by score
    orders : lists of (u,) by score, best first
        For all classes together; random orders among them.
    one : lists of Curve by score
        Units for the target class, judged on its test images, with other classes' as negatives.
    every : lists of Curve by score
        Units for all classes, judged on the test images of all.
    labels : (n,) int
        Of the test images of all classes.
    """

    scores: Mapping[str, Mapping[str, np.ndarray]]
    orders: Mapping[str, list]
    one: Mapping[str, list[Curve]]
    every: Mapping[str, list[Curve]]
    labels: np.ndarray


def more_test_images(profile: Profile, images: Images) -> Profile:
    """The profile with as many test images of each class as S_100 has, or as there are."""
    counts = [int((images.labels["test"] == label).sum()) for label in images.class_labels]
    return replace(profile, n_validation=max(profile.n_validation, min(profile.n_rank, *counts)))


def joined(sets: ClassMaps, kind: str, classes: Sequence[str] | None = None):
    """Maps and labels of images of all classes, or of some, in one set of ``ClassMaps``, in random order."""
    names = list(classes or sets.classes)
    maps = np.concatenate([sets.maps[kind][name] for name in names])
    labels = np.repeat([sets.labels[name] for name in names], [len(sets.maps[kind][name]) for name in names])
    order = np.random.default_rng(5).permutation(len(labels))
    return maps[order], labels[order]


def simplification_results(split: SplitModel, sets: ClassMaps, profile: Profile) -> Results:
    """Scores of every class, and accuracy by the share of units kept, for one class and for all.

    Shapley values, which ask the network after every unit of many orders, are left out where its tail must be
    run again each time.
    """
    wanted = [name for name in usable_scores(split) if name != "Shapley" or split.engine == "running-sum"]
    settings = profile.effective_threshold, profile.b_max, profile.n_random, profile.seed
    scores = {
        name: class_scores(split, maps, sets.labels[name], *settings, wanted=wanted)
        for name, maps in sets.maps["ranking"].items()
    }
    target, random = profile.target_class, comparison_orders(split.n_units, profile.n_random, profile.seed)
    orders = overall_orders(scores) | {RANDOM: random}
    own = {name: [importance_rank(values)] for name, values in scores[target].items()} | {RANDOM: random}
    maps, others = sets.maps["test"][target], sets.others("test", target)
    one = kept_curves(split, maps, sets.labels[target], own, profile.points, others)
    test, labels = joined(sets, "test")
    return Results(scores, orders, one, kept_curves(split, test, labels, orders, profile.points), labels)


def tuned_accuracies(split: SplitModel, sets: ClassMaps, results: Results, counts: Sequence[int], seed=0):
    """Test accuracy after a short training, by score: (orders, counts); see ``tuned_accuracies_of``.

    One order of each score, and TUNED_ORDERS random ones.
    """
    train, test = joined(sets, "train"), joined(sets, "test")
    given = [(name, order) for name, group in results.orders.items() for order in group[:TUNED_ORDERS]]
    orders = [order for _, order in given]
    found = np.array([tuned_accuracies_of(split, orders, count, train, test, seed) for count in counts]).T
    return {
        name: np.array([row for (other, _), row in zip(given, found, strict=True) if other == name])
        for name in results.orders
    }


# ---- several networks ----


def trained_seeds(profile: Profile) -> list[str]:
    """Networks of recipe A that are there: trained here, shipped or given."""
    known = {**profile.models, **profile.extra}
    return [name for name in SEEDS if name in known and is_there(profile, name)]


def seed_areas(profile: Profile, images: Images, model: str, wanted: Sequence[str]) -> dict[str, list[Curve]]:
    """Curves of a few scores, units for all classes, on another network: as ``Results.every``."""
    split = open_layer(profile, model)
    sets = class_maps(images, profile, split, model)
    settings = profile.effective_threshold, profile.b_max, profile.n_random, profile.seed
    scores = {
        name: class_scores(split, maps, sets.labels[name], *settings, wanted=wanted)
        for name, maps in sets.maps["ranking"].items()
    }
    test, labels = joined(sets, "test")
    return kept_curves(split, test, labels, overall_orders(scores), profile.points)


# ---- the core alone ----


def core_results(split: SplitModel, sets: ClassMaps, profile: Profile) -> dict[str, np.ndarray]:
    """The network of the core units alone, for each class: arrays (classes,) by name.

    The rank is by E on S_100. The roles come from S_100 and every second test image of the class; the others,
    with negatives, judge. ``share`` of the units that are core, and the changes of ``accuracy`` (recall of
    the class) and of ``balanced accuracy`` from the whole layer to the core; NaN for a class without a core,
    of which no network can be made.
    """
    rows = [_core_of_class(split, sets, profile, name) for name in sets.classes]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _core_of_class(split, sets, profile, name):
    maps, test, label = sets.maps["ranking"][name], sets.maps["test"][name], sets.labels[name]
    births = birth_points(maps, profile.b_max)
    rank = importance_rank(effectiveness(births, p=profile.effective_threshold))
    knots = curve_knots(profile, split)
    both = [ablation_curve(split, m, label, rank, mode="insert", knots=knots) for m in (maps, test[::2])]
    core = categorise_roles(rank, *both, n_boot=CORE_BOOTSTRAPS, seed=profile.seed).role[rank] == "core"
    order, count = np.concatenate([rank[core], rank[~core]]), int(core.sum())
    others = sets.others("test", name)
    curve = ablation_curve(split, test[1::2], label, order, "insert", negatives=others, knots=knots)
    balanced = curve.balanced_accuracy
    assert balanced is not None  # there are negatives
    return {
        "share": count / split.n_units,
        "accuracy": curve.accuracy[count] - curve.accuracy[-1] if count else np.nan,
        "balanced accuracy": balanced[count] - balanced[-1] if count else np.nan,
    }


def accuracies_before(results: Results, counts: Sequence[int]) -> dict[str, np.ndarray]:
    """Test accuracy without training, by score: (orders, counts)."""
    return {
        name: np.array([kept_accuracy(curves, count) for count in counts]).T
        for name, curves in results.every.items()
    }

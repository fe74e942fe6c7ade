"""Many scores on the same curves, for every class of a data set, and the differences of their areas.

Ranks come from one set of images of a class. Curves are on other training images and on test images, with
images of the other classes as negatives. An area is a mean over images, so an interval of areas is a
bootstrap of per-image areas (``intervals.paired_bootstrap``) and runs no network again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..ablation.cumulative import ablation_curves
from ..ablation.curves import image_areas
from ..images.samples import sample_set
from ..units.intervals import class_mean

# Which groups of a curve's images count: the class's own, others', and for "loss" minus the loss of its own.
METRICS = {"recall": slice(0, 1), "balanced accuracy": slice(0, 2)}
AREAS = METRICS | {"loss": slice(2, 3)}  # higher is better for all


@dataclass(frozen=True, eq=False)
class ClassMaps:
    """Feature maps of every class on three sets of images.

    Attributes
    ----------
    maps : (n, h, w, u) by set, by class
        The sets are "ranking" (S_100), "train" (as many other training images) and "test" (S_val).
    n_others : int
        The negatives of a class are the first ``n_others`` of each other class in the same set.
    samples : list of SampleSet
        What was drawn for the target class, for the record.
    labels : int by class
        Its number in the network's output.
    """

    maps: Mapping[str, Mapping[str, np.ndarray]]
    n_others: int
    samples: list
    labels: dict[str, int]

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return list(self.maps["ranking"])

    def others(self, kind: str, name: str) -> np.ndarray:
        """Maps of images of the other classes than ``name`` in the set ``kind``, (m, h, w, u)."""
        return np.concatenate(
            [maps[: self.n_others] for other, maps in self.maps[kind].items() if other != name]
        )


def class_maps(images, profile, split, model="A", test_name="S_val") -> ClassMaps:
    """Draw the three sets of every class and run the front of ``split`` on them.

    ``test_name`` is what the records call the test images, where they are others than S_val.

    Raises
    ------
    ValueError
        If a class has fewer than 2 ``n_rank`` training images or ``n_validation`` test images.
    """
    twice = replace(profile, n_rank=2 * profile.n_rank)  # S_100 is its first half
    train = {name: sample_set(images, twice, "S_100", model, name) for name in images.classes}
    test = {name: sample_set(images, profile, "S_val", model, name) for name in images.classes}
    train_maps = {name: split.feature_maps(sample.images) for name, sample in train.items()}
    maps = {
        "ranking": {name: found[: profile.n_rank] for name, found in train_maps.items()},
        "train": {name: found[profile.n_rank :] for name, found in train_maps.items()},
        "test": {name: split.feature_maps(sample.images) for name, sample in test.items()},
    }
    drawn = replace(train[profile.target_class], name=f"S_100 and {profile.n_rank} more")
    labels = {name: images.class_index(name) for name in images.classes}
    judged = replace(test[profile.target_class], name=test_name)
    return ClassMaps(maps, profile.n_others, [drawn, judged], labels)


@dataclass(frozen=True, eq=False)
class ScoreCurves:
    """Curves and per-image areas of one score on one set of images, while units are removed.

    An image is correct where the network's answer is the class, for the class's own images, or any other
    class, for images of others. Groups are (own images, others, minus the loss of own images).

    Attributes
    ----------
    best_first, worst_first : list of three (images,) arrays, one a group
        Area of each image's curve in rank order and in reverse, mean over the orders given (trapezoids): the
        share of the curve's points at which it is correct, 0 to 1, and minus its mean loss, in nats.
    points : (p,) int
        Units removed at each point of the curves: 0, 1, ..., u unless fewer points were asked for.
    best_curve, worst_curve : (2, p)
        Share of correct images among own (recall) and among others (1 - false-positive rate), 0 to 1.
    correct_in_reverse : (p, images) bool
        Which images are correct, own and then others, in the reverse of the first order.
    """

    best_first: list
    worst_first: list
    points: np.ndarray
    best_curve: np.ndarray
    worst_curve: np.ndarray
    correct_in_reverse: np.ndarray

    @property
    def between(self) -> list:
        """Per-image area of removal in reverse minus that in rank order: what the order is worth.

        By group, from -1 to 1, and for the loss in nats.
        """
        return [worst - best for best, worst in zip(self.best_first, self.worst_first, strict=True)]


def score_curves(
    split, maps, others, label, orders: Mapping[str, list], points=None, replacement="zero"
) -> dict[str, ScoreCurves]:
    """Curves of several scores on the same images, by score.

    Insertion in an order is removal in its reverse read backwards, with the same area. So the two removals of
    a score give all four of its curves.

    Parameters
    ----------
    split : SplitModel
    maps, others : (n, h, w, u), (m, h, w, u)
        Maps of the class's own images and of images of other classes.
    label : int
        The class's number in the network's output.
    orders : lists of (u,) int, by score
        Orders of the units, most important first; the areas are means over a score's orders.
    points : int, optional
        Points of a curve; all u + 1 by default.
    replacement : what a removed unit shows, of ``ablation_curves``

    Raises
    ------
    ValueError
        As ``ablation_curves``.
    """
    both_ways = {
        tuple(way.tolist()): way
        for group in orders.values()
        for order in group
        for way in (order, order[::-1])
    }
    curves = ablation_curves(
        split, maps, label, list(both_ways.values()), negatives=others, points=points, replacement=replacement
    )
    found = {
        key: (curve.chosen == curve.positive, -curve.losses)
        for key, curve in zip(both_ways, curves, strict=True)
    }
    return {
        name: _curves_of_score(group, found, len(maps), curves[0].points) for name, group in orders.items()
    }


def _curves_of_score(orders, found, n_own, points):
    reverse = [order[::-1] for order in orders]
    best_first, best_curve = _mean_over_orders(orders, found, n_own, points)
    worst_first, worst_curve = _mean_over_orders(reverse, found, n_own, points)
    correct = found[tuple(reverse[0].tolist())][0]
    return ScoreCurves(best_first, worst_first, points, best_curve, worst_curve, correct)


def _mean_over_orders(orders, found, n_own, points):
    parts = zip(*(found[tuple(order.tolist())] for order in orders), strict=True)
    correct, gain = (np.mean(part, axis=0) for part in parts)
    own, others = correct[:, :n_own], correct[:, n_own:]
    group_areas = [image_areas(group, points) for group in (own, others, gain)]
    return group_areas, np.array([own.mean(axis=1), others.mean(axis=1)])


# ---- areas over images and classes ----


def differences(
    by_class: Sequence, first: str, second: str, metric="balanced accuracy", side="between"
) -> list:
    """Per-image areas of one score minus another's, by class and group, ready for ``paired_bootstrap``.

    Parameters
    ----------
    by_class : list of what ``score_curves`` gives, one a class
    first, second : names of scores
    metric : one of ``AREAS``
    side : "best_first", "worst_first" or "between"
        Removal in rank order (lower is better), in reverse (as insertion, higher is better), or their
        difference (higher is better).
    """
    groups = AREAS[metric]
    sides = [(getattr(by[first], side)[groups], getattr(by[second], side)[groups]) for by in by_class]
    return [[a - b for a, b in zip(*pair, strict=True)] for pair in sides]


def areas(by_class: Sequence, name: str, metric="balanced accuracy", side="between") -> np.ndarray:
    """Area of one score for each class, (classes,); the arguments are those of ``differences``."""
    return np.array([class_mean(getattr(by[name], side)[AREAS[metric]]) for by in by_class])


def spearman(x, y) -> np.ndarray:
    """Spearman's rank correlation of x and y (..., n) over the last axis, (...), in [-1, 1].

    NaN where one of them is the same for all.
    """
    from scipy.stats import rankdata

    ranks = rankdata([x, y], axis=-1)
    first, second = ranks - ranks.mean(axis=-1, keepdims=True)
    size = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.divide((first * second).sum(axis=-1), size, out=np.full(size.shape, np.nan), where=size > 0)


def plain_and_partial_spearman(x, y, given) -> tuple[np.ndarray, np.ndarray]:
    """``spearman`` of x and y, and their ``partial_spearman``, over the last axis of (..., n)."""
    xy, xz, yz = spearman(x, y), spearman(x, given), spearman(y, given)
    rest = (1 - xz**2) * (1 - yz**2)
    defined = np.where(rest > 1e-12, rest, np.nan)
    return xy, (xy - xz * yz) / np.sqrt(defined)


def partial_spearman(x, y, given) -> float:
    """Rank correlation of x and y with that of both with ``given`` taken out, in [-1, 1].

    (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2) (1 - r_yz^2)), where z is ``given``. NaN where ``given`` explains
    all of x or of y.
    """
    return float(plain_and_partial_spearman(x, y, given)[1])


def verdict(interval, above: str, below: str, neither="no difference seen") -> str:
    """Words for a (mean, low, high): ``above`` or ``below`` where the whole interval is on one side of 0.

    Its ends count to two digits, as they are printed.

    >>> verdict((0.3, 0.1, 0.5), "better", "worse"), verdict((0.3, 0.004, 0.5), "better", "worse")
    ('better', 'no difference seen')
    """
    return above if round(interval[1], 2) > 0 else below if round(interval[2], 2) < 0 else neither

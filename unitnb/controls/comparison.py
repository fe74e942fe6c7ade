"""Many scores on the same curves, for every class of a data set, and paired intervals of their differences.

Ranks come from one set of images of a class; curves are on other training images and on test images, with images of the other classes as
negatives. An area is a mean over images, so every interval is a bootstrap of per-image areas: no network is run again.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..ablation.cumulative import ablation_curves
from ..ablation.curves import image_areas
from ..images.samples import sample_set

METRICS = {
    "recall": slice(0, 1),
    "balanced accuracy": slice(0, 2),
}  # which groups of answers count: own, others
AREAS = METRICS | {
    "loss": slice(2, 3)
}  # and for areas: minus the loss on own images, in nats, so that higher is better for all


@dataclass(frozen=True, eq=False)
class ClassMaps:
    """Feature maps of every class: ``ranking`` (its S_100), ``train`` (as many other training images) and ``test`` (its S_val).

    ``maps[set][class]`` is (n, h, w, u); the negatives of a class are the first ``n_others`` of each other class in the same set.
    """

    maps: Mapping[str, Mapping[str, np.ndarray]]
    n_others: int
    samples: list
    labels: dict[str, int]  # of each class, its number in the network's output

    @property
    def classes(self) -> list[str]:
        return list(self.maps["ranking"])

    def others(self, kind: str, name: str) -> np.ndarray:
        """Maps of images of the other classes, (m, h, w, u)."""
        return np.concatenate(
            [maps[: self.n_others] for other, maps in self.maps[kind].items() if other != name]
        )


def class_maps(images, profile, split, model="A") -> ClassMaps:
    """Draw the three sets of every class and run the head of ``split`` on them.

    Raises
    ------
    ValueError
        If a class has fewer than 2 ``n_rank`` training images or ``n_validation`` test images.
    """
    twice = replace(profile, n_rank=2 * profile.n_rank)  # S_100 is the beginning of it
    train = {name: sample_set(images, twice, "S_100", model, name) for name in images.classes}
    test = {name: sample_set(images, profile, "S_val", model, name) for name in images.classes}
    seen = {name: split.feature_maps(sample.images) for name, sample in train.items()}
    maps = {
        "ranking": {name: found[: profile.n_rank] for name, found in seen.items()},
        "train": {name: found[profile.n_rank :] for name, found in seen.items()},
        "test": {name: split.feature_maps(sample.images) for name, sample in test.items()},
    }
    drawn = replace(train[profile.target_class], name=f"S_100 and {profile.n_rank} more")
    labels = {name: images.class_index(name) for name in images.classes}
    return ClassMaps(maps, profile.n_others, [drawn, test[profile.target_class]], labels)


@dataclass(frozen=True, eq=False)
class Answers:
    """What became of the right answers of one class while units went, for one score and one set of images.

    A right answer is the class's name for its own images and any other name for others'. Groups are (own images, others).

    Attributes
    ----------
    best_first, worst_first : list of three (images,) arrays
        Each image's area, mean over the orders given (trapezoids): the share of the curve's points at which its answer is right, for own
        images and others; and minus the mean of the loss over the curve, in nats, for own images.
    points : (p,) int
        How many units are gone at each point of the curves: 0, 1, ..., u unless fewer were asked for.
    best_curve, worst_curve : (2, p)
        Share of right answers on own images (recall) and on others (1 - false-positive rate), by units removed.
    worst_right : (p, images) bool
        The answers themselves, of own images and then others, for the reverse of the first order.
    """

    best_first: list
    worst_first: list
    points: np.ndarray
    best_curve: np.ndarray
    worst_curve: np.ndarray
    worst_right: np.ndarray

    @property
    def between(self) -> list:
        """Per-image area of removal in reverse order minus that in rank order: what the order is worth, from -1 to 1 (loss: nats)."""
        return [worst - best for best, worst in zip(self.best_first, self.worst_first, strict=True)]


def answers_of(split, maps, others, label, orders: Mapping[str, list], points=None) -> dict[str, Answers]:
    """Curves of several scores on the same images: ``orders[name]`` is a list of orders, (u,) each, most important first.

    Insertion in an order is removal in its reverse read backwards, with the same area, so the two removals are all four curves; ``points``
    is how many points they have (all by default).
    """
    keys = {
        tuple(way.tolist()): way
        for group in orders.values()
        for order in group
        for way in (order, order[::-1])
    }
    curves = ablation_curves(split, maps, label, list(keys.values()), negatives=others, points=points)
    found = {
        key: (curve.chosen == curve.positive, -curve.losses) for key, curve in zip(keys, curves, strict=True)
    }
    return {name: _answers(group, found, len(maps), curves[0].points) for name, group in orders.items()}


def _answers(orders, found, n_own, points):
    sides = []
    for ways in (orders, [order[::-1] for order in orders]):
        right, gain = (
            np.mean(parts, axis=0)
            for parts in zip(*(found[tuple(way.tolist())] for way in ways), strict=True)
        )
        areas = [image_areas(group, points) for group in (right[:, :n_own], right[:, n_own:], gain)]
        sides.append((areas, np.array([right[:, :n_own].mean(axis=1), right[:, n_own:].mean(axis=1)])))
    return Answers(
        sides[0][0], sides[1][0], points, sides[0][1], sides[1][1], found[tuple(orders[0][::-1].tolist())][0]
    )


# ---- statistics over images and classes ----


def paired_bootstrap(values, n_boot=1000, seed=0) -> tuple[float, float, float]:
    """Mean over classes of the mean over groups of the mean over images, and its 95% interval from resampled classes and images.

    Parameters
    ----------
    values : list, by class, of lists, by group, of (images,) arrays
        Differences of two scores on the same images, for instance: pairing is by subtraction before the call.
    n_boot, seed : int
        Each bootstrap draws as many classes with replacement and, for each class drawn, its images anew within each group.

    >>> paired_bootstrap([[np.array([0.25, 0.25])], [np.array([0.25])]])
    (0.25, 0.25, 0.25)
    """
    rng, n_classes = np.random.default_rng(seed), len(values)
    drawn = rng.integers(n_classes, size=(n_boot, n_classes))
    means = np.empty(drawn.shape)
    for c, groups in enumerate(values):
        here = drawn == c
        shares = [_drawn_shares(len(group), int(here.sum()), seed, c, g) for g, group in enumerate(groups)]
        means[here] = np.mean([share @ group for share, group in zip(shares, groups, strict=True)], axis=0)
    low, high = np.quantile(means.mean(axis=1), [0.025, 0.975])
    return float(np.mean([class_mean(groups) for groups in values])), float(low), float(high)


def class_mean(groups) -> float:
    """Mean over groups of the mean over images."""
    return float(np.mean([np.mean(group) for group in groups]))


@functools.lru_cache(maxsize=128)
def _drawn_shares(n, n_draws, *seed):
    """How often each of n images is drawn, over n: (n_draws, n). Kept, as every comparison of scores draws the same."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), n_draws) / n


def differences(by_class, first: str, second: str, metric="balanced accuracy", side="between") -> list:
    """Per-image areas of one score minus another's, by class and group, ready for ``paired_bootstrap``.

    ``by_class`` is a list of what ``answers_of`` gave; ``metric`` is one of ``AREAS``; ``side`` is "best_first" (lower is better),
    "worst_first" (as insertion; higher is better) or "between".
    """
    groups = AREAS[metric]
    sides = [
        (getattr(answers[first], side)[groups], getattr(answers[second], side)[groups])
        for answers in by_class
    ]
    return [[a - b for a, b in zip(*pair, strict=True)] for pair in sides]


def areas(by_class, name: str, metric="balanced accuracy", side="between") -> np.ndarray:
    """Area of one score for each class, (classes,)."""
    return np.array([class_mean(getattr(answers[name], side)[AREAS[metric]]) for answers in by_class])


def mean_interval(values, n_boot=1000, seed=0) -> tuple[float, float, float]:
    """Mean of one number a class, and its 95% interval from resampled classes; NaN are left out."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    draws = np.random.default_rng(seed).choice(values, (n_boot, values.size)).mean(axis=1)
    return (float(values.mean()), *map(float, np.quantile(draws, [0.025, 0.975])))


def partial_spearman(x, y, given) -> float:
    """Rank correlation of x and y once that of both with ``given`` is taken out, in [-1, 1]; NaN where ``given`` explains all of one."""
    from scipy.stats import rankdata

    xy, xz, yz = np.corrcoef([rankdata(values) for values in (x, y, given)])[[0, 0, 1], [1, 2, 2]]
    rest = (1 - xz**2) * (1 - yz**2)
    return float((xy - xz * yz) / np.sqrt(rest)) if rest > 1e-12 else float("nan")


# ---- recall or bias ----


def rates(curve, n_own, n_others) -> dict[str, np.ndarray]:
    """Recall, false-positive rate, precision (NaN where nothing is taken for the class) and balanced accuracy of ``Answers.*_curve``.

    Precision depends on how frequent the class is; here ``n_own`` images of it stand against ``n_others``.
    """
    recall, false = curve[0], 1 - curve[1]
    taken = recall * n_own + false * n_others
    precision = np.divide(recall * n_own, taken, out=np.full(len(taken), np.nan), where=taken > 1e-12)
    return {
        "recall": recall,
        "false-positive rate": false,
        "precision": precision,
        "balanced accuracy": (recall + curve[1]) / 2,
    }


def kept_share(answers: Answers, by="recall") -> float:
    """Share of the units that are left where, least important first, so many are removed that ``by`` is best."""
    return float(1 - answers.points[best_point(answers, by)] / answers.points[-1])


def best_point(answers: Answers, by="recall") -> int:
    """The point of the reverse order's curve where ``by`` is best; the first of equals."""
    return int(np.argmax(answers.worst_curve[METRICS[by]].mean(axis=0)))


def rise(chosen_on: Answers, measured_on: Answers, metric="balanced accuracy", by="recall") -> list:
    """Change of each image's answer from the whole layer to the number of removed units that is best for ``by`` on other images.

    The number comes from the reverse order's curve on ``chosen_on``, so the gain on ``measured_on`` is not picked by its own noise.

    Returns
    -------
    list of (images,) int arrays
        Own images and, for balanced accuracy, others: 1 for an answer put right, -1 for one spoilt.
    """
    k = best_point(chosen_on, by)
    change = measured_on.worst_right[k].astype(int) - measured_on.worst_right[0]
    n_own = len(measured_on.worst_first[0])
    return [change[:n_own], change[n_own:]][METRICS[metric]]


def verdict(interval, above: str, below: str, neither="no difference seen") -> str:
    """The words for a (mean, low, high): ``above`` or ``below`` where the whole interval, to two digits, is on one side of 0."""
    return above if round(interval[1], 2) > 0 else below if round(interval[2], 2) < 0 else neither

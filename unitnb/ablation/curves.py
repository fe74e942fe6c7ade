"""The curve of an ablation or insertion: what happened to each image at each step, and the numbers read off it (Sec. 3.2, 3.3)."""

from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Curve:
    """Outcomes of a network while its units are removed ("remove") or brought back ("insert") one by one.

    Point k is after ``points[k]`` units of ``order``, which is k where all have been evaluated. The per-image outcomes are kept, so
    intervals need no network.

    Attributes
    ----------
    correct : (u + 1, n) bool
        Whether the image's label gets the largest logit (ties go to the lower class, as in argmax).
    losses : (u + 1, n) float32
        Cross-entropy -ln P(label), in nats, at least 0; at most 87.3 (the smallest float32) where the model ends in a softmax.
    label_logits : (u + 1, n) float32
        The label's logit.
    in_top5 : (u + 1, n) bool
        Whether the label is among the five largest logits.
    chosen : (u + 1, n + n_negatives) bool, or None
        Whether ``target`` gets the largest logit, on the images and then the negatives; None without a target.
    positive : (n + n_negatives,) bool
        Which of those images are of class ``target``.
    points : (p,) int
        How many units are gone, or have come, at each point: 0, 1, ..., u, unless fewer points were asked for; then every u + 1 here is
        p. What is read off such a curve is in units, and as coarse as its points.
    outputs : str
        How the model's outputs were read, for instance "probabilities (by their values)"; see ``networks.outputs``.
    """

    mode: str
    order: np.ndarray
    engine: str
    n_classes: int
    correct: np.ndarray = field(repr=False)
    losses: np.ndarray = field(repr=False)
    label_logits: np.ndarray = field(repr=False)
    in_top5: np.ndarray = field(repr=False)
    chosen: np.ndarray | None = field(default=None, repr=False)
    positive: np.ndarray | None = field(default=None, repr=False)
    counts: np.ndarray | None = field(
        default=None, repr=False
    )  # how often each image counts: a bootstrap draw
    points: np.ndarray | None = field(default=None, repr=False)
    outputs: str = "logits"

    def __post_init__(self):
        if self.points is None:
            object.__setattr__(self, "points", np.arange(len(self.correct)))

    @property
    def accuracy(self) -> np.ndarray:
        """Share of images that are classified correctly, (u + 1,); on images of one class, its recall."""
        return self._mean(self.correct)

    @property
    def loss(self) -> np.ndarray:
        """Mean cross-entropy in nats, (u + 1,)."""
        return self._mean(self.losses)

    @property
    def top5(self) -> np.ndarray | None:
        """Share of images with the label among the five largest logits, (u + 1,); None with five classes or fewer."""
        return self._mean(self.in_top5) if self.n_classes > 5 else None

    @property
    def target_logit(self) -> np.ndarray:
        """Mean logit of the label, (u + 1,)."""
        return self._mean(self.label_logits)

    @property
    def false_positive_rate(self) -> np.ndarray | None:
        """Share of the images of other classes that are taken for the target, (u + 1,); None without such images."""
        return self._rate(~self.positive) if self._has_negatives else None

    @property
    def precision(self) -> np.ndarray | None:
        """Share of the target's images among those taken for it, (u + 1,); NaN where none is; None without negatives."""
        if not self._has_negatives:
            return None
        weights = self._weights(len(self.positive))
        hits, taken = self.chosen @ (weights * self.positive), self.chosen @ weights
        return np.divide(hits, taken, out=np.full(len(taken), np.nan), where=taken > 0)

    @property
    def balanced_accuracy(self) -> np.ndarray | None:
        """Mean of the target's recall and of 1 - false-positive rate, (u + 1,); None without negatives."""
        return (self._rate(self.positive) + 1 - self.false_positive_rate) / 2 if self._has_negatives else None

    @property
    def answers(self) -> list[np.ndarray]:
        """Whether the question "is it the target?" is answered rightly: on the target's images, then on others, each (u + 1, images).

        The mean of the two means is the balanced accuracy. Without a target or without negatives: only ``correct``.
        """
        if not self._has_negatives:
            return [self.correct]
        return [(self.chosen == self.positive)[:, group] for group in (self.positive, ~self.positive)]

    def area(self, metric="accuracy") -> float:
        """Mean height of the curve over the share of units from 0 to 1 (trapezoids)."""
        values = getattr(self, metric)
        return float(np.trapezoid(values, self.points) / self.points[-1])

    def units_to_lose(self, share=0.85, metric="accuracy") -> float:
        """Fewest units removed after which accuracy is at most (1 - share) of its start; inf if never (C15)."""
        gone, values = self._removal(metric)
        return _first(gone, values <= (1 - share) * values[0])

    def peak(self, metric="accuracy") -> tuple[int, float]:
        """Number of units (the first) and value of the maximum."""
        values = getattr(self, metric)
        return int(self.points[np.argmax(values)]), float(np.max(values))

    def collapse_width(self, high=0.9, low=0.1, metric="accuracy") -> float:
        """Units from the last k with accuracy >= high * peak to the first later k with accuracy <= low * peak; inf if never (C19)."""
        gone, values = self._removal(metric)
        last = np.flatnonzero(values >= high * values.max())[-1]
        return _first(gone[last:] - gone[last], values[last:] <= low * values.max())

    def bootstrap(self, statistic, n_boot=1000, seed=0) -> tuple[float, float]:
        """95% interval of ``statistic(curve)`` over resampled images."""
        draws = np.sort(
            [float(statistic(replace(self, counts=counts))) for counts in self._draws(n_boot, seed)]
        )
        return float(draws[int(0.025 * n_boot)]), float(draws[-1 - int(0.025 * n_boot)])

    def band(self, metric="accuracy", n_boot=1000, seed=0) -> np.ndarray:
        """Pointwise 95% band of a metric over resampled images, (2, u + 1)."""
        values = [getattr(replace(self, counts=counts), metric) for counts in self._draws(n_boot, seed)]
        return np.quantile(values, [0.025, 0.975], axis=0)

    @property
    def _has_negatives(self) -> bool:
        return self.chosen is not None and bool(self.positive.any()) and not self.positive.all()

    def _removal(self, metric):
        """How many units are gone, and the metric, from the whole layer on."""
        values = getattr(self, metric)
        return (
            (self.points, values)
            if self.mode == "remove"
            else (self.points[-1] - self.points[::-1], values[::-1])
        )

    def _weights(self, n):
        return np.ones(n) if self.counts is None else self.counts[:n]

    def _mean(self, outcomes):
        weights = self._weights(outcomes.shape[1])
        return outcomes @ weights / weights.sum()

    def _rate(self, among):
        weights = self._weights(len(among)) * among
        return self.chosen @ weights / weights.sum()

    def _draws(self, n_boot, seed):
        rng = np.random.default_rng(seed)
        n, total = self.correct.shape[1], len(self.positive) if self._has_negatives else self.correct.shape[1]
        for _ in range(n_boot):
            own = rng.multinomial(n, np.full(n, 1 / n))
            rest = (
                rng.multinomial(total - n, np.full(total - n, 1 / (total - n))) if total > n else np.empty(0)
            )
            yield np.concatenate([own, rest]).astype(float)


def area_difference(curve, other, metric="accuracy", n_boot=1000, seed=0) -> tuple[float, float, float]:
    """Area of ``curve`` minus that of ``other`` on the same images, and its 95% bootstrap interval: (difference, low, high).

    Both curves are resampled by the same draws of images, so what the images have in common cancels.

    Raises
    ------
    ValueError
        If the curves are of other numbers of units or images.
    """
    if curve.correct.shape != other.correct.shape or not np.array_equal(curve.points, other.points):
        raise ValueError(
            f"curves of shapes {curve.correct.shape} and {other.correct.shape}; expected the same units and "
            "images"
        )

    def difference(counts):
        return replace(curve, counts=counts).area(metric) - replace(other, counts=counts).area(metric)

    low, high = np.quantile([difference(counts) for counts in curve._draws(n_boot, seed)], (0.025, 0.975))
    return difference(None), float(low), float(high)


def _first(gone, hit) -> float:
    return int(gone[np.argmax(hit)]) if hit.any() else np.inf


def image_areas(outcomes, points=None) -> np.ndarray:
    """Area under each image's curve over the share of units from 0 to 1 (trapezoids): (p, n) at ``points``, or 0, 1, ..., to (n,).

    >>> image_areas(np.array([[True, True], [True, False], [False, False]]))
    array([0.75, 0.25])
    """
    outcomes = np.asarray(outcomes, float)
    points = np.arange(len(outcomes)) if points is None else points
    return np.trapezoid(outcomes, points, axis=0) / points[-1]

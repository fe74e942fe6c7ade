"""The curve of an ablation or insertion: outcomes of images at each step, and its numbers (Sec. 3.4)."""

from dataclasses import dataclass, field, replace

import numpy as np

from ..units.intervals import drawn_counts, interval


@dataclass(frozen=True, eq=False)
class Curve:
    """Outcomes of a network while its units are removed ("remove") or brought back ("insert") one by one.

    Point k is after ``points[k]`` units of ``order``, which is k where all have been evaluated. The outcome
    of each image is kept, so intervals need no network.

    Attributes
    ----------
    correct : (u + 1, n) bool
        Whether the image's label gets the largest logit (ties go to the lower class, as in argmax).
    losses : (u + 1, n) float32
        Cross-entropy -ln P(label), in nats, from 0. It is at most 87.3 (the smallest float32) where the model
        ends in a softmax.
    label_logits : (u + 1, n) float32
        The label's logit.
    in_top5 : (u + 1, n) bool
        Whether the label is among the five largest logits.
    chosen : (u + 1, n + n_negatives) bool, or None
        Whether the target class gets the largest logit, on the images and then the negatives.
    positive : (n + n_negatives,) bool
        Which of those images are of the target class.
    points : (p,) int
        How many units are gone, or have come, at each point: 0, 1, ..., u, unless fewer points were asked
        for. Then p stands for u + 1 here. Numbers of such a curve are in units, and as coarse as its points.
    counts : (n + n_negatives,) float, or None
        How often each image counts in the means: a bootstrap draw. None counts each once.
    outputs : str
        How the model's outputs were read, for instance "probabilities (by their values)"; see
        ``networks.outputs``.
    evaluated : (q,) int, or None
        The only points at which the network was asked, where the curve is ``filled``; None: at all of them.
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
    counts: np.ndarray | None = field(default=None, repr=False)
    points: np.ndarray = field(default=None, repr=False)  # type: ignore[arg-type]  # filled in below
    outputs: str = "logits"
    evaluated: np.ndarray | None = field(default=None, repr=False)

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
        """Share of images with the label among the five largest logits, (u + 1,); None up to five classes."""
        return self._mean(self.in_top5) if self.n_classes > 5 else None

    @property
    def target_logit(self) -> np.ndarray:
        """Mean logit of the label, (u + 1,)."""
        return self._mean(self.label_logits)

    @property
    def false_positive_rate(self) -> np.ndarray | None:
        """Share of the images of other classes that are taken for the target, (u + 1,); None without them."""
        return None if self._one_against_rest is None else self._share_chosen(positive=False)

    @property
    def precision(self) -> np.ndarray | None:
        """Share of the target's images among those taken for it, (u + 1,); None without negatives.

        It is NaN at points where no image is taken for the target.
        """
        if self._one_against_rest is None:
            return None
        chosen, positive = self._one_against_rest
        weights = self._weights(len(positive))
        hits, taken = chosen @ (weights * positive), chosen @ weights
        return np.divide(hits, taken, out=np.full(len(taken), np.nan), where=taken > 0)

    @property
    def balanced_accuracy(self) -> np.ndarray | None:
        """Mean of the target's recall and of 1 - false-positive rate, (u + 1,); None without negatives."""
        if self._one_against_rest is None:
            return None
        return (self._share_chosen(positive=True) + 1 - self._share_chosen(positive=False)) / 2

    @property
    def answers(self) -> list[np.ndarray]:
        """Whether "is it the target?" is answered rightly: of its images and of others, (u + 1, images).

        The mean of the two means is the balanced accuracy. Without negatives the list holds only ``correct``.
        """
        if self._one_against_rest is None:
            return [self.correct]
        chosen, positive = self._one_against_rest
        return [np.where(positive, chosen, 1 - chosen)[:, group] for group in (positive, ~positive)]

    def filled(self) -> "Curve":
        """The same with a point after every unit, 0, 1, ..., u: outcomes between its points lie on straight
        lines, from 0 to 1 where they were yes or no.
        """
        every = np.arange(self.points[-1] + 1)
        after = np.searchsorted(self.points, every).clip(1)
        before, ends = self.points[after - 1], self.points[after]
        share = ((every - before) / (ends - before)).astype(np.float32)[:, None]

        def lines(outcomes):
            start, end = (outcomes[place].astype(np.float32) for place in (after - 1, after))
            return start + share * (end - start)

        known = {} if self.chosen is None else {"chosen": lines(self.chosen)}
        losses, logits = lines(self.losses), lines(self.label_logits)
        found = {"correct": lines(self.correct), "in_top5": lines(self.in_top5), **known}
        evaluated = self.points if self.evaluated is None else self.evaluated
        return replace(self, losses=losses, label_logits=logits, points=every, evaluated=evaluated, **found)

    def area(self, metric="accuracy") -> float:
        """Mean height of the curve over the share of units from 0 to 1 (trapezoids)."""
        values = getattr(self, metric)
        return float(np.trapezoid(values, self.points) / self.points[-1])

    def units_to_lose(self, share=0.85, metric="accuracy") -> float:
        """Fewest units removed at which (1 - share) of the metric or less is left; inf if never (C15)."""
        gone, values = self._removal(metric)
        return _units_at_first(gone, values <= (1 - share) * values[0])

    def peak(self, metric="accuracy") -> tuple[int, float]:
        """Number of units (the first) and value of the maximum."""
        values = getattr(self, metric)
        return int(self.points[np.argmax(values)]), float(np.max(values))

    def collapse_width(self, high=0.9, low=0.1, metric="accuracy") -> float:
        """Units between the last value >= high * peak and the first later value <= low * peak (C19).

        It is inf if the values never fall so low.
        """
        gone, values = self._removal(metric)
        last = np.flatnonzero(values >= high * values.max())[-1]
        return _units_at_first(gone[last:] - gone[last], values[last:] <= low * values.max())

    def bootstrap(self, statistic, n_boot=1000, seed=0) -> tuple[float, float]:
        """95% interval of ``statistic(curve)`` over resampled images: (low, high).

        The ends are values of draws, without interpolation, because a number of units can be infinite.
        """
        draws = [float(statistic(replace(self, counts=counts))) for counts in self._draws(n_boot, seed)]
        return interval(draws, method="inner").ends

    def band(self, metric="accuracy", n_boot=1000, seed=0) -> np.ndarray:
        """Pointwise 95% band of a metric over resampled images, (2, u + 1)."""
        values = [getattr(replace(self, counts=counts), metric) for counts in self._draws(n_boot, seed)]
        return np.array(interval(values).ends)

    @property
    def _one_against_rest(self) -> tuple[np.ndarray, np.ndarray] | None:
        """``chosen`` and ``positive`` where there are images both of the target and of other classes."""
        if self.chosen is None or self.positive is None:
            return None
        return (self.chosen, self.positive) if self.positive.any() and not self.positive.all() else None

    def _removal(self, metric):
        """How many units are gone, and the metric, from the whole layer on."""
        values = getattr(self, metric)
        if self.mode == "remove":
            return self.points, values
        return self.points[-1] - self.points[::-1], values[::-1]

    def _weights(self, n):
        return np.ones(n) if self.counts is None else self.counts[:n]

    def _mean(self, outcomes):
        weights = self._weights(outcomes.shape[1])
        return outcomes @ weights / weights.sum()

    def _share_chosen(self, positive: bool):
        """Share of the target's images, or of the others, that are taken for the target."""
        assert self._one_against_rest is not None  # as its callers have made sure
        chosen, of_target = self._one_against_rest
        weights = self._weights(len(of_target)) * (of_target == positive)
        return chosen @ weights / weights.sum()

    def _draws(self, n_boot, seed):
        """Counts of the images and of the negatives, each resampled on its own."""
        rng = np.random.default_rng(seed)
        n = self.correct.shape[1]
        others = 0 if self._one_against_rest is None else len(self._one_against_rest[1]) - n
        for _ in range(n_boot):
            groups = [drawn_counts(size, 1, rng)[0] for size in (n, others) if size]
            yield np.concatenate(groups).astype(float)


def area_difference(curve, other, metric="accuracy", n_boot=1000, seed=0) -> tuple[float, float, float]:
    """Area of ``curve`` minus that of ``other`` on the same images, and 95% interval: (value, low, high).

    Both curves are resampled by the same draws of images, so what the images have in common cancels.

    Raises
    ------
    ValueError
        If the curves are of other numbers of units or images.
    """
    if curve.correct.shape != other.correct.shape or not np.array_equal(curve.points, other.points):
        shapes = f"{curve.correct.shape} and {other.correct.shape}"
        raise ValueError(f"curves of shapes {shapes}; expected the same units and images")

    def difference(counts):
        return replace(curve, counts=counts).area(metric) - replace(other, counts=counts).area(metric)

    draws = [difference(counts) for counts in curve._draws(n_boot, seed)]
    return difference(None), *interval(draws).ends


def _units_at_first(gone, hit) -> float:
    return int(gone[np.argmax(hit)]) if hit.any() else np.inf


def image_areas(outcomes, points=None) -> np.ndarray:
    """Area (n,) under each image's curve over the share of units from 0 to 1 (trapezoids).

    ``outcomes`` is (p, n), at ``points`` units (p,), or at 0, 1, ..., p - 1 if they are not given.

    >>> image_areas(np.array([[True, True], [True, False], [False, False]]))
    array([0.75, 0.25])
    """
    outcomes = np.asarray(outcomes, float)
    points = np.arange(len(outcomes)) if points is None else points
    return np.trapezoid(outcomes, points, axis=0) / points[-1]

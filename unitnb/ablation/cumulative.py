"""Cumulative ablation and insertion of units (Sec. 3.2 and 3.4), exactly, at about the cost of one pass."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ..files import store
from ..files.progress import progress_bar
from ..networks.devices import engines_on_device
from ..networks.outputs import LARGEST_LOSS, Reading
from ..networks.split import SplitModel, graph_digest
from .checks import check_labels, check_maps, check_order, check_target, replacement_maps
from .curves import Curve
from .engines import GUARDED, open_engine
from .walks import walk_orders

ENGINE_VERSION = (
    4  # of the engines; goes up when a change may change a number, so that what is kept is computed anew
)


def ablation_curve(split, maps, labels, order, mode="remove", **options) -> Curve:
    """Outcomes of the network while units are removed, or brought back, one by one in ``order``; see
    ``ablation_curves``.
    """
    return ablation_curves(split, maps, labels, [order], mode, **options)[0]


def ablation_curves(
    split,
    maps,
    labels,
    orders,
    mode="remove",
    *,
    replacement="zero",
    negatives=None,
    target=None,
    cache=None,
    points=None,
    knots=None,
) -> list[Curve]:
    """Curves of several orders on the same maps, sharing their work (Sec. 3.4).

    Point k of a curve is the network with the units order[:k] replaced ("remove"), or with all but those
    replaced ("insert"). Units that do not differ from their replacement on an image cost nothing.

    Parameters
    ----------
    split : SplitModel
    maps : (n, h, w, u) float
        ``split.feature_maps(images)``; of a masked-model split, with their images. Or ``LazyMaps``, of which
        one block is in memory.
    labels : (n,) int, or one int for all
    orders : sequence of (u,) int
        Permutations of the units; the first is the first to go, or to come.
    mode : "remove" or "insert"
    replacement : "zero", "mean-map", "mean-value", or an array (u,) or (h, w, u)
        What an absent unit shows: nothing (the paper), its mean map or its mean value over ``maps``, or what
        the array says, such as its mean over another data set.
    negatives : (m, h, w, u) float, optional
        Maps of images of other classes; with them the curves have false-positive rate, precision and balanced
        accuracy of ``target``.
    target : int, optional
        By default the label, where all maps have the same.
    cache : folder, optional
        Where results are kept, by model weights, maps, labels, orders and ``ENGINE_VERSION``, and found
        again: for long runs.
    points : int, optional
        How many points a curve has, evenly spaced over the units, the first and the last among them; by
        default all u + 1. Exact at these; ``Curve.points`` tells which they are. For tails that are large or
        must be run again at each point.
    knots : int, optional
        As ``points``, and the curves are ``filled``: straight lines lead from point to point. See
        ``curve_knots``.

    Returns
    -------
    list of Curve
        In the order of ``orders``; ``Curve.engine`` tells how they were computed.

    Raises
    ------
    ValueError
        If an order repeats or misses a unit, a label or target is not one of the classes, maps do not fit the
        split or are not finite, or ``points`` is less than 2.
    """
    maps = check_maps(split, maps)
    labels = check_labels(labels, len(maps), split.n_classes)
    orders = [check_order(order, split.n_units) for order in orders]
    if mode not in ("remove", "insert"):
        raise ValueError(f"mode is {mode!r}; expected 'remove' or 'insert'.")
    target = check_target(target, labels, split.n_classes, negatives)
    negative_labels = None if negatives is None else np.full(len(check_maps(split, negatives)), target)
    reading = split.plan.outputs or split.reading(maps[:GUARDED])
    asked = _Walks(
        split,
        orders,
        mode,
        replacement_maps(replacement, maps),
        target,
        spaced_points(split.n_units, points or knots),
        reading,
    )

    def work():
        own = asked.outcomes(maps, labels)
        return own, [] if negative_labels is None else asked.outcomes(negatives, negative_labels)

    own, other = work() if cache is None else _cached(cache, asked, [maps, negatives, labels], work)
    other = other or [None] * len(orders)
    curves = [
        asked.curve(order, labels, *outcomes) for order, *outcomes in zip(orders, own, other, strict=True)
    ]
    return [curve.filled() for curve in curves] if knots else curves


def curve_knots(profile, split, most=None) -> int | None:
    """``knots`` of curves that had better have all points: the profile's ``points`` where the tail is run
    again for each, None where a running sum makes them cheap. Never more than ``most``, if that is given.
    """
    counts = [most, None if split.engine == "running-sum" else profile.points]
    return min((count for count in counts if count), default=None)


def spaced_points(n_units, points=None) -> np.ndarray:
    """At which numbers of units a curve is evaluated, (p,) int from 0 to ``n_units``; see
    ``ablation_curves``.

    Raises
    ------
    ValueError
        If ``points`` is less than 2: a curve has two ends.

    >>> spaced_points(128, 5)
    array([  0,  32,  64,  96, 128])
    """
    if points is not None and points < 2:
        raise ValueError(
            f"points is {points}; expected 2 or more: the ends of a curve are always among them."
        )
    return np.unique(
        np.linspace(0, n_units, min(points or n_units + 1, n_units + 1)).round().astype(np.int64)
    )


def _cached(folder, asked, given, work):
    """``work()`` or what it gave before: for each order the four arrays of ``_outcomes``, on the images and
    on the negatives.
    """
    split, inputs = asked.split, [part for part in given if part is not None]
    images = [part.images for part in inputs if getattr(part, "images", None) is not None]
    key = {
        "mode": asked.mode,
        "target": asked.target,
        "layer": split.layer,
        "engine": [split.engine, ENGINE_VERSION, *(["device"] if engines_on_device() else [])],
    }
    key |= {
        "points": asked.at.tolist(),
        "outputs": str(asked.reading),
        "weights": store.digest(*split.model.get_weights()),
        "tail": graph_digest(split.tail),
    }
    key["inputs"] = store.digest(*map(np.asarray, inputs), *images, np.array(asked.orders), asked.fill)
    found = store.cached(folder, "curves", key, lambda: _packed(*work()))
    groups = (
        [found[f"{group}{part}"] for part in range(4)] for group in ("own", "other") if f"{group}0" in found
    )
    own, *other = [list(zip(*parts, strict=True)) for parts in groups]
    return own, other[0] if other else []


def _packed(own, other) -> dict[str, np.ndarray]:
    groups = {"own": own, "other": other} if other else {"own": own}
    return {
        f"{name}{part}": np.stack([record[part] for record in group])
        for name, group in groups.items()
        for part in range(4)
    }


@dataclass(frozen=True, eq=False)
class _Walks:
    """What is asked of a network: orders, mode, points, and how its outputs are read."""

    split: SplitModel
    orders: list
    mode: str
    fill: np.ndarray
    target: int | None
    at: np.ndarray
    reading: Reading

    def outcomes(self, maps, labels) -> list:
        """For each order: loss, rank and logit of the label, and whether the target comes first; all (p, n)
        for p points.
        """
        engine, inserting = open_engine(self.split, self.fill, self.reading), self.mode == "insert"
        at = self.at if inserting else self.split.n_units - self.at[::-1]
        orders = np.array(self.orders if inserting else [order[::-1] for order in self.orders], np.int64)
        shape = (len(orders), len(at), len(maps))
        records = [np.empty(shape, kind) for kind in (np.float32, np.int32, np.float32, bool)]
        blocks = [slice(i, i + engine.images) for i in range(0, len(maps), engine.images)]
        bar = progress_bar(total=len(blocks) * orders.size, unit="unit", desc="curves")
        with threadpool_limits(engine.blas_threads, "blas"), bar:
            for block in blocks:
                part = maps[block]
                states = len(part) * len(at) * len(orders)
                live = engine.load(np.asarray(part), getattr(part, "images", None), states)
                asked = engine, orders, live, at, labels[block], self.target
                for done in walk_orders(*asked, [record[:, :, block] for record in records]):
                    bar.update(done * self.split.n_units)
        return [list(each) for each in zip(*(r if inserting else r[:, ::-1] for r in records), strict=True)]

    def curve(self, order, labels, own, other) -> Curve:
        """The curve of one order from what ``outcomes`` gave on the images, and on the negatives if there are
        any.
        """
        losses, ranks, logits, chosen = own
        if self.reading.bounded:
            losses = np.minimum(losses, np.float32(LARGEST_LOSS))
        known: dict[str, Any] = {}
        if self.target is not None:
            negative = np.empty((len(chosen), 0), bool) if other is None else other[-1]
            positive = np.append(labels == self.target, np.zeros(negative.shape[1], bool))
            known = {"chosen": np.hstack([chosen, negative]), "positive": positive}
        settings = self.mode, order, self.split.engine, self.split.n_classes
        return Curve(
            *settings,
            ranks < 1,
            losses,
            logits,
            ranks < 5,
            points=self.at,
            outputs=str(self.reading),
            **known,
        )

"""Cumulative ablation and insertion of units (Sec. 3.2 and 3.3), exactly, at about the cost of one pass."""

import numpy as np
from threadpoolctl import threadpool_limits

from ..files import store
from ..files.progress import progress_bar
from ..networks.split import images_of
from .curves import Curve
from .engines import open_engine

ENGINE_VERSION = (
    2  # of the engines; goes up when a change may change a number, so that what is kept is computed anew
)
LARGEST_LOSS = -np.log(np.finfo(np.float32).tiny)  # 87.3 nats: of the smallest float32 probability
FEW_CLASSES = 64  # up to which a maximum over classes is faster with the classes as rows
_MEAN_AXES = {"mean-map": (0,), "mean-value": (0, 1, 2)}


def ablation_curve(split, maps, labels, order, mode="remove", **options) -> Curve:
    """Outcomes of the network while units are removed, or brought back, one by one in ``order``; see ``ablation_curves``."""
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
) -> list[Curve]:
    """Curves of several orders on the same maps, sharing their work (Sec. 3.2, 3.3).

    Point k of a curve is the network with the units order[:k] replaced ("remove"), or with all but those replaced ("insert").
    Units that do not differ from their replacement on an image cost nothing.

    Parameters
    ----------
    split : SplitModel
    maps : (n, h, w, u) float
        ``split.feature_maps(images)``; of a masked-model split, with their images. Or ``LazyMaps``, of which one block is in memory.
    labels : (n,) int, or one int for all
    orders : sequence of (u,) int
        Permutations of the units; the first is the first to go, or to come.
    mode : "remove" or "insert"
    replacement : "zero", "mean-map", "mean-value", or an array (u,) or (h, w, u)
        What an absent unit shows: nothing (the paper), its mean map or its mean value over ``maps``, or what the array says, such as
        its mean over another data set.
    negatives : (m, h, w, u) float, optional
        Maps of images of other classes; with them the curves have false-positive rate, precision and balanced accuracy of ``target``.
    target : int, optional
        By default the label, where all maps have the same.
    cache : folder, optional
        Where results are kept, by model weights, maps, labels, orders and ``ENGINE_VERSION``, and found again: for long runs.
    points : int, optional
        How many points a curve has, evenly spaced over the units, the first and the last among them; by default all u + 1. Exact at
        these; ``Curve.points`` tells which they are. For tails that are large or must be run again at each point.

    Returns
    -------
    list of Curve
        In the order of ``orders``; ``Curve.engine`` tells how they were computed.

    Raises
    ------
    ValueError
        If an order repeats or misses a unit, a label or target is not one of the classes, maps do not fit the split or are not finite, or
        ``points`` is less than 2.
    """
    maps = _check_maps(split, maps)
    labels = _check_labels(labels, len(maps), split.n_classes)
    orders = [_check_order(order, split.n_units) for order in orders]
    if mode not in ("remove", "insert"):
        raise ValueError(f"mode is {mode!r}; expected 'remove' or 'insert'.")
    target = _check_target(target, labels, split.n_classes, negatives)
    fill = _replacement(replacement, maps)
    strangers = None if negatives is None else np.full(len(_check_maps(split, negatives)), target)
    at = spaced_points(split.n_units, points)

    def work():
        own = _outcomes(split, maps, labels, orders, mode, fill, target, at)
        return own, [] if strangers is None else _outcomes(
            split, negatives, strangers, orders, mode, fill, target, at
        )

    key = {"mode": mode, "target": target, "layer": split.layer, "engine": [split.engine, ENGINE_VERSION]}
    key |= {"points": at.tolist()} if len(at) <= split.n_units else {}
    own, other = (
        work()
        if cache is None
        else _cached(cache, key, split, [maps, negatives, labels, np.array(orders), fill], work)
    )
    other = other or [None] * len(orders)
    return [
        _curve(split, mode, order, labels, target, at, *outcomes)
        for order, *outcomes in zip(orders, own, other, strict=True)
    ]


def spaced_points(n_units, points=None) -> np.ndarray:
    """At which numbers of units a curve is evaluated, (p,) int from 0 to ``n_units``; see ``ablation_curves``.

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


def _cached(folder, key, split, inputs, work):
    """``work()`` or what it gave before: for each order the four arrays of ``_outcomes``, on the images and on the negatives."""
    images = [part.images for part in inputs if getattr(part, "images", None) is not None]
    seen = [np.asarray(part) for part in inputs if part is not None]
    key = {**key, "inputs": store.digest(*seen, *images), "weights": store.digest(*split.model.get_weights())}
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


def _curve(split, mode, order, labels, target, at, own, other):
    losses, ranks, logits, chosen = own
    if split.plan.softmax is not None:
        losses = np.minimum(losses, np.float32(LARGEST_LOSS))
    known = {}
    if target is not None:
        strangers = np.empty((len(chosen), 0), bool) if other is None else other[-1]
        positive = np.append(labels == target, np.zeros(strangers.shape[1], bool))
        known = {"chosen": np.hstack([chosen, strangers]), "positive": positive}
    return Curve(
        mode, order, split.engine, split.n_classes, ranks < 1, losses, logits, ranks < 5, points=at, **known
    )


def _check_labels(labels, n, n_classes):
    labels = np.asarray(labels)
    labels = np.full(n, labels) if labels.ndim == 0 else labels
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels are {labels.dtype} of shape {labels.shape}; expected one integer for each of {n} maps, or one for all."
        )
    if not (0 <= labels.min() and labels.max() < n_classes):
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}; the model has the classes 0 to {n_classes - 1}."
        )
    return labels.astype(np.int64)


def _check_order(order, n_units):
    order = np.asarray(order)
    if order.ndim != 1 or order.dtype.kind not in "iu":
        raise ValueError(
            f"order is {order.dtype} of shape {order.shape}; expected a permutation of the {n_units} units as integers."
        )
    missing, repeated = (
        np.setdiff1d(np.arange(n_units), order),
        np.flatnonzero(np.bincount(np.clip(order, 0, None)) > 1),
    )
    foreign = order[(order < 0) | (order >= n_units)]
    if missing.size or len(order) != n_units:
        raise ValueError(
            f"order has {len(order)} entries for {n_units} units: it misses {missing[:5].tolist()}, repeats {repeated[:5].tolist()} "
            f"and has unknown {foreign[:5].tolist()} (the first five of each). Give every unit once."
        )
    return order.astype(np.int64)


def _check_target(target, labels, n_classes, negatives):
    if target is None and len(labels) and (labels == labels[0]).all():
        target = labels[0]
    if target is None and negatives is not None:
        raise ValueError(
            f"negatives came with maps of {len(np.unique(labels))} labels and no target; say which class is the target."
        )
    if target is not None and not 0 <= target < n_classes:
        raise ValueError(f"target is {target}; the model has the classes 0 to {n_classes - 1}.")
    return target


def _check_maps(split, maps):
    if (
        maps.ndim != 4
        or len(maps) == 0
        or any(a not in (None, b) for a, b in zip(split.map_shape, maps.shape[1:], strict=True))
    ):
        raise ValueError(
            f"maps have shape {maps.shape}; expected (n, {', '.join(map(str, split.map_shape))}) with n >= 1."
        )
    if split.engine == "masked-model":
        images_of(maps)
    for i, image in enumerate(
        maps if isinstance(maps, np.ndarray) else ()
    ):  # LazyMaps look at theirs when they make them
        if not np.isfinite(image).all():
            unit = np.flatnonzero(~np.isfinite(image).all(axis=(0, 1)))[0]
            raise ValueError(
                f"map of image {i}, unit {unit} is not finite; look at the image and at the weights."
            )
    return maps


def _replacement(replacement, maps):
    """What absent units show, (h, w, u) float32."""
    if isinstance(replacement, str):
        if replacement not in ("zero", *_MEAN_AXES):
            raise ValueError(
                f"replacement is {replacement!r}; expected 'zero', {', '.join(map(repr, _MEAN_AXES))} or an array."
            )
        axes = _MEAN_AXES.get(replacement)
        replacement = 0 if axes is None else np.asarray(maps).mean(axis=axes, dtype=np.float64)
    given, shape = np.asarray(replacement, np.float32), maps.shape[1:]
    if given.shape not in ((), shape[-1:], shape):
        raise ValueError(
            f"replacement has shape {given.shape}; expected {shape[-1:]}, a value for each unit, or {shape}, a map for each."
        )
    return np.broadcast_to(given, shape).copy()


def _outcomes(split, maps, labels, orders, mode, fill, target, at):
    """For each order: loss, rank and logit of the label, and whether the target comes first; all (p, n), p the number of points ``at``."""
    engine = open_engine(split.plan, fill)
    shape, present_at = (len(at), len(maps)), at if mode == "insert" else split.n_units - at[::-1]
    records = [[np.empty(shape, kind) for kind in (np.float32, np.int32, np.float32, bool)] for _ in orders]
    blocks = [slice(i, i + engine.images) for i in range(0, len(maps), engine.images)]
    bar = progress_bar(total=len(blocks) * len(orders) * split.n_units, unit="unit", desc="curves")
    with threadpool_limits(engine.blas_threads, "blas"), bar:
        for block in blocks:
            part = maps[block]
            live = engine.load(np.asarray(part), getattr(part, "images", None))
            for order, record in zip(orders, records, strict=True):
                present = order if mode == "insert" else order[::-1]
                _walk(
                    engine,
                    present,
                    live,
                    present_at,
                    labels[block],
                    target,
                    [part[:, block] for part in record],
                )
                bar.update(split.n_units)
    return records if mode == "insert" else [[part[::-1] for part in record] for record in records]


def _walk(engine, order, live, points, labels, target, record):
    """Fill ``record`` with the outcomes of points[0], points[1], ... units present; where nothing changed, the outcome before stays."""
    for steps, images, rows in _grouped(engine.states(order, live, points), engine.rows):
        for part, values in zip(
            record, _judge(engine.logits(rows, images), labels[images], target), strict=True
        ):
            part[steps, images] = values
    changed = np.vstack([np.ones(live.shape[1], bool), np.logical_or.reduceat(live[order], points[:-1])])
    last = np.maximum.accumulate(np.where(changed, np.arange(len(changed))[:, None], 0), axis=0)
    for part in record:
        part[:] = np.take_along_axis(part, last, axis=0)


def _grouped(states, n_rows):
    """The states in groups of ``n_rows`` rows, the last as it comes: (steps, images, rows)."""
    held, size = [], 0
    for k, images, rows in states:
        held.append((np.full(len(images), k), images, rows))
        size += len(images)
        while size >= n_rows:
            group = [np.concatenate(parts) for parts in zip(*held, strict=True)]
            yield [part[:n_rows] for part in group]
            held, size = [[part[n_rows:] for part in group]], size - n_rows
    if size:
        yield [np.concatenate(parts) for parts in zip(*held, strict=True)]


def _judge(logits, labels, target):
    """Loss in nats, rank of the label (0 is first; ties go to the lower class), its logit, and whether the target comes first."""
    by_class = np.ascontiguousarray(logits.T) if logits.shape[1] <= FEW_CLASSES else logits.T
    own, top = by_class[labels, np.arange(len(labels))], by_class.max(axis=0)
    losses = np.log(np.exp(by_class - top).sum(axis=0)) + (top - own)
    lower = np.arange(len(by_class))[:, None] < labels
    ranks = ((by_class > own) | ((by_class == own) & lower)).sum(axis=0)
    return losses, ranks, own, by_class.argmax(axis=0) == target

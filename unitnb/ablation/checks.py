"""What ablation is asked with, checked first: labels, orders, targets, maps and what absent units show."""

import numpy as np

from ..networks.image_maps import images_of

_MEAN_AXES = {"mean-map": (0,), "mean-value": (0, 1, 2)}


def check_labels(labels, n, n_classes) -> np.ndarray:
    """Labels (n,) int64 of n images, given one by one or one for all; ValueError where one is no class of the
    model.
    """
    labels = np.asarray(labels)
    labels = np.full(n, labels) if labels.ndim == 0 else labels
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels are {labels.dtype} of shape {labels.shape}; expected one integer for each of "
            f"{n} maps, or one for all."
        )
    if not (0 <= labels.min() and labels.max() < n_classes):
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}; the model has the classes 0 to "
            f"{n_classes - 1}."
        )
    return labels.astype(np.int64)


def check_order(order, n_units) -> np.ndarray:
    """A permutation of the units, (n_units,) int64; ValueError that names what is missing, repeated or
    unknown.
    """
    order = np.asarray(order)
    if order.ndim != 1 or order.dtype.kind not in "iu":
        raise ValueError(
            f"order is {order.dtype} of shape {order.shape}; expected a permutation of the {n_units} "
            "units as integers."
        )
    missing = np.setdiff1d(np.arange(n_units), order)
    repeated = np.flatnonzero(np.bincount(np.clip(order, 0, None)) > 1)
    foreign = order[(order < 0) | (order >= n_units)]
    if missing.size or len(order) != n_units:
        raise ValueError(
            f"order has {len(order)} entries for {n_units} units: it misses {missing[:5].tolist()}, repeats "
            f"{repeated[:5].tolist()} and has unknown {foreign[:5].tolist()} (the first five of each). Give "
            "every unit once."
        )
    return order.astype(np.int64)


def check_target(target, labels, n_classes, negatives):
    """The class whose rates are asked for: the one given, the only label, or None."""
    if target is None and len(labels) and (labels == labels[0]).all():
        target = int(labels[0])
    if target is None and negatives is not None:
        raise ValueError(
            f"negatives came with maps of {len(np.unique(labels))} labels and no target; say which class is "
            "the target."
        )
    if target is not None and not 0 <= target < n_classes:
        raise ValueError(f"target is {target}; the model has the classes 0 to {n_classes - 1}.")
    return target


def check_maps(split, maps):
    """``maps`` if they are finite maps (n, h, w, u) of the split, with their images where it needs them; else
    ValueError.
    """
    fits = maps.ndim == 4 and all(
        a in (None, b) for a, b in zip(split.map_shape, maps.shape[1:], strict=True)
    )
    if not fits or len(maps) == 0:
        raise ValueError(
            f"maps have shape {maps.shape}; expected (n, {', '.join(map(str, split.map_shape))}) with n >= 1."
        )
    if split.engine == "masked-model":
        images_of(maps)
    made = maps if isinstance(maps, np.ndarray) else ()  # LazyMaps look when they make theirs
    for i, image in enumerate(made):
        if not np.isfinite(image).all():
            unit = np.flatnonzero(~np.isfinite(image).all(axis=(0, 1)))[0]
            raise ValueError(
                f"map of image {i}, unit {unit} is not finite; look at the image and at the weights."
            )
    return maps


def replacement_maps(replacement, maps):
    """What absent units show, (h, w, u) float32."""
    if isinstance(replacement, str):
        if replacement not in ("zero", *_MEAN_AXES):
            raise ValueError(
                f"replacement is {replacement!r}; expected 'zero', {', '.join(map(repr, _MEAN_AXES))} or an "
                "array."
            )
        axes = _MEAN_AXES.get(replacement)
        replacement = 0 if axes is None else np.asarray(maps).mean(axis=axes, dtype=np.float64)
    given, shape = np.asarray(replacement, np.float32), maps.shape[1:]
    if given.shape not in ((), shape[-1:], shape):
        raise ValueError(
            f"replacement has shape {given.shape}; expected {shape[-1:]}, a value for each unit, or {shape}, "
            "a map for each."
        )
    return np.broadcast_to(given, shape).copy()

"""The four roles of Sec. 3.6 by a rule instead of by eye: core, overfitted, generalizing, confusing units.

Units enter the layer by importance. What a stretch of the order does to training and test accuracy gives its
role; resampling the images tells how sure that is. No network is run here.
"""

from dataclasses import dataclass

import numpy as np

from ..units.intervals import drawn_counts, interval
from .pieces import best_bounds

ROLES = ("core", "overfitted", "generalizing", "confusing")
KNOTS = 48  # intervals between which a change point may lie
HEAD_PIECES, REST_PIECES = (2, 3, 4), (1, 2, 3, 4)  # linear pieces that the fits may have
ROUNDING = 1e-9  # what may be left of a difference that is 0


@dataclass(frozen=True)
class Roles:
    """Roles of a layer's u units and how sure they are; s is the number of segments of the order."""

    role: np.ndarray  # (u,) str, by unit index: one of ROLES
    agreement: np.ndarray  # (u,) share of the bootstraps that give the unit the same role, in [0, 1]
    spans: list  # (start, stop, role): positions start to stop - 1 of the order
    breakpoints: np.ndarray  # (s + 1,) int, from 0 to u: segment i goes from point breakpoints[i] to the next
    slopes: np.ndarray  # (s, 2) change of the training and of the test metric for each unit that enters
    intervals: np.ndarray  # (s, 2, 2) 95% bootstrap intervals of the slopes: low, high
    core_size: int  # units in the core span at the head: m* and the late core that follows at once, or 0
    head_size: int  # m*, the core as the training curve alone shows it
    kappa: float  # agreement beyond chance (Cohen), mean over the bootstraps; NaN if one role is all there is

    @property
    def counts(self) -> dict:
        """Units in each role, all four roles included."""
        return {role: int((self.role == role).sum()) for role in ROLES}


def categorise_roles(order, train, test, *, n_boot=200, seed=0) -> Roles:
    """One role for each unit, from insertion curves on training and on test images (Sec. 3.6, Fig. 5).

    1. The training curve is fitted by 2 to 4 linear pieces; the first with a slope above 0 (95% bootstrap
       interval) ends the initial
       rise. The first m* units are core: there the smoothed curve comes within one bootstrap standard error
       of its maximum in the rise.
    2. From m* on, both curves are fitted together by 1 to 4 linear pieces with common change points. The
       signs of the slopes on
       (training, test), 0 if the 95% bootstrap interval holds 0 or the metric changes by less than one
       image over the piece, give the role of its units: (+, -) overfitted, (+, 0 or +) core (late), (0 or -,
       +) generalizing, else confusing. Units count as overfitted only where test images lose by them: a rise
       that few test images fail to show is no harm.

    Least squares; change points by dynamic programming on up to 49 points that lie closest together at the
    head (a change at m is found to about sqrt(u m) / 48 units); number of pieces by the Bayesian information
    criterion; smoothing by a centred mean over 3 points, or u/100 if more. Each bootstrap draws the images
    anew and repeats all, change points included, with the intervals' widths from the whole bootstrap. m*
    comes before the bend, so the first later piece carries the last standard error of the rise.

    Parameters
    ----------
    order : (u,) int
        Units in the order of insertion, most important first.
    train, test : Curve of mode "insert", (u + 1, n) array, or a list of such arrays
        Outcome of each image with the first k units in place, at point k; a Curve gives ``.correct``. The
        metric is the mean over the images; of a list it is the mean of the means, and each array is resampled
        on its own, so that [outcomes on images of the class, outcomes on other images] gives balanced
        accuracy. Give as many test as training images: with fewer, changes on them are seen less often. How
        many roles are noise shows a run with other training images in place of ``test``.
    n_boot, seed : int
        At least 2 bootstraps; 200 and more for quotable intervals.

    Raises
    ------
    ValueError
        If ``order`` is not a permutation, or a curve has not u + 1 points, is not from insertion or belongs
        to another order.

    >>> outcomes = np.linspace(0, 1, 9)[:, None] > np.arange(0.025, 1, 0.05)
    >>> categorise_roles(np.arange(8), outcomes, outcomes, n_boot=20).counts
    {'core': 8, 'overfitted': 0, 'generalizing': 0, 'confusing': 0}
    """
    order = checked_order(order)
    if n_boot < 2:
        raise ValueError(f"n_boot is {n_boot}; take at least 2 bootstraps, 200 for quotable intervals")
    groups = [_groups(train, "train", order), _groups(test, "test", order)]
    curves = np.stack([np.mean([g.mean(axis=1) for g in group], axis=0) for group in groups])
    rng = np.random.default_rng(seed)
    boots = np.stack([_resampled(group, n_boot, rng) for group in groups])
    image = np.array([1 / max(g.shape[1] for g in group) for group in groups])
    places, bounds, slopes, intervals, head_size = _roles_by_place(curves, boots, image)
    again = np.stack([_roles_by_place(boots[:, b], boots, image)[0] for b in range(n_boot)])
    role, agreement, by_unit = np.array(ROLES)[places], (again == places).mean(axis=0), np.argsort(order)
    core_size = int(np.argmin(np.r_[places == 0, False]))
    return Roles(
        role=role[by_unit],
        agreement=agreement[by_unit],
        spans=_spans(places),
        breakpoints=bounds,
        slopes=slopes,
        intervals=intervals,
        core_size=core_size,
        head_size=head_size,
        kappa=_kappa(places, again),
    )


def checked_order(order) -> np.ndarray:
    """``order`` (u,) as an array; a ValueError if it does not hold each unit from 0 to u - 1 once."""
    order = np.asarray(order)
    if order.ndim != 1 or not order.size or not np.array_equal(np.sort(order), np.arange(order.size)):
        raise ValueError(
            f"an order holds each unit from 0 to u - 1 once, as importance_rank gives it; got {order}"
        )
    return order


def _groups(curve, name, order):
    if getattr(curve, "mode", "insert") != "insert":
        raise ValueError(
            f"{name} is a curve of mode {curve.mode!r}; "
            "roles need insertion: ablation_curve(..., mode='insert')"
        )
    if not np.array_equal(getattr(curve, "order", order), order):
        raise ValueError(
            f"{name} was made with another order of the units; make it anew with the order given"
        )
    outcomes = getattr(curve, "correct", curve)
    groups = [np.asarray(g, float) for g in (outcomes if isinstance(outcomes, (list, tuple)) else [outcomes])]
    for group in groups:
        if group.ndim != 2 or group.shape[0] != order.size + 1 or not group.shape[1]:
            raise ValueError(
                f"{name} has shape {group.shape}; expected ({order.size + 1}, images): "
                f"outcomes after 0 to {order.size} units"
            )
    return groups


def _resampled(groups, n_boot, rng):
    draws = [drawn_counts(g.shape[1], n_boot, rng) / g.shape[1] for g in groups]
    return np.mean([draw @ g.T for draw, g in zip(draws, groups, strict=True)], axis=0)


def _roles_by_place(curves, boots, image):
    """Role (u,), an index in ROLES, by place; bounds, slopes and intervals of the segments; m*."""
    head, knots = _head_size(curves[0], boots[0], image[:1]), _knots(curves.shape[1] - 1)
    bounds = np.unique(np.r_[0, best_bounds(curves, np.r_[head, knots[knots > head]], REST_PIECES, image)])
    slopes, intervals = _slopes(curves, boots, bounds)
    codes = np.repeat(role_codes(*_signs(bounds, slopes, intervals, image).T), np.diff(bounds))
    codes[:head] = ROLES.index("core")
    return codes, bounds, slopes, intervals, head


def _signs(bounds, slopes, intervals, image):
    """1 and -1 where a metric rises or falls for sure and by an image or more, else 0; (segments, curves)."""
    sure = np.where(intervals[..., 0] > 0, 1, np.where(intervals[..., 1] < 0, -1, 0))
    return sure * (np.abs(slopes) * np.diff(bounds)[:, None] > image - ROUNDING)


def role_codes(train_signs, test_signs):
    """Indices in ROLES from the signs -1, 0 or 1 of the changes of both metrics, elementwise."""
    rises = np.where(test_signs < 0, 1, 0)
    return np.where(train_signs > 0, rises, np.where(test_signs > 0, 2, 3))


def _head_size(curve, boots, image):
    bounds = best_bounds(curve[None], _knots(curve.size - 1), HEAD_PIECES, image)
    slopes, intervals = _slopes(curve[None], boots[None], bounds)
    rising = _signs(bounds, slopes, intervals, image) > 0
    if not rising.any():
        return 0
    end, half = bounds[1 + np.argmax(rising)], max(1, curve.size // 200)
    windows = [slice(max(m - half, 0), m + half + 1) for m in range(end + 1)]
    smooth = np.array([curve[window].mean() for window in windows])
    error = boots[:, windows[np.argmax(smooth)]].mean(axis=1).std(ddof=1)
    return int(np.argmax(smooth >= smooth.max() - error - ROUNDING))


def _knots(u):
    # Spacing grows with the square root of the place: core units are few, so the knots are dense at the head.
    return np.unique(np.rint(u * np.linspace(0, 1, KNOTS + 1) ** 2).astype(int))


def _slopes(curves, boots, bounds):
    """Least-squares slopes (s, curves) and 95% intervals (s, curves, 2), centred on the curve's own slope."""
    slopes, intervals = np.empty((len(bounds) - 1, len(curves))), np.empty((len(bounds) - 1, len(curves), 2))
    for i, (a, b) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
        m = np.arange(a, b + 1) - (a + b) / 2
        line = m / (m @ m)
        slopes[i] = curves[:, a : b + 1] @ line
        spread = boots[:, :, a : b + 1] @ line
        intervals[i] = (np.array(interval(spread, axis=1).ends) + slopes[i] - spread.mean(axis=1)).T
    return slopes, intervals


def _spans(places):
    starts = np.flatnonzero(np.r_[True, places[1:] != places[:-1]])
    stops = np.r_[starts[1:], places.size]
    return [(int(a), int(b), ROLES[places[a]]) for a, b in zip(starts, stops, strict=True)]


def _kappa(places, again):
    once, often = (np.bincount(codes.ravel(), minlength=4) / codes.size for codes in (places, again))
    return float(1 - (again != places).mean() / (1 - once @ often)) if once @ often < 1 else float("nan")

"""Measures of the claims of Sec. 3.4, from curves of ablation: numbers for ``record_claims``."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..ablation.curves import Curve
from ..ablation.held_out import held_out_peak
from ..units.intervals import interval, resampled_means
from .criteria import BY_ID
from .grades import HOLDS

KEPT = 0.04  # of the units: what the paper keeps where 96% are removed


class ClassCurves(NamedTuple):
    """The curves of one class, all of mode "remove", on training images unless said otherwise."""

    removed: Curve  # in the order of the rank
    reverse: Curve  # in its reverse
    random: Sequence[Curve]  # in random orders
    test: Curve  # in the order of the rank, on test images


def ablation_claims(by_class: Mapping[str, ClassCurves], target: str) -> dict[str, dict]:
    """Numbers of C15 to C22 (Sec. 3.4, Fig. 3): of the target class, and the same of every class.

    "random orders beaten" is the share of the random orders of a class that the rank beats in the reading: a
    sooner loss or peak, a larger excess or rise, a narrower collapse, a smaller distance.
    """
    found = {name: class_readings(curves) for name, curves in by_class.items()}
    several = len(found) > 1
    return {
        **{
            claim: numbers | ({"by class": {name: f[claim] for name, f in found.items()}} if several else {})
            for claim, numbers in found[target].items()
        },
        "C21": _transitions(list(found.values())),
    }


def class_readings(curves: ClassCurves) -> dict[str, dict]:
    """Numbers of C15 to C20 and of C22 for one class."""
    removed, reverse, random, test = curves
    units, n = len(removed.order), {"n": removed.correct.shape[1]}
    place = removed.peak("loss")[0]
    found = {
        "C15": {
            "units": removed.units_to_lose() / units,
            "random orders": np.median([curve.units_to_lose() for curve in random]) / units,
            "interval": removed.bootstrap(lambda curve: curve.units_to_lose() / units),
            **_beaten(removed, random, Curve.units_to_lose),
        },
        "C16": {
            "place": place / units,
            "interval": removed.bootstrap(lambda curve: curve.peak("loss")[0] / units),
            **_beaten(removed, random, lambda curve: curve.peak("loss")[0]),
        },
        "C17": _loss_excess(removed, test, random),
        "C18": _rise(reverse, random),
        "C19": _width(reverse, random),
        "C20": {
            "distance": halving_distance(reverse),
            "interval": reverse.bootstrap(halving_distance),
            **_beaten(reverse, random, halving_distance),
        },
        "C22": _dispensable(reverse, random),
    }
    return {claim: numbers | n for claim, numbers in found.items()}


def _beaten(own, random, reading: Callable, larger=False):
    """Share of the random orders whose reading is larger, or smaller where ``larger`` is good."""
    value, others = reading(own), np.array([reading(curve) for curve in random])
    return {"random orders beaten": float(((others < value) if larger else (others > value)).mean())}


def _excess(curve):
    return float(curve.loss.max() - curve.loss[-1])


def _loss_excess(removed, test, random):
    place = removed.peak("loss")[0]
    own, other = (_mean_and_ends(curve.losses[place] - curve.losses[-1]) for curve in (removed, test))
    return {
        "excess": own[0],
        "interval": own[1:],
        "empty layer": float(removed.loss[-1]),
        "on test images": other[0],
        "low, on test images": other[1],
        "high, on test images": other[2],
        **_beaten(removed, random, _excess, larger=True),
    }


def _mean_and_ends(values, n_boot=1000, seed=0):
    """Mean of one number an image, and its interval over resampled images."""
    values = np.asarray(values, float)
    ends = interval(resampled_means(values, n_boot, np.random.default_rng(seed)), method="inner").ends
    return float(values.mean()), *ends


def _rise(reverse, random):
    peak = held_out_peak(reverse.correct)
    rise, *ends = _mean_and_ends(peak.gains)
    removed = float(np.mean(reverse.points[list(peak.places)])) / len(reverse.order)
    own = {"rise": rise, "interval": tuple(ends), "removed": removed}
    return own | _beaten(reverse, random, lambda curve: held_out_peak(curve.correct).gain, larger=True)


def _width(reverse, random):
    units = len(reverse.order)
    return {
        "width": reverse.collapse_width() / units,
        "interval": reverse.bootstrap(lambda curve: curve.collapse_width() / units),
        **_beaten(reverse, random, Curve.collapse_width),
    }


def halving_distance(reverse: Curve) -> float:
    """Distance, as a share of the units, between two places where a class is lost (C20).

    Accuracy falls to half its peak behind the peak; the loss passes half of its range behind its least value.
    Infinity where accuracy never halves.
    """
    accuracy, loss = reverse.accuracy, reverse.loss
    top, least = int(accuracy.argmax()), int(loss.argmin())
    halved = accuracy[top:] <= accuracy[top] / 2
    if not halved.any():
        return np.inf
    middle = loss[least] + (loss[least:].max() - loss[least]) / 2
    places = reverse.points[[top + int(halved.argmax()), least + int((loss[least:] >= middle).argmax())]]
    return float(abs(places[0] - places[1])) / len(reverse.order)


def _dispensable(reverse, random):
    found: dict = {}
    for name, kept in (("", KEPT), (", with half", 0.5)):
        at = int(np.abs(reverse.points - (1 - kept) * len(reverse.order)).argmin())
        change, low, high = _mean_and_ends(reverse.correct[at].astype(float) - reverse.correct[0])
        beaten = _beaten(reverse, random, lambda curve, at=at: curve.accuracy[at], larger=True)
        ends = {"interval": (low, high)} if not name else {"low, with half": low, "high, with half": high}
        found |= {f"change{name}" if not name else "with half": change, **ends}
        found |= {f"{key}{name}": share for key, share in beaten.items()}
    return found


def _transitions(found):
    rise, collapse = ([BY_ID[claim].judge(f[claim]) == HOLDS for f in found] for claim in ("C18", "C19"))
    return {
        "classes": len(found),
        "rise": np.mean(rise),
        "collapse": np.mean(collapse),
        "both": np.mean(np.logical_and(rise, collapse)),
    }

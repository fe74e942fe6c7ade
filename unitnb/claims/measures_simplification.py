"""Measures of the claims on smaller networks: numbers by name for ``record_claims``."""

from collections.abc import Mapping

import numpy as np

from ..controls.simplification import MAGNITUDES, area_gain
from ..units.intervals import mean_interval, paired_bootstrap


def simplification_claim(results) -> dict[str, object]:
    """Numbers of C50: area of E minus that of each of ``MAGNITUDES``, with its 95% interval.

    ``results`` is of ``simplification_results``. An area is the mean accuracy over the shares of units kept.
    The intervals are over classes and images. Where the units have no filters the claim gets a reason
    instead.
    """
    if any(name not in results.every for name in MAGNITUDES):
        return {"reason": "no one convolution makes the maps, so the units have no filters"}
    found: dict[str, object] = {}
    for name in MAGNITUDES:
        gain = area_gain(results.every["E"], results.every[name], results.labels)
        found[name], found[f"low, {name}"], found[f"high, {name}"] = paired_bootstrap(gain)
    return found


def core_suffices_claim(core: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Numbers of C51: what the core units alone change, means over classes with 95% intervals.

    ``core`` is of ``core_results``: arrays (classes,). Classes without a core are counted and left out.
    """
    found: dict[str, object] = {"share of the units": float(np.median(core["share"]))}
    found["classes without a core"] = int((core["share"] == 0).sum())
    for name in ("accuracy", "balanced accuracy"):
        found[name], found[f"low, {name}"], found[f"high, {name}"] = mean_interval(core[name])
    return found

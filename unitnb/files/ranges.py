"""The least and the greatest number that a setting of a profile or a recipe may be, both included, and words
that it may be.
"""

import math
from collections.abc import Mapping
from typing import Any

ONE_UP, TWO_UP, ZERO_UP = (1, math.inf), (2, math.inf), (0, math.inf)
SHARE, BELOW_ONE = (0.0, 1.0), (0.0, 0.9999)
ENGINE_DEVICES = ("auto", "cpu", "device")
PROFILE = {
    "image_size": ONE_UP,
    "dense": ONE_UP,
    "width": (0.001, 100.0),
    "max_classes": TWO_UP,
    "held_out": BELOW_ONE,
    "n_evaluated": ONE_UP,
    "n_rank": ONE_UP,
    "n_large": ONE_UP,
    "n_validation": ONE_UP,
    "n_others": ONE_UP,
    "effective_threshold": SHARE,
    "b_max": ONE_UP,
    "n_sets": ONE_UP,
    "set_sizes": TWO_UP,
    "n_random": ONE_UP,
    "points": TWO_UP,  # both ends of a curve count
}
RECIPE = {
    "epochs": ZERO_UP,
    "learning_rate": (0.0, 1000.0),
    "momentum": BELOW_ONE,
    "batch_size": ONE_UP,
    "dropout": BELOW_ONE,
    "l2": (0.0, 1000.0),
    "fraction": (1e-6, 1.0),
    "corrupted": SHARE,
    "drops": ZERO_UP,
    "patience": ONE_UP,
    "seed": ZERO_UP,
    "parts": ONE_UP,
}


def check_scaling(scaling: str, own_weights: bool) -> None:
    """ValueError for a scaling of images where the networks have one of their own, which would stay."""
    if scaling != "none" and not own_weights:
        raise ValueError(
            f"scaling: '{scaling}' is for weights of your own (MODEL=<file> or WEIGHTS=<file>); this "
            "profile's networks take grey levels 0..255 as they are"
        )


def check_ranges(settings: Mapping[str, Any], ranges: Mapping[str, tuple], where: str) -> None:
    """ValueError for a number, or one in a list, that is out of its range; NaN always is."""
    for key, (least, most) in ranges.items():
        value = settings.get(key)
        for number in value if isinstance(value, tuple) else (value,):
            if number is not None and not least <= number <= most:
                ends = f"{least} or more" if most == math.inf else f"a number from {least} to {most}"
                raise ValueError(f"{where}: {key}: expected {ends}, got {number!r}")

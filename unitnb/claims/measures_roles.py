"""Measures of the claims on roles (Sec. 3.6) over training seeds and classes: numbers by name.

Results of the models are (models, classes, ...). A measure takes the names of the models, their results by
name, and the profile. Its lists of numbers have one number a seed.
"""

import numpy as np

from ..roles.crossclass import shared_tails
from ..units.equivalence import mean_estimate
from .recipes import LETTERS, networks_of, of_recipe, seed_count

KINDS = {"training": "train", "test": "test"}  # images by the name in the claim: the name in the results
CORE_SHARE = 0.117  # of the units: the paper's larger core, 60 of 512 (model B)


def with_interval(numbers, effect, n="seeds"):
    """Numbers with the interval of one of them over its seeds, where there are two or more."""
    found = mean_estimate(numbers[effect])
    known = {} if np.isnan(found.low) else {"interval": found.ends}
    return numbers | known | {"n": numbers[n]}


def _means(models, values, letter, letters=LETTERS):
    """Mean over classes of (models, classes) values of one recipe's networks, a number a seed."""
    return np.nanmean(of_recipe(models, values, letter, letters), axis=1)


def _places(curves):
    """Share of the units at the curve's maximum, mean over classes, a number for each seed."""
    return (curves.argmax(axis=-1) / (curves.shape[-1] - 1)).mean(axis=1)


def _gaps(models, results, profile):
    gaps = (results["train"] - results["test"])[..., -1]
    found = {f"gap of {letter}": _means(models, gaps, letter) for letter in LETTERS}
    return with_interval({"seeds": seed_count(models), **found}, "gap of D")


def _role_stability(models, results, profile):
    kappa = np.mean([_means(models, results["kappa"], letter) for letter in LETTERS], axis=0)
    return with_interval({"seeds": len(kappa), "kappa": kappa}, "kappa")


def _core_rise(models, results, profile):
    least = {
        name: np.min([_rises(models, results, letter, kind) for letter in LETTERS], axis=0)
        for name, kind in KINDS.items()
    }
    return with_interval({"seeds": seed_count(models), **least}, "test")


def _rises(models, results, letter, kind):
    """Rise of accuracy over the core, mean over classes, a number for each seed."""
    curves, core = (of_recipe(models, results[key], letter) for key in (kind, "core"))
    there = np.take_along_axis(curves, core[..., None].astype(int), axis=-1)[..., 0]
    return (there - curves[..., 0]).mean(axis=1)


def _early_peak(models, results, profile):
    place, gain = (_means(models, results[name], "A", "A") for name in ("peak_place", "peak_gain"))
    found = {"seeds": len(place), "above the full model": gain, "place": place}
    return with_interval(found, "above the full model")


def _later_peak(models, results, profile):
    curves = of_recipe(models, results["train"], "B", "AB")
    third = np.ceil(curves.argmax(axis=-1) / 3).astype(int)
    there = np.take_along_axis(curves, third[..., None], axis=-1)[..., 0]
    start = curves[..., 0]
    share = (there - start).sum(axis=1) / (curves.max(axis=-1) - start).sum(axis=1)
    places = {f"place in {letter}": _means(models, results["peak_place"], letter, "AB") for letter in "AB"}
    return with_interval({"seeds": len(share), "first third": share, **places}, "first third")


def _after_the_core(models, results, profile):
    changes = {
        name: np.mean(
            [_means(models, results[f"{kind}_after_test"], letter, "CD") for letter in "CD"], axis=0
        )
        for name, kind in KINDS.items()
    }
    return with_interval({"seeds": seed_count(models, "CD"), **changes}, "test")


def _turning_point(models, results, profile):
    earlier = [
        _places(of_recipe(models, results["test"], letter, "CD"))
        - _places(of_recipe(models, results["train"], letter, "CD"))
        for letter in "CD"
    ]
    found = {"seeds": seed_count(models, "CD"), "test minus training": np.mean(earlier, axis=0)}
    return with_interval(found, "test minus training")


def _confusing(models, results, profile):
    first = networks_of(models, "A")
    ranks = results["rank"][first].astype(int)
    head = max(1, round(CORE_SHARE * ranks.shape[-1]))
    found = np.array([shared_tails(rank, head, head) for rank in ranks])
    place = np.nanmean(results["confusing_place"], axis=1)
    numbers = {"seeds": len(found), "share": found[:, 0], "by chance": found[:, 1:].mean(axis=1)}
    return with_interval(numbers | {"place": place[~np.isnan(place)]}, "share")


def _peaks(models, results, profile):
    peaks = {f"peak of {letter}": _means(models, results["test_peak"], letter, "AB") for letter in "AB"}
    return with_interval({"seeds": seed_count(models, "AB"), **peaks}, "peak of B")


def _decline(models, results, profile):
    slopes = {letter: _means(models, results["train_decline"], letter) for letter in LETTERS}
    others = np.min([slopes[letter] for letter in "BCD"], axis=0)
    found = {"seeds": len(others), "slope in A": slopes["A"], "least slope in B, C, D": others}
    return with_interval(found, "slope in A")


def _core_share(models, results, profile):
    units = results["rank"].shape[-1]
    found = {letter: _means(models, results["core"] / units, letter, "AB") for letter in "AB"}
    heads = {
        f"training curve alone, {letter}": _means(models, results["head"] / units, letter, "AB")
        for letter in "AB"
    }
    return with_interval({"seeds": seed_count(models, "AB"), **found, **heads}, "A")


ROLE_CLAIMS = {  # by claim: the recipes that it needs, and its measure
    "C29": ("ABCD", _gaps),
    "C30": ("ABCD", _role_stability),
    "C31": ("ABCD", _core_rise),
    "C32": ("A", _early_peak),
    "C33": ("AB", _later_peak),
    "C34": ("CD", _after_the_core),
    "C35": ("CD", _turning_point),
    "C38": ("A", _confusing),
    "C39": ("AB", _peaks),
    "C40": ("ABCD", _decline),
    "C41": ("AB", _core_share),
}

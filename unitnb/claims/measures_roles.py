"""Measures of the claims on roles (Sec. 3.6) over training seeds and classes: numbers by name.

Results of the models are (models, classes, ...). A measure takes the names of the models, their results by
name, and the profile. Its lists of numbers have one number a seed.
"""

import numpy as np
from scipy.stats import kendalltau, spearmanr

from ..roles.by_place import ROLES
from ..roles.crossclass import shared_tails
from ..roles.many_models import overfitting_signs, post_core_slope, spearman_interval
from .recipes import LETTERS, networks_of, of_recipe, seed_count

KINDS = {"training": "train", "test": "test"}  # images by the name in the claim: the name in the results
CORE_SHARE = 0.117  # of the units: the paper's larger core, 60 of 512 (model B)


def _slopes(models, results, letter, kind):
    """Slope after the core, mean over classes, a number for each seed."""
    pairs = zip(
        of_recipe(models, results[kind], letter), of_recipe(models, results["core"], letter), strict=True
    )
    return np.array(
        [np.mean([post_core_slope(curve, core) for curve, core in zip(*pair, strict=True)]) for pair in pairs]
    )


def _places(curves):
    """Share of the units at the curve's maximum, mean over classes, a number for each seed."""
    return (curves.argmax(axis=-1) / (curves.shape[-1] - 1)).mean(axis=1)


def _gaps(models, results, profile):
    gaps = (results["train"] - results["test"])[..., -1].mean(axis=1)
    return {
        "seeds": seed_count(models),
        **{f"gap of {letter}": of_recipe(models, gaps, letter) for letter in LETTERS},
    }


def _role_stability(models, results, profile):
    units = results["train"].shape[-1] - 1
    kappa = np.nanmean(
        [np.nanmean(of_recipe(models, results["kappa"], letter), axis=1) for letter in LETTERS], axis=0
    )
    return {
        "seeds": len(kappa),
        "units without role": int((results["roles"].sum(axis=-1) != units).sum()),
        "kappa": kappa,
    }


def _core_rise(models, results, profile):
    least = {
        name: np.min([_rises(models, results, letter, kind) for letter in LETTERS], axis=0)
        for name, kind in KINDS.items()
    }
    return {"seeds": seed_count(models), **least}


def _rises(models, results, letter, kind):
    """Rise of accuracy over the core, mean over classes, a number for each seed."""
    curves, core = (of_recipe(models, results[key], letter) for key in (kind, "core"))
    there = np.take_along_axis(curves, core[..., None].astype(int), axis=-1)[..., 0]
    return (there - curves[..., 0]).mean(axis=1)


def _early_peak(models, results, profile):
    curves = of_recipe(models, results["train"], "A")
    return {
        "seeds": len(curves),
        "place": _places(curves),
        "above the full model": (curves.max(axis=-1) - curves[..., -1]).mean(axis=1),
    }


def _later_peak(models, results, profile):
    first, second = (of_recipe(models, results["train"], letter) for letter in "AB")
    top = second.argmax(axis=-1)
    third = np.take_along_axis(second, np.ceil(top / 3).astype(int)[..., None], axis=-1)[..., 0]
    start = second[..., 0]
    share = (third - start).sum(axis=1) / (second.max(axis=-1) - start).sum(axis=1)
    return {
        "seeds": len(first),
        "place in A": _places(first),
        "place in B": _places(second),
        "first third": share,
    }


def _after_the_core(models, results, profile):
    slopes = {
        name: np.mean([_slopes(models, results, letter, kind) for letter in "CD"], axis=0)
        for name, kind in KINDS.items()
    }
    return {"seeds": seed_count(models), **slopes}


def _turning_point(models, results, profile):
    earlier = [
        _places(of_recipe(models, results["test"], letter))
        - _places(of_recipe(models, results["train"], letter))
        for letter in "CD"
    ]
    return {"seeds": seed_count(models), "test minus training": np.mean(earlier, axis=0)}


def _detection(models, results, profile):
    signs = overfitting_signs(results)
    trivial = spearman_interval(signs["train_accuracy"], signs["gap"])[0]
    return {**_correlation(models, signs["slope"], signs["gap"]), "rho of training accuracy": trivial}


def _correlation(models, values, gap):
    """Spearman correlation over models of a value with the generalisation gap, and where it comes from."""
    rho, low, high, p_value = spearman_interval(values, gap)
    return {
        "seeds": seed_count(models),
        "models": len(models),
        "rho": rho,
        "interval": (low, high),
        "p": p_value,
    }


def _generalizing(models, results, profile):
    share = results["roles"][..., ROLES.index("generalizing")].mean(axis=1)
    if np.ptp(share) == 0:
        same = f"every model has the same share of generalizing units ({share[0]:.2g})"
        return {"reason": f"{same}, which correlates with nothing"}
    return _correlation(models, share, overfitting_signs(results)["gap"])


def _confusing(models, results, profile):
    ranks = results["rank"][networks_of(models, "A")].astype(int)
    head = round(CORE_SHARE * ranks.shape[-1])
    found = np.array([shared_tails(rank, head, head) for rank in ranks])
    return {"seeds": len(found), "share": found[:, 0], "by chance": found[:, 2]}


def _peaks(models, results, profile):
    peaks = results["train"].max(axis=-1).mean(axis=1)
    return {
        "seeds": seed_count(models),
        **{f"peak of {letter}": of_recipe(models, peaks, letter) for letter in "AB"},
    }


def _decline(models, results, profile):
    slopes = {letter: _slopes(models, results, letter, "train") for letter in LETTERS}
    others = np.min([slopes[letter] for letter in "BCD"], axis=0)
    return {"seeds": len(others), "slope in A": slopes["A"], "least slope in B, C, D": others}


def _order_of_models(models, results, profile):
    gap, rate = overfitting_signs(results)["gap"], results["rate"].mean(axis=1)
    corrupted = [profile.recipe(model).corrupted for model in models]
    return {
        **_correlation(models, results["entropy"].mean(axis=1), gap),
        "tau of the rate": float(kendalltau(corrupted, rate).statistic),
        "rho of the rate and the gap": float(spearmanr(rate, gap).statistic),
    }


ROLE_CLAIMS = {
    "C29": _gaps,
    "C30": _role_stability,
    "C31": _core_rise,
    "C32": _early_peak,
    "C33": _later_peak,
    "C34": _after_the_core,
    "C35": _turning_point,
    "C36": _detection,
    "C37": _generalizing,
    "C38": _confusing,
    "C39": _peaks,
    "C40": _decline,
    "C47": _order_of_models,
}

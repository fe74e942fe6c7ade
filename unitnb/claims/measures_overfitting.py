"""Measures of the claims on generalisation over many models (Sec. 3.6, [ICLR]): numbers by name.

A measure takes the names of the models, their results by name, and the profile, as in ``measures_roles``.
"""

import numpy as np
from scipy.stats import kendalltau, spearmanr

from ..roles.by_place import ROLES
from ..roles.relations import overfitting_signs, spearman_difference, spearman_interval
from .recipes import LETTERS, seed_count


def _correlation(models, values, gap):
    """Spearman correlation over models of a value with the generalisation gap, and where it comes from."""
    seeds = {"seeds": seed_count(models), "models": len(models), "n": len(models)}
    if np.ptp(values) == 0:
        return {"reason": f"every model has the same ({values[0]:.2g}), which correlates with nothing"}
    rho, low, high, p_value = spearman_interval(values, gap)
    return seeds | {"rho": rho, "interval": (low, high), "p": p_value}


def _detection(models, results, profile):
    signs = overfitting_signs(results)
    slope, loss, gap = signs["slope"], -signs["train_loss"], signs["gap"]
    more, low, high = spearman_difference(slope, loss, gap)
    rivals = {
        "rho of training loss": float(spearmanr(signs["train_loss"], gap).statistic),
        "rho of training accuracy": float(spearmanr(signs["train_accuracy"], gap).statistic),
        "more than the loss": more,
        "low, more than the loss": low,
        "high, more than the loss": high,
    }
    return {**_correlation(models, slope, gap), **rivals}


def role_share(results, role, key="roles") -> np.ndarray:
    """Share of the units with a role, mean over classes, (models,)."""
    counts = results[key]
    return (counts[..., ROLES.index(role)] / counts.sum(axis=-1)).mean(axis=1)


def _share_of(role):
    def measure(models, results, profile):
        share, placebo = role_share(results, role), role_share(results, role, "placebo")
        found = _correlation(models, share, overfitting_signs(results)["gap"])
        shares = {"share": float(share.mean()), "share, placebo": float(placebo.mean())}
        by_recipe = {f"share in {m}": float(s) for m, s in zip(models, share, strict=True) if m in LETTERS}
        return found if "reason" in found else {**found, **shares, **by_recipe}

    return measure


def _order_of_models(models, results, profile):
    gap, rate = overfitting_signs(results)["gap"], results["rate"].mean(axis=1)
    entropy = results["entropy"].mean(axis=1)
    recipes = [profile.recipe(model) for model in models]
    true = np.array([recipe.corrupted == 0 for recipe in recipes])
    noisy = {recipe.fraction for recipe in recipes if recipe.corrupted}
    alike = np.array([recipe.fraction in noisy for recipe in recipes])
    corrupted = np.array([recipe.corrupted for recipe in recipes])
    return {
        **_correlation([m for m, known in zip(models, true, strict=True) if known], entropy[true], gap[true]),
        "seeds": seed_count(models),
        "rho over all models": float(spearmanr(entropy, gap).statistic),
        "tau of the rate": float(kendalltau(corrupted[alike], rate[alike]).statistic),
        "models of the same number of images": int(alike.sum()),
    }


OVERFITTING_CLAIMS = {  # by claim: the recipes that it needs, and its measure
    "C36": ("ABCD", _detection),
    "C37": ("ABCD", _share_of("generalizing")),
    "C47": ("ABCD", _order_of_models),
    "C48": ("ABCD", _share_of("overfitted")),
    "C49": ("ABCD", _share_of("confusing")),
}

"""What the claims about models and training are judged by, over training seeds and classes, from the stored results of many models.

A letter is a recipe of the profile, A to D; "A", "A1", "A2" are networks of recipe A, from first weights and orders of images of their own.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import kendalltau, spearmanr

from ..profiles import Profile
from ..roles.by_place import ROLES
from ..roles.crossclass import shared_tails
from ..roles.many_models import model_results, overfitting_signs, post_core_slope, spearman_interval

CORE_SHARE = 0.117  # of the units: the paper's larger core, 60 of 512 (model B)


def networks_of(models: Sequence[str], letter: str) -> list[int]:
    """Places of the networks of one recipe, first seed first.

    >>> networks_of(["A", "B", "A1", "E"], "A")
    [0, 2]
    """
    return [
        place for place, model in enumerate(models) if model[0] == letter and (model[1:] or "0").isdigit()
    ]


def training_seed_claims(profile: Profile, vertices: int) -> dict[str, dict]:
    """C06 to C14, of the networks of recipe A; none without stored results, and a claim whose numbers are not among them says so.

    ``vertices`` are those of the graph of a map, its rows.
    """
    measured = _measured(profile, TRAINING)
    if "C08" in measured:
        measured["C08"] |= {"vertices": vertices, "edges": vertices * (vertices - 1) // 2}
    return measured


def role_seed_claims(profile: Profile) -> dict[str, dict]:
    """C29 to C40 and C47, of the networks of recipes A to D and of the grades between them."""
    return _measured(profile, ROLE_CLAIMS)


def _measured(profile, claims: Mapping[str, Callable]):
    stored = model_results(profile)
    if stored is None:
        return {}
    models, results = stored
    return {
        claim: _or_reason(measure, models, _Wanted(results), profile) for claim, measure in claims.items()
    }


class _Wanted(dict):
    def __missing__(self, key):
        raise KeyError(key)


def _or_reason(measure, models, results, profile):
    try:
        return measure(models, results, profile)
    except KeyError as missing:
        return {"reason": f"the stored results of the models hold no '{missing.args[0]}'"}


# ---- training: networks of recipe A, (seeds, classes, epochs + 1) ----


def _trend(values):
    """Kendall's tau with the epoch of the mean over classes, a number for each seed."""
    return [float(kendalltau(range(row.shape[-1]), row.mean(axis=0)).statistic) for row in np.asarray(values)]


def _first_share(values):
    return [float((row[0] - row[1]) / (row[0] - row[-1])) for row in values]


def _entropy_fall(models, results, profile):
    falls = results["epoch_entropy"][..., 0] - results["epoch_entropy"][..., -1]
    draws = np.random.default_rng(0).choice(falls.ravel(), (2000, falls.size)).mean(axis=1)
    return {
        "seeds": len(falls),
        "fall of H": falls.mean(axis=1),
        "interval": np.quantile(draws, (0.025, 0.975)),
    }


def _same_signs(models, results, profile):
    changes = {
        name: results[key][..., -1] - results[key][..., 0]
        for name, key in {"H": "epoch_entropy", "rate": "epoch_rate", "E": "epoch_effectiveness"}.items()
    }
    ends = results["train"][networks_of(models, "A")]
    changes["early peak"] = (ends.argmax(axis=-1) < ends.shape[-1] - 1) - 0.5
    shares = {name: max((values > 0).mean(), (values < 0).mean()) for name, values in changes.items()}
    return {"seeds": len(ends), "classes": ends.shape[1], **shares}


def _automatic(models, results, profile):
    curves = results["train"][networks_of(models, "A")]
    return {"seeds": len(curves), "images": profile.n_rank, "histograms": curves.shape[-1] - 1}


def _partial_births(models, results, profile):
    shares = results["partial"][networks_of(models, "A")].mean(axis=1)
    return {"seeds": len(shares), "share of units": shares}


def _tau_claim(key):
    def measure(models, results, profile):
        return {"seeds": len(results[key]), "tau": _trend(results[key])}

    return measure


def _like_the_loss(models, results, profile):
    entropy, loss = results["epoch_entropy"].mean(axis=1), results["epoch_loss"]
    together = [float(np.corrcoef(h, el)[0, 1]) for h, el in zip(entropy, loss, strict=True)]
    steps = [float(np.corrcoef(np.diff(h), np.diff(el))[0, 1]) for h, el in zip(entropy, loss, strict=True)]
    return {"seeds": len(loss), "correlation": together, "correlation of the steps": steps,
            "first epoch, H": _first_share(entropy), "first epoch, loss": _first_share(loss)}  # fmt: skip


def _index_tracking(models, results, profile):
    units = results["train"].shape[-1] - 1
    values = results["epoch_index"].mean(axis=(1, 2))
    return {"seeds": len(values), "correlation": values, "permuted": 1.96 / np.sqrt(units - 1)}


def _effectiveness_fall(models, results, profile):
    falls, unimportant = results["epoch_effectiveness"], results["epoch_zero"]
    return {"seeds": len(falls), "tau of E": _trend(falls), "tau of E = 0": _trend(unimportant)}


TRAINING = {
    "C06": _entropy_fall, "C07": _same_signs, "C08": _automatic, "C09": _partial_births, "C10": _tau_claim("epoch_pooled_entropy"),
    "C11": _like_the_loss, "C12": _index_tracking, "C13": _tau_claim("epoch_rate"), "C14": _effectiveness_fall,
}  # fmt: skip


# ---- roles: networks of recipes A to D, (models, classes, ...) ----


def _seed_count(models):
    return min(len(networks_of(models, letter)) for letter in "ABCD")


def _of(models, values, letter):
    """Values of the networks of one recipe, as many as there are of each, (seeds, classes, ...)."""
    return np.asarray(values)[networks_of(models, letter)[: _seed_count(models)]]


def _slopes(models, results, letter, kind):
    """Slope after the core, mean over classes, a number for each seed."""
    pairs = zip(_of(models, results[kind], letter), _of(models, results["core"], letter), strict=True)
    return np.array(
        [np.mean([post_core_slope(curve, core) for curve, core in zip(*pair, strict=True)]) for pair in pairs]
    )


def _places(curves):
    """Share of the units at the curve's maximum, mean over classes, a number for each seed."""
    return (curves.argmax(axis=-1) / (curves.shape[-1] - 1)).mean(axis=1)


def _gaps(models, results, profile):
    gaps = (results["train"] - results["test"])[..., -1].mean(axis=1)
    return {
        "seeds": _seed_count(models),
        **{f"gap of {letter}": _of(models, gaps, letter) for letter in "ABCD"},
    }


def _role_stability(models, results, profile):
    units = results["train"].shape[-1] - 1
    kappa = np.nanmean(
        [np.nanmean(_of(models, results["kappa"], letter), axis=1) for letter in "ABCD"], axis=0
    )
    return {
        "seeds": len(kappa),
        "units without role": int((results["roles"].sum(axis=-1) != units).sum()),
        "kappa": kappa,
    }


def _core_rise(models, results, profile):
    found = {"training": [], "test": []}
    for name, kind in (("training", "train"), ("test", "test")):
        for letter in "ABCD":
            curves, core = (_of(models, results[key], letter) for key in (kind, "core"))
            there = np.take_along_axis(curves, core[..., None].astype(int), axis=-1)[..., 0]
            found[name].append((there - curves[..., 0]).mean(axis=1))
    return {"seeds": _seed_count(models), **{name: np.min(values, axis=0) for name, values in found.items()}}


def _early_peak(models, results, profile):
    curves = _of(models, results["train"], "A")
    return {
        "seeds": len(curves),
        "place": _places(curves),
        "above the full model": (curves.max(axis=-1) - curves[..., -1]).mean(axis=1),
    }


def _later_peak(models, results, profile):
    first, second = (_of(models, results["train"], letter) for letter in "AB")
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
    names = {"training": "train", "test": "test"}
    slopes = {
        name: np.mean([_slopes(models, results, letter, kind) for letter in "CD"], axis=0)
        for name, kind in names.items()
    }
    return {"seeds": _seed_count(models), **slopes}


def _turning_point(models, results, profile):
    earlier = [
        _places(_of(models, results["test"], letter)) - _places(_of(models, results["train"], letter))
        for letter in "CD"
    ]
    return {"seeds": _seed_count(models), "test minus training": np.mean(earlier, axis=0)}


def _detection(models, results, profile):
    signs = overfitting_signs(results)
    rho, low, high, p_value = spearman_interval(signs["slope"], signs["gap"])
    trivial = spearman_interval(signs["train_accuracy"], signs["gap"])[0]
    return {"seeds": _seed_count(models), "models": len(models), "rho": rho, "interval": (low, high), "p": p_value,
            "rho of training accuracy": trivial}  # fmt: skip


def _generalizing(models, results, profile):
    share = results["roles"][..., ROLES.index("generalizing")].mean(axis=1)
    if np.ptp(share) == 0:
        return {
            "reason": f"every model has the same share of generalizing units ({share[0]:.2g}), which correlates with nothing"
        }
    rho, low, high, p_value = spearman_interval(share, overfitting_signs(results)["gap"])
    return {
        "seeds": _seed_count(models),
        "models": len(models),
        "rho": rho,
        "interval": (low, high),
        "p": p_value,
    }


def _confusing(models, results, profile):
    ranks = results["rank"][networks_of(models, "A")].astype(int)
    head = round(CORE_SHARE * ranks.shape[-1])
    found = np.array([shared_tails(rank, head, head) for rank in ranks])
    return {"seeds": len(found), "share": found[:, 0], "by chance": found[:, 2]}


def _peaks(models, results, profile):
    peaks = results["train"].max(axis=-1).mean(axis=1)
    return {
        "seeds": _seed_count(models),
        **{f"peak of {letter}": _of(models, peaks, letter) for letter in "AB"},
    }


def _decline(models, results, profile):
    slopes = {letter: _slopes(models, results, letter, "train") for letter in "ABCD"}
    others = np.min([slopes[letter] for letter in "BCD"], axis=0)
    return {"seeds": len(others), "slope in A": slopes["A"], "least slope in B, C, D": others}


def _order_of_models(models, results, profile):
    gap, entropy, rate = (
        overfitting_signs(results)["gap"],
        results["entropy"].mean(axis=1),
        results["rate"].mean(axis=1),
    )
    corrupted = [profile.recipe(model).corrupted for model in models]
    rho, low, high, p_value = spearman_interval(entropy, gap)
    tau = float(kendalltau(corrupted, rate).statistic)
    return {"seeds": _seed_count(models), "models": len(models), "rho": rho, "interval": (low, high), "p": p_value, "tau of the rate": tau,
            "rho of the rate and the gap": float(spearmanr(rate, gap).statistic)}  # fmt: skip


ROLE_CLAIMS = {
    "C29": _gaps, "C30": _role_stability, "C31": _core_rise, "C32": _early_peak, "C33": _later_peak, "C34": _after_the_core,
    "C35": _turning_point, "C36": _detection, "C37": _generalizing, "C38": _confusing, "C39": _peaks, "C40": _decline,
    "C47": _order_of_models,
}  # fmt: skip

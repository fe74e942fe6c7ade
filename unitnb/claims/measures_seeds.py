"""Measures of the claims on training and models, over training seeds and classes: numbers by name.

They come from the stored results of many models. The measures here are of training; those of roles are in
``measures_roles``. A measure takes the names of the models, their results by name, and the profile.
"""

from collections.abc import Mapping

import numpy as np
from scipy.stats import kendalltau

from ..profiles import Profile
from ..roles.many_models import epoch_numbers, model_results, results_of
from ..units.entropy import selective_rate
from ..units.intervals import Z_95
from .measures_overfitting import OVERFITTING_CLAIMS
from .measures_roles import ROLE_CLAIMS, with_interval
from .recipes import networks_of


def training_seed_claims(profile: Profile, vertices: int, births: Mapping, losses) -> dict[str, dict]:
    """Numbers of C06 to C14 (Sec. 2.3, 3.1 to 3.3), of the networks of recipe A.

    They come from the stored results; without these, of the one training and class that is given, which is no
    verdict. A claim whose numbers are missing gets a reason instead.

    Parameters
    ----------
    vertices : int
        Of the graph of a map: its rows.
    births : (n, u) int by epoch
        Birth points of model A.
    losses : (epochs + 1,) float
        On training images.
    """
    last = births[max(births)]
    here = {
        "vertices": vertices,
        "edges": vertices * (vertices - 1) // 2,
        "images": len(last),
        "histograms": last.shape[1],
    }
    models, results = model_results(profile) or _one_training(births, losses, profile.effective_threshold)
    known = models, {**results, "units": last.shape[1]}
    return _measured(profile, known, TRAINING_CLAIMS) | {"C08": here}


def _one_training(births, losses, p):
    rate = selective_rate(births[max(births)])
    found = epoch_numbers([[birth] for birth in births.values()], losses, p)
    partial = {"partial": np.array([((rate > 0) & (rate < 1)).mean()])}
    return ["A"], {name: np.asarray(values)[None] for name, values in (found | partial).items()}


def role_seed_claims(profile: Profile, runs: Mapping) -> dict[str, dict]:
    """Numbers of C29 to C41 and C47 to C49 (Sec. 3.6), of recipes A to D and of the grades between.

    They come from the stored results; without these, of the one training and class of ``runs``, which is no
    verdict: ``runs[model]`` begins with training curve, test curve and roles. A claim whose numbers or models
    are missing gets a reason instead.
    """
    stored = model_results(profile) or results_of(runs)
    return _measured(profile, stored, ROLE_CLAIMS | OVERFITTING_CLAIMS)


def _measured(profile, stored, claims: Mapping[str, tuple]):
    models, results = stored
    results = dict(results)
    return {
        claim: _or_reason(letters, measure, models, results, profile)
        for claim, (letters, measure) in claims.items()
    }


def _or_reason(letters, measure, models, results, profile):
    missing = [letter for letter in letters if not networks_of(models, letter)]
    if missing:
        return {"reason": f"model {' and '.join(missing)} is not trained"}
    try:  # results stored by an older version, or of one run, lack some names
        return measure(models, results, profile)
    except KeyError as error:
        return {"reason": f"the results of the models hold no '{error.args[0]}'"}


# ---- training: networks of recipe A, (seeds, classes, epochs + 1) ----


def _trend(values):
    """Kendall's tau with the epoch of the mean over classes, a number for each seed."""
    return [float(kendalltau(range(row.shape[-1]), row.mean(axis=0)).statistic) for row in np.asarray(values)]


def _first_epoch_shares(values):
    """The first epoch's share of the whole fall, a number for each seed."""
    return [float((row[0] - row[1]) / (row[0] - row[-1])) for row in values]


def _entropy_fall(models, results, profile):
    falls = (results["epoch_entropy"][..., 0] - results["epoch_entropy"][..., -1]).mean(axis=1)
    return with_interval({"seeds": len(falls), "fall of H": falls}, "fall of H")


def _same_signs(models, results, profile):
    shares = {
        name: float((results[key][..., -1] < results[key][..., 0]).mean())
        for name, key in {"H": "epoch_entropy", "rate": "epoch_rate", "E": "epoch_effectiveness"}.items()
    }
    gains = results["peak_gain"][networks_of(models, "A")]
    return {"seeds": len(gains), "classes": gains.shape[1], **shares, "early peak": float((gains > 0).mean())}


def _partial_births(models, results, profile):
    shares = results["partial"][networks_of(models, "A")].mean(axis=1)
    return {"seeds": len(shares), "share of units": shares}


def _tau_claim(key):
    def measure(models, results, profile):
        return with_interval({"seeds": len(results[key]), "tau": _trend(results[key])}, "tau")

    return measure


def _like_the_loss(models, results, profile):
    entropy, loss = results["epoch_entropy"].mean(axis=1), results["epoch_loss"]
    together = [float(np.corrcoef(h, el)[0, 1]) for h, el in zip(entropy, loss, strict=True)]
    steps = [float(np.corrcoef(np.diff(h), np.diff(el))[0, 1]) for h, el in zip(entropy, loss, strict=True)]
    found = {
        "seeds": len(loss),
        "correlation": together,
        "correlation of the steps": steps,
        "first epoch, H": _first_epoch_shares(entropy),
        "first epoch, loss": _first_epoch_shares(loss),
    }
    return with_interval(found, "correlation")


def _index_tracking(models, results, profile):
    values = results["epoch_index"].mean(axis=(1, 2))
    found = {"seeds": len(values), "correlation": values, "permuted": Z_95 / np.sqrt(results["units"] - 1)}
    return with_interval(found, "correlation")


def _effectiveness_fall(models, results, profile):
    falls, unimportant = results["epoch_effectiveness"], results["epoch_zero"]
    found = {"seeds": len(falls), "tau of E": _trend(falls), "tau of E = 0": _trend(unimportant)}
    return with_interval(found, "tau of E")


TRAINING_CLAIMS = {  # by claim: the recipes that it needs, and its measure
    "C06": ("A", _entropy_fall),
    "C07": ("A", _same_signs),
    "C09": ("A", _partial_births),
    "C10": ("A", _tau_claim("epoch_pooled_entropy")),
    "C11": ("A", _like_the_loss),
    "C12": ("A", _index_tracking),
    "C13": ("A", _tau_claim("epoch_rate")),
    "C14": ("A", _effectiveness_fall),
}

"""Measures of the claims on training and models, over training seeds and classes: numbers by name.

They come from the stored results of many models. The measures here are of training; those of roles are in
``measures_roles``. A measure takes the names of the models, their results by name, and the profile.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import kendalltau

from ..profiles import Profile
from ..roles.many_models import model_results
from ..units.intervals import Z_95, interval, resampled_means
from .measures_roles import ROLE_CLAIMS
from .recipes import networks_of


def training_seed_claims(profile: Profile, vertices: int) -> dict[str, dict]:
    """Numbers of C06 to C14 (Sec. 2.3, 3.1 to 3.3), of the networks of recipe A.

    Empty without stored results. A claim whose numbers are not among them gets a reason instead. ``vertices``
    are those of the graph of a map, its rows.
    """
    measured = _measured(profile, TRAINING_CLAIMS)
    if "C08" in measured:
        measured["C08"] |= {"vertices": vertices, "edges": vertices * (vertices - 1) // 2}
    return measured


def role_seed_claims(profile: Profile) -> dict[str, dict]:
    """Numbers of C29 to C40 and C47 (Sec. 3.6), of the networks of recipes A to D and of the grades between.

    Empty without stored results. A claim whose numbers are not among them gets a reason instead.
    """
    return _measured(profile, ROLE_CLAIMS)


def _measured(profile, claims: Mapping[str, Callable]):
    stored = model_results(profile)
    if stored is None:
        return {}
    models, results = stored
    return {claim: _or_reason(measure, models, dict(results), profile) for claim, measure in claims.items()}


def _or_reason(measure, models, results, profile):
    try:  # results stored by an older version lack some names
        return measure(models, results, profile)
    except KeyError as missing:
        return {"reason": f"the stored results of the models hold no '{missing.args[0]}'"}


# ---- training: networks of recipe A, (seeds, classes, epochs + 1) ----


def _trend(values):
    """Kendall's tau with the epoch of the mean over classes, a number for each seed."""
    return [float(kendalltau(range(row.shape[-1]), row.mean(axis=0)).statistic) for row in np.asarray(values)]


def _first_epoch_shares(values):
    """The first epoch's share of the whole fall, a number for each seed."""
    return [float((row[0] - row[1]) / (row[0] - row[-1])) for row in values]


def _entropy_fall(models, results, profile):
    falls = results["epoch_entropy"][..., 0] - results["epoch_entropy"][..., -1]
    draws = resampled_means(falls.ravel(), 2000, np.random.default_rng(0))
    return {"seeds": len(falls), "fall of H": falls.mean(axis=1), "interval": interval(draws).ends}


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
    return {
        "seeds": len(loss),
        "correlation": together,
        "correlation of the steps": steps,
        "first epoch, H": _first_epoch_shares(entropy),
        "first epoch, loss": _first_epoch_shares(loss),
    }


def _index_tracking(models, results, profile):
    units = results["train"].shape[-1] - 1
    values = results["epoch_index"].mean(axis=(1, 2))
    return {"seeds": len(values), "correlation": values, "permuted": Z_95 / np.sqrt(units - 1)}


def _effectiveness_fall(models, results, profile):
    falls, unimportant = results["epoch_effectiveness"], results["epoch_zero"]
    return {"seeds": len(falls), "tau of E": _trend(falls), "tau of E = 0": _trend(unimportant)}


TRAINING_CLAIMS = {
    "C06": _entropy_fall,
    "C07": _same_signs,
    "C08": _automatic,
    "C09": _partial_births,
    "C10": _tau_claim("epoch_pooled_entropy"),
    "C11": _like_the_loss,
    "C12": _index_tracking,
    "C13": _tau_claim("epoch_rate"),
    "C14": _effectiveness_fall,
}

"""Many models of graded generalisation, measured alike: does training data alone show overfitting (C36)?

The networks of ``profile.extra`` are trained by ``make train EXTRA=1``; only what is measured on them is
kept, in ``extra.npz``.
"""

from dataclasses import asdict

import numpy as np
from scipy.stats import rankdata, spearmanr

from ..ablation.cumulative import ablation_curve
from ..files import store
from ..files.progress import progress_bar
from ..images.samples import Images, sample_set
from ..networks.trained import epoch_maps, open_layer, training_log, weights_folder
from ..profiles import Profile
from ..topology.births import birth_points
from ..units.entropy import effectiveness, feature_entropy, importance_rank, selective_rate
from ..units.intervals import drawn_places, interval
from .by_place import categorise_roles

FILE = "extra.npz"


def insertion_results(profile: Profile, images: Images, model: str) -> dict[str, np.ndarray]:
    """What one model does on every class, as in Fig. 5.

    The rank is of S_100, training images under the labels that the model was trained with. The result holds
    ``train`` and ``test`` (c, u + 1), accuracies of the insertion curves; ``rank`` (c, u); ``core`` (c,)
    units, ``roles`` (c, 4) counts, ``kappa`` (c,) of :func:`categorise_roles`; and of S_100, over the units,
    the mean ``entropy`` and ``rate`` (c,) and the share ``partial`` (c,) of units with 0 < rate < 1.
    """
    split = open_layer(profile, model)
    names = progress_bar(images.classes, f"model {model}")
    return _stacked([_class_results(profile, images, model, split, name) for name in names])


def _class_results(profile, images, model, split, name):
    samples = [sample_set(images, profile, kind, model, name) for kind in ("S_100", "S_val")]
    maps = [split.feature_maps(sample.images) for sample in samples]
    births = birth_points(maps[0], b_max=profile.b_max)
    rank, rate = importance_rank(effectiveness(births, p=profile.effective_threshold)), selective_rate(births)
    train, test = (
        ablation_curve(split, m, sample.labels, rank, "insert")
        for m, sample in zip(maps, samples, strict=True)
    )
    roles = categorise_roles(rank, train, test, n_boot=50)
    units = {
        "entropy": np.nanmean(feature_entropy(births)),
        "rate": rate.mean(),
        "partial": ((rate > 0) & (rate < 1)).mean(),
    }
    return {
        **_curves_and_core(train, test, roles),
        "rank": rank,
        "roles": list(roles.counts.values()),
        "kappa": roles.kappa,
        **units,
    }


def _curves_and_core(train, test, roles):
    return {"train": train.accuracy, "test": test.accuracy, "core": roles.core_size}


def results_of(runs) -> tuple[list[str], dict[str, np.ndarray]]:
    """As :func:`model_results`, of one class, where there are no stored results.

    ``runs[model]`` is (training curve, test curve, roles).
    """
    return list(runs), {
        name: array[:, None]
        for name, array in _stacked([_curves_and_core(*run) for run in runs.values()]).items()
    }


def epoch_results(profile: Profile, images: Images, model: str) -> dict[str, np.ndarray]:
    """How one model's units change while it is trained (Fig. 2B-D): means over units, (c, epochs + 1) each.

    ``epoch_entropy`` and ``epoch_rate``; ``epoch_effectiveness``, infinite values left out; ``epoch_zero``,
    share of units with E = 0; ``epoch_pooled_entropy``, of the birth points of all units together;
    ``epoch_index`` (c, epochs), rank correlation of E with the epoch before, unit by unit; and ``epoch_loss``
    (epochs + 1,), on training images.
    """
    log = training_log(profile, model)
    samples = [sample_set(images, profile, "S_100", model, name).images for name in images.classes]
    rows, scores = [], []
    for epoch in log["epoch"].astype(int):
        maps = epoch_maps(profile, epoch, np.concatenate(samples), model)
        births = np.split(birth_points(maps, b_max=profile.b_max), len(samples))
        rows.append([_unit_means(b, profile.effective_threshold) for b in births])
        scores.append([effectiveness(b, profile.effective_threshold) for b in births])
    means = {
        f"epoch_{name}": np.array([[cell[name] for cell in row] for row in rows]).T for name in rows[0][0]
    }
    index = [
        [spearmanr(*pair).statistic for pair in zip(now, after, strict=True)]
        for now, after in zip(scores, scores[1:], strict=False)
    ]
    return {**means, "epoch_index": np.array(index).T, "epoch_loss": log["loss"]}


def _unit_means(births, p):
    scores = effectiveness(births, p)
    return {
        "entropy": np.nanmean(feature_entropy(births)),
        "rate": selective_rate(births).mean(),
        "effectiveness": scores[np.isfinite(scores)].mean(),
        "zero": (scores == 0).mean(),
        "pooled_entropy": feature_entropy(births.reshape(-1, 1))[0],
    }


def measure_models(profile: Profile, images: Images) -> None:
    """Measure all models of the profile, the extra ones too, and write ``extra.npz`` beside the main weights.

    The curves of :func:`insertion_results` of every model, and :func:`epoch_results` of the first model and
    its other seeds.
    """
    models = [*profile.models, *profile.extra]
    first = [model for model in models if model.rstrip("0123456789") == models[0]]
    arrays = _stacked([insertion_results(profile, images, model) for model in models])
    arrays |= _stacked([epoch_results(profile, images, model) for model in first])
    recipes = {model: asdict(profile.recipe(model)) for model in models}
    meta = {
        "profile": profile.name,
        "models": models,
        "classes": list(images.classes),
        "recipes": recipes,
        "layer": profile.layer,
    }
    store.write_npz(
        weights_folder(profile) / FILE, {k: v.astype(np.float32) for k, v in arrays.items()}, meta
    )


def _stacked(results):
    return {name: np.stack([result[name] for result in results]) for name in results[0]}


def model_results(profile: Profile) -> tuple[list[str], dict[str, np.ndarray]] | None:
    """Names of the m models and what was measured on them, None if nothing was.

    What :func:`insertion_results` gives, with a first axis of m models, and, of the s seeds of the first
    model, what :func:`epoch_results` gives, with a first axis of s.

    Raises
    ------
    DamagedFileError
        If the file cannot be read whole.
    """
    path = weights_folder(profile) / FILE
    if not path.exists():
        return None
    arrays, meta = store.read_npz(path)
    return meta["models"], arrays


def post_core_slope(train, core) -> float:
    """Change of accuracy over the rest of the layer, once the core is in.

    It is the least-squares slope times the number of units that are left.

    Parameters
    ----------
    train : (u + 1,) float
        Insertion curve on training images.
    core : int
        Units in the core, below u.

    >>> round(float(post_core_slope(np.array([0, 0.5, 0.6, 0.7, 0.8]), 1)), 3)  # three units bring 0.1 each
    0.3
    """
    rest = np.asarray(train, float)[int(core) :]
    if len(rest) < 2:
        return 0.0
    return float(np.polyfit(np.arange(len(rest)), rest, 1)[0] * (len(rest) - 1))


def overfitting_signs(results) -> dict[str, np.ndarray]:
    """Means over classes, (m,): ``gap``, ``slope`` (post-core, on training images), ``train_accuracy``."""
    train, test, core = (results[name] for name in ("train", "test", "core"))
    slopes = [
        [post_core_slope(t, c) for t, c in zip(*pair, strict=True)] for pair in zip(train, core, strict=True)
    ]
    return {
        "gap": (train - test)[..., -1].mean(axis=1),
        "slope": np.mean(slopes, axis=1),
        "train_accuracy": train[..., -1].mean(axis=1),
    }


def spearman_text(x, y) -> str:
    """:func:`spearman_interval` in words, for a table of facts.

    >>> spearman_text([1.0, 2.0], [3.0, 4.0])
    'too few models for a correlation: 2'
    """
    rho, low, high, p_value = spearman_interval(x, y)
    if np.isnan(rho):
        return f"too few models for a correlation: {len(x)}"
    return f"Spearman {rho:+.1f} ({low:+.1f} to {high:+.1f}), {'p < 0.05' if p_value < 0.05 else 'p > 0.05'}"


def spearman_interval(x, y, n_boot=2000, seed=0) -> tuple[float, float, float, float]:
    """Spearman's rank correlation, its 95% interval over resampled pairs, and its p-value (two-sided).

    Draws in which one side has a single value have no correlation and are left out of the interval. Of fewer
    than three pairs, all four numbers are NaN.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 3:
        return (float("nan"),) * 4
    rho, p_value = spearmanr(x, y)
    draws = drawn_places(len(x), n_boot, np.random.default_rng(seed))
    low, high = interval(_rank_correlations(x[draws], y[draws])).ends
    return float(rho), low, high, float(p_value)


def _rank_correlations(x, y):
    """Spearman's correlation of each pair of rows; NaN where a row has a single value."""
    first, second = (
        ranks - ranks.mean(axis=1, keepdims=True) for ranks in (rankdata(side, axis=1) for side in (x, y))
    )
    size = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    return np.divide((first * second).sum(axis=1), size, out=np.full(len(size), np.nan), where=size > 0)

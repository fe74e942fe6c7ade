"""Many models of graded generalisation, measured alike: does training data alone show overfitting (Sec. 3.6, claim C36)?

The networks of ``profile.extra`` are trained by ``make train EXTRA=1``; only what is measured on them is kept, in ``extra.npz``.
"""

from dataclasses import asdict

import numpy as np
from tqdm import tqdm

from . import data, store, training
from .ablation import ablation_curve
from .entropy import effectiveness, feature_entropy, importance_rank, selective_rate
from .models import split_model
from .profiles import Profile, show_progress
from .roles import categorise_roles
from .topology import birth_points

FILE = "extra.npz"


def insertion_results(profile: Profile, images: data.Images, model: str) -> dict[str, np.ndarray]:
    """Insertion curves of one model on every class: ``train`` and ``test`` (c, u + 1) accuracies, ``core`` (c,) core units.

    As in Fig. 5: the rank is of S_100 of the class, drawn from the model's training images under the labels that it was told.
    """
    split = split_model(training.load_model(profile, model), profile.layer)
    return {name: np.array(values) for name, values in _by_class(profile, images, model, split).items()}


def _by_class(profile, images, model, split):
    found = {"train": [], "test": [], "core": []}
    for name in tqdm(images.classes, f"model {model}", leave=False, disable=not show_progress()):
        samples = [data.sample_set(images, profile, kind, model, name) for kind in ("S_100", "S_val")]
        maps = [split.feature_maps(sample.images) for sample in samples]
        rank = importance_rank(effectiveness(birth_points(maps[0], b_max=profile.b_max), p=profile.effective_threshold))
        curves = [ablation_curve(split, m, sample.labels, rank, "insert") for m, sample in zip(maps, samples, strict=True)]
        found["train"].append(curves[0].accuracy)
        found["test"].append(curves[1].accuracy)
        found["core"].append(categorise_roles(rank, *curves, n_boot=50).core_size)
    return found


def epoch_results(profile: Profile, images: data.Images, model: str) -> dict[str, np.ndarray]:
    """How one model's units change while it is trained (Fig. 2B-D), means over the units for every class, (c, epochs + 1) each.

    ``epoch_entropy`` and ``epoch_rate``; ``epoch_effectiveness``, infinite values left out; ``epoch_zero``, share of units with E = 0;
    ``epoch_pooled_entropy``, of the birth points of all units together; and ``epoch_loss`` (epochs + 1,), on training images.
    """
    log = training.training_log(profile, model)
    samples = [data.sample_set(images, profile, "S_100", model, name).images for name in images.classes]
    rows = []
    for epoch in log["epoch"].astype(int):
        maps = training.epoch_maps(profile, epoch, np.concatenate(samples), model)
        births = np.split(birth_points(maps, b_max=profile.b_max), len(samples))
        rows.append([_unit_means(b, profile.effective_threshold) for b in births])
    means = {f"epoch_{name}": np.array([[cell[name] for cell in row] for row in rows]).T for name in rows[0][0]}
    return {**means, "epoch_loss": log["loss"]}


def _unit_means(births, p):
    scores = effectiveness(births, p)
    return {
        "entropy": np.nanmean(feature_entropy(births)),
        "rate": selective_rate(births).mean(),
        "effectiveness": scores[np.isfinite(scores)].mean(),
        "zero": (scores == 0).mean(),
        "pooled_entropy": feature_entropy(births.reshape(-1, 1))[0],
    }


def measure_models(profile: Profile, images: data.Images) -> None:
    """Measure all models of the profile, the extra ones too, and write ``extra.npz`` beside the weights of the main ones.

    The curves of :func:`insertion_results` of every model, and :func:`epoch_results` of the first model and its other seeds.
    """
    models = [*profile.models, *profile.extra]
    first = [model for model in models if model.rstrip("0123456789") == models[0]]
    arrays = _stacked([insertion_results(profile, images, model) for model in models])
    arrays |= _stacked([epoch_results(profile, images, model) for model in first])
    recipes = {model: asdict(profile.recipe(model)) for model in models}
    meta = {"profile": profile.name, "models": models, "classes": list(images.classes), "recipes": recipes, "layer": profile.layer}
    store.write_npz(training.weights_folder(profile) / FILE, {k: v.astype(np.float32) for k, v in arrays.items()}, meta)


def _stacked(results):
    return {name: np.stack([result[name] for result in results]) for name in results[0]}


def model_results(profile: Profile) -> tuple[list[str], dict[str, np.ndarray]] | None:
    """Names of the m models and what was measured on them, None if nothing was.

    ``train``, ``test`` (m, c, u + 1) and ``core`` (m, c) of :func:`insertion_results`; of the s seeds of the first model, what
    :func:`epoch_results` gives: (s, c, epochs + 1), the loss (s, epochs + 1).

    Raises
    ------
    DamagedFileError
        If the file cannot be read whole.
    """
    path = training.weights_folder(profile) / FILE
    if not path.exists():
        return None
    arrays, meta = store.read_npz(path)
    return meta["models"], arrays


def post_core_slope(train, core) -> float:
    """Change of accuracy over the rest of the layer, once the core is in: least-squares slope times the share of units that are left.

    Parameters
    ----------
    train : (u + 1,) float
        Insertion curve on training images.
    core : int
        Units in the core, below u.

    >>> post_core_slope(np.array([0, 0.5, 0.6, 0.7, 0.8]), 1).round(3)  # three units bring 0.1 each
    0.3
    """
    rest = np.asarray(train, float)[int(core) :]
    if len(rest) < 2:
        return 0.0
    return float(np.polyfit(np.arange(len(rest)), rest, 1)[0] * (len(rest) - 1))


def overfitting_signs(results) -> dict[str, np.ndarray]:
    """For each model, means over classes: ``gap``, ``slope`` (post-core, on training images), ``train_accuracy``; (m,) each."""
    train, test, core = (results[name] for name in ("train", "test", "core"))
    slopes = [[post_core_slope(t, c) for t, c in zip(*pair, strict=True)] for pair in zip(train, core, strict=True)]
    return {
        "gap": (train - test)[..., -1].mean(axis=1),
        "slope": np.mean(slopes, axis=1),
        "train_accuracy": train[..., -1].mean(axis=1),
    }


def spearman_interval(x, y, n_boot=2000, seed=0) -> tuple[float, float, float, float]:
    """Spearman's rank correlation, its 95% interval over resampled pairs, and its p-value (two-sided).

    Draws in which one side has a single value have no correlation and are left out.
    """
    from scipy.stats import spearmanr

    x, y = np.asarray(x, float), np.asarray(y, float)
    rho, p_value = spearmanr(x, y)
    rng = np.random.default_rng(seed)
    draws = [rng.integers(len(x), size=len(x)) for _ in range(n_boot)]
    varied = [draw for draw in draws if np.ptp(x[draw]) > 0 and np.ptp(y[draw]) > 0]
    low, high = np.quantile([spearmanr(x[draw], y[draw]).statistic for draw in varied], (0.025, 0.975))
    return float(rho), float(low), float(high), float(p_value)

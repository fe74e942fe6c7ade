"""Many models of graded generalisation, measured alike: does training data alone show overfitting (C36)?

The networks of ``profile.extra`` are trained by ``make train EXTRA=1``; only what is measured on them is
kept, in ``extra.npz``.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np
from scipy.stats import spearmanr

from ..ablation.cumulative import ablation_curve
from ..ablation.held_out import held_out_peak, slope_after, slope_after_peak
from ..files import store
from ..files.progress import progress_bar
from ..images.samples import Images, SampleSet, sample_set, training_set
from ..networks.measured import measured_file
from ..networks.trained import epoch_maps, open_layer, training_log, weights_folder
from ..profiles import Profile
from ..topology.births import birth_points
from ..units.entropy import effectiveness, feature_entropy, importance_rank, selective_rate
from .by_place import ROLES, Roles, categorise_roles

FILE = "extra.npz"


def role_samples(images: Images, profile: Profile, model: str, name: str | None = None) -> dict:
    """Samples of one class for roles, by name: "S_100", "test" and "placebo" (Sec. 3.6).

    "test" has as many test images as S_100, or as there are. "placebo" has as many other training images,
    for curves that must not differ; None where the model has no others.
    """
    name = name or profile.target_class
    target = images.class_index(name)
    known = int((training_set(images, profile, model)[1] == target).sum())
    size = min(profile.n_rank, int((images.labels["test"] == target).sum()))
    more = replace(profile, n_validation=size, n_rank=profile.n_rank + size)
    sample = sample_set(images, profile, "S_100", model, name)
    test = replace(sample_set(images, more, "S_val", model, name), name=f"{size} test images")
    others = None
    if known >= more.n_rank:
        drawn = sample_set(images, more, "S_100", model, name)
        others = replace(_part(drawn, profile.n_rank), name=f"{size} other training images")
    return {"S_100": sample, "test": test, "placebo": others}


def _part(sample: SampleSet, start: int) -> SampleSet:
    cut = {name: getattr(sample, name)[start:] for name in ("images", "labels", "indices")}
    return replace(sample, **cut)


def placebo_roles(order, train, other=None, n_boot=200, seed=0) -> Roles:
    """Roles with other training images in place of the test images: what they show of overfitting is noise.

    ``train`` and ``other`` are as in :func:`categorise_roles`. Without others the images of ``train`` are
    halved, and one half stands against the other.
    """
    if other is None:
        outcomes = np.asarray(getattr(train, "correct", train))
        train, other = outcomes[:, ::2], outcomes[:, 1::2]
    return categorise_roles(order, train, other, n_boot=n_boot, seed=seed)


def insertion_results(profile: Profile, images: Images, model: str) -> dict[str, np.ndarray]:
    """What one model does on every class, as in Fig. 5, (c,) each unless another shape is given.

    The rank is of S_100, training images under the labels that the model was trained with; ``rank`` (c, u).
    Insertion curves are on as many training as test images; ``train``, ``test`` (c, u + 1) are accuracies,
    ``train_loss`` the training loss of the whole layer (nats). Of :func:`categorise_roles` come ``core`` and
    ``head``, its core_size and head_size; ``roles`` (c, 4) counts, ``kappa``, ``confusing_place``, the mean
    place of confusing units (0 the head, 1 the end). ``placebo`` (c, 4) counts of :func:`placebo_roles`.
    Of :func:`held_out_peak` come ``peak_place`` and ``peak_gain`` over the whole layer, on training images;
    ``test_peak``, accuracy on test images; and the changes of accuracy from a held-out peak to the end:
    ``train_decline`` after the training peak, ``train_after_test`` and ``test_after_test`` after the test
    peak. Over the units, on S_100: mean ``entropy`` and ``rate``, and ``partial``, the share with
    0 < rate < 1.
    """
    split = open_layer(profile, model)
    names = progress_bar(images.classes, f"model {model}")
    return _stacked([_class_results(profile, images, model, split, name) for name in names])


def _class_results(profile, images, model, split, name):
    samples = role_samples(images, profile, model, name)
    maps = {kind: split.feature_maps(sample.images) for kind, sample in samples.items() if sample is not None}
    births = birth_points(maps["S_100"], b_max=profile.b_max)
    rank, rate = importance_rank(effectiveness(births, p=profile.effective_threshold)), selective_rate(births)
    size, label = len(samples["test"]), images.class_index(name)
    train, test, other = (
        None if part is None else ablation_curve(split, part, label, rank, "insert")
        for part in (maps["S_100"][:size], maps["test"], maps.get("placebo"))
    )
    units = {
        "entropy": np.nanmean(feature_entropy(births)),
        "rate": rate.mean(),
        "partial": ((rate > 0) & (rate < 1)).mean(),
    }
    placebo = placebo_roles(rank, train, other, n_boot=50)
    return {**_curves_and_roles(train, test, categorise_roles(rank, train, test, n_boot=50), rank),
            "placebo": list(placebo.counts.values()), "rank": rank, **units}  # fmt: skip


def _curves_and_roles(train, test, roles, rank):
    places = np.argsort(rank)[roles.role == ROLES[3]] / max(len(rank) - 1, 1)
    peak, test_peak = held_out_peak(train.correct, base=-1), held_out_peak(test.correct)
    return {
        "train": train.accuracy,
        "test": test.accuracy,
        "train_loss": train.loss[-1],
        "core": roles.core_size,
        "head": roles.head_size,
        "roles": list(roles.counts.values()),
        "kappa": roles.kappa,
        "confusing_place": places.mean() if len(places) else np.nan,
        "peak_place": peak.place / len(rank),
        "peak_gain": peak.gain,
        "train_decline": slope_after_peak(train.correct),
        "test_peak": test_peak.height,
        "train_after_test": np.mean([slope_after(train.accuracy, place) for place in test_peak.places]),
        "test_after_test": slope_after_peak(test.correct),
    }


def results_of(runs) -> tuple[list[str], dict[str, np.ndarray]]:
    """As :func:`model_results`, of one class, where there are no stored results.

    ``runs[model]`` begins with (training curve, test curve, roles).
    """
    found = [
        _curves_and_roles(train, test, roles, train.order) | {"rank": train.order}
        for train, test, roles, *_ in runs.values()
    ]
    return list(runs), {name: array[:, None] for name, array in _stacked(found).items()}


def epoch_results(profile: Profile, images: Images, model: str) -> dict[str, np.ndarray]:
    """How one model's units change while it is trained (Fig. 2B-D): means over units, (c, epochs + 1) each.

    ``epoch_entropy`` and ``epoch_rate``; ``epoch_effectiveness``, infinite values left out; ``epoch_zero``,
    share of units with E = 0; ``epoch_pooled_entropy``, of the birth points of all units together;
    ``epoch_index`` (c, epochs), rank correlation of E with the epoch before, unit by unit; and ``epoch_loss``
    (epochs + 1,), on training images.
    """
    log = whole_epochs(training_log(profile, model))
    samples = [sample_set(images, profile, "S_100", model, name).images for name in images.classes]
    pixels = np.concatenate(samples)
    by_epoch = (
        np.split(birth_points(epoch_maps(profile, epoch, pixels, model), b_max=profile.b_max), len(samples))
        for epoch in log["epoch"].astype(int)
    )
    return epoch_numbers(by_epoch, log["loss"], profile.effective_threshold)


def whole_epochs(log: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A log without the parts of its first epoch, which only Fig. 2 shows.

    >>> whole_epochs({"epoch": np.array([0, 0.5, 1, 2]), "loss": np.array([2.3, 2.0, 1.5, 1.2])})["loss"]
    array([2.3, 1.5, 1.2])
    """
    return {name: values[log["epoch"] % 1 == 0] for name, values in log.items()}


def epoch_numbers(births, losses, p) -> dict[str, np.ndarray]:
    """The numbers of :func:`epoch_results` from birth points.

    ``births[epoch][class]`` are (n, u); ``losses`` (epochs + 1,); ``p`` is the threshold of Eq. 10.
    """
    rows, scores = [], []
    for by_class in births:
        rows.append([_unit_means(b, p) for b in by_class])
        scores.append([effectiveness(b, p) for b in by_class])
    means = {
        f"epoch_{name}": np.array([[cell[name] for cell in row] for row in rows]).T for name in rows[0][0]
    }
    index = [
        [spearmanr(*pair).statistic for pair in zip(now, after, strict=True)]
        for now, after in zip(scores, scores[1:], strict=False)
    ]
    return {**means, "epoch_index": np.array(index).T, "epoch_loss": losses}


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
    """Names of the m models and what was measured on them, here or for the package; None if nothing was.

    What :func:`insertion_results` gives, with a first axis of m models, and, of the s seeds of the first
    model, what :func:`epoch_results` gives, with a first axis of s.

    Raises
    ------
    DamagedFileError
        If the file cannot be read whole.
    """
    path = measured_file(profile, FILE)
    if path is None:
        return None
    arrays, meta = store.read_npz(path)
    return meta["models"], arrays

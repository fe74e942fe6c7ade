"""The work of one task of a sweep. Tasks are idempotent, and their results are kept in the store.

A worker opens a profile's images and a network once and keeps them for its next tasks.
"""

import functools
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files import store
from ..files.settings import choose_engine_device
from ..images.samples import SampleSet, sample_set
from ..images.sources import open_images
from ..networks.trained import load_model
from ..profiles import Profile
from .tasks import METRICS, ORDERS, SAMPLES, Task, run_settings

VERSION = 2  # of the numbers of a task; a higher one has kept results computed anew
MOST_OTHERS = 200  # images of other classes in all: of 1,000 classes only ten are drawn


# ---- kept for the worker's next task ----


@functools.lru_cache(maxsize=1)
def _images(profile: str, seed: int, overrides: str):
    return open_images(run_settings(profile, seed, overrides))


@functools.lru_cache(maxsize=1)
def _network(profile: str, seed: int, overrides: str, model: str):
    """A network and the digest of its weights."""
    network = load_model(run_settings(profile, seed, overrides), model)
    return network, store.digest(*network.get_weights())


class Others(NamedTuple):
    """Images of other classes: pixels by sample set and class, names of missing ones, a digest of both."""

    images: dict[str, dict[str, np.ndarray]]
    skipped: list[str]
    digest: str


@functools.lru_cache(maxsize=1)
def _others(profile: str, seed: int, overrides: str, model: str) -> Others:
    """A few classes drawn by the seed, ``n_others`` images each.

    A class with fewer images is named and left out, because a task must not fail for another class.
    """
    settings, images = run_settings(profile, seed, overrides), _images(profile, seed, overrides)
    count = settings.n_others
    few = replace(settings, n_rank=count, n_validation=count, strict=False)  # the images of sample_others
    shuffled = np.random.default_rng([settings.seed, 7]).permutation(len(images.classes))
    chosen = shuffled[: max(2, MOST_OTHERS // count)]
    found: dict[str, dict] = {kind: {} for kind in SAMPLES}
    skipped: list[str] = []
    for kind, name in ((kind, images.classes[c]) for kind in SAMPLES for c in sorted(chosen)):
        try:
            sample = _quietly(sample_set, images, few, kind, model, name)
            found[kind][name], skipped = sample.images, skipped + sample.skipped
        except ValueError as error:
            skipped.append(str(error))
    parts = (part for group in found.values() for pair in group.items() for part in pair)
    return Others(found, skipped, store.digest(skipped, *parts))


def _quietly(draw, *given) -> SampleSet:
    """Draw a sample without warnings: unreadable images are named in the result, not by each worker."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "skipped .* unreadable", UserWarning)
        return draw(*given)


@functools.lru_cache(maxsize=1)
def _layer(profile: str, seed: int, overrides: str, model: str, layer: str):
    """The network split after a layer, and the maps or pixels of other classes, by sample set and class.

    Maps are kept for the running sum. Other engines run the tail again at each point: beside that a forward
    pass is cheap, and their maps are large (400 images in VGG16's first layer: 5 GB), so pixels are kept.
    """
    from ..networks.split import split_model

    split = split_model(_network(profile, seed, overrides, model)[0], layer)
    others = _others(profile, seed, overrides, model).images
    if split.engine != "running-sum":
        return split, others
    return split, {
        kind: {name: split.feature_maps(found) for name, found in group.items()}
        for kind, group in others.items()
    }


# ---- a task ----


def run_task(task: Task) -> Path:
    """Compute a task unless its result is kept; returns its file, in ``build/sweep/<profile>/``.

    The file's name holds a digest of everything that the numbers depend on: settings, weights, pixels,
    versions.

    Raises
    ------
    ValueError
        If the class has too few readable images or, with ``strict``, an unreadable one.
    DiskFullError
        If there is no room for the result.
    """
    from ..ablation.cumulative import ENGINE_VERSION

    settings = task.settings()
    choose_engine_device(settings.engine_device)
    samples = {kind: _quietly(sample_set, _images(*task.run), settings, kind, task.model) for kind in SAMPLES}
    parts = (part for sample in samples.values() for part in (sample.images, sample.labels, sample.skipped))
    key = {
        "settings": asdict(settings),
        "model": task.model,
        "weights": _network(*task.run, task.model)[1],
        "images": store.digest(*parts),
        "others": _others(*task.run, task.model).digest,
        "versions": [VERSION, ENGINE_VERSION],
    }
    folder, layer = settings.build / "sweep" / settings.name, task.layer.replace("/", ".")
    kind = f"{task.model}-{layer}-{task.target_class}"
    store.cached(folder, kind, key, lambda: _measure(task, settings, samples))
    return store.cached_path(folder, kind, key)


def _measure(task: Task, settings: Profile, samples: dict[str, SampleSet]) -> dict[str, np.ndarray]:
    """Births, scores and rank from S_100, and curves of both orders on each sample set and other classes."""
    from ..units.entropy import effectiveness, importance_rank
    from ..units.streaming import births_by_block

    split, others = _layer(*task.run, task.model, task.layer)
    maps = {kind: _maps(split, sample.images) for kind, sample in samples.items()}
    births = births_by_block(maps["S_100"], settings.b_max)
    scores = effectiveness(births, p=settings.effective_threshold)
    rank, found = importance_rank(scores), {"others/skipped": _names(_others(*task.run, task.model).skipped)}
    for kind, sample in samples.items():
        negatives = [group for name, group in others[kind].items() if name != task.target_class]
        found |= _curves(kind, split, maps[kind], sample, rank, negatives, settings.points)
    return {"births": births, "effectiveness": scores, "rank": rank, **found}


def _maps(split, images):
    from ..units.streaming import LazyMaps

    return split.feature_maps(images) if split.engine == "running-sum" else LazyMaps(split, images)


def _curves(kind, split, maps, sample, rank, negatives, points) -> dict[str, np.ndarray]:
    """The part of a result for one sample set; ``points`` (p,) are the removed units of its curves."""
    from ..ablation.cumulative import ablation_curves

    if not negatives:
        raise ValueError(
            f"{kind}: no other class has as many images as n_others asks for, "
            "so there is no false-positive rate"
        )
    negatives = np.concatenate(negatives)
    if split.engine != "running-sum":
        negatives = _maps(split, negatives)
    curves = ablation_curves(
        split, maps, sample.labels, [rank, rank[::-1]], negatives=negatives, points=points
    )
    found = {
        f"{kind}/{order}/{m}": getattr(c, m) for order, c in zip(ORDERS, curves, strict=True) for m in METRICS
    }
    return found | {
        "points": curves[0].points,
        f"{kind}/facts": _facts(*curves),
        f"{kind}/skipped": _names(sample.skipped),
    }


def _names(skipped) -> np.ndarray:
    return np.array(skipped, dtype=np.str_)


def _facts(best, worst) -> np.ndarray:
    """The numbers of ``FACTS``, as in ``03_ablation``; inf for a share of units that is never reached."""
    units = len(best.order)
    metrics = ("accuracy", "balanced_accuracy")
    rises = (worst.peak(metric)[1] - getattr(worst, metric)[0] for metric in metrics)
    return np.array([best.accuracy[0], best.units_to_lose() / units, *rises, worst.collapse_width() / units])

"""One model, layer and class at a time: the tasks of a sweep over many (Sec. 3.4, Fig. 3C), each idempotent and kept in the store.

A task is names and numbers, so it travels to other processes and machines; networks, images and results do not. A worker opens a
profile's images and a network once and keeps them for its next tasks.
"""

import functools
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from .. import store
from ..ablation import ENGINE_VERSION, ablation_curves
from ..data import sample_set
from ..entropy import effectiveness, importance_rank
from ..models import split_model
from ..networks import load_model, trained_models
from ..profiles import Profile, load_profile
from ..sources import open_images
from ..topology import birth_points

VERSION = 1  # of what a task computes; goes up when its numbers may change, so that what is kept is computed anew
MOST_OTHERS = 200  # images of other classes in all: with 1,000 classes, those of ten must do
SAMPLES = ("S_100", "S_val")  # the images that give the rank, and test images
ORDERS = ("best first", "worst first")
METRICS = ("accuracy", "loss", "balanced_accuracy")
FACTS = ("start", "85% lost", "rise", "balanced rise", "collapse")  # of Fig. 3: accuracies, and shares of the units


@dataclass(frozen=True, order=True)
class Task:
    """One model, one of its layers and one class of a profile; ``overrides`` is the JSON of what notebooks take under that name."""

    profile: str
    model: str
    layer: str
    target_class: str
    seed: int = 0
    overrides: str = "{}"

    def __str__(self) -> str:
        return f"{self.model}, {self.layer}, {self.target_class}"

    def settings(self) -> Profile:
        """The profile with the task's own class, layer and seed."""
        return _profile(self.profile, self.seed, self.overrides, target_class=self.target_class, layer=self.layer)


def _profile(name: str, seed: int, overrides: str, **own) -> Profile:
    return load_profile(name, {"max_classes": None, **json.loads(overrides), "seed": seed, **own})


def tasks_of(profile: Profile, classes: Iterable[str] = (), models: Iterable[str] = (), layers: Iterable[str] = (), overrides=None):
    """Every combination, those of one network together; a list of tasks.

    Parameters
    ----------
    classes, models, layers : names
        None given: all classes of the profile's images, all its models that are there, its studied layer.
    overrides : mapping, optional
        Single settings of the profile, as notebooks take them.

    Raises
    ------
    ValueError, KeyError
        For a class, model or layer that is not there, before anything runs.
    """
    images = open_images(replace(profile, max_classes=None))
    models, layers = list(models) or trained_models(profile)[0], list(layers) or [profile.layer]
    classes = [replace(profile, target_class=name).target_class for name in classes] or list(images.classes)
    for name in classes:
        images.class_index(name)
    given = json.dumps(dict(overrides or {}), sort_keys=True)
    tasks = [Task(profile.name, m, layer, c, profile.seed, given) for m in models for layer in layers for c in classes]
    for model in models:
        for layer in layers:
            split_model(load_model(profile, model), layer)
    return tasks


# ---- what a worker keeps for its next task ----


@functools.lru_cache(maxsize=1)
def _opened(profile: str, seed: int, overrides: str):
    """Images of a profile, and what they are: a digest of all names and labels, and of the first image of up to ten classes."""
    images = open_images(_profile(profile, seed, overrides))
    names = [images.name(split, i) for split, labels in images.labels.items() for i in range(len(labels))]
    labels = images.labels["train"]
    first = [images.read("train", int(np.argmax(labels == label))) for label in np.unique(labels)[:10]]
    return images, store.digest(names, list(images.classes), *images.labels.values(), *first)


@functools.lru_cache(maxsize=1)
def _network(profile: str, seed: int, overrides: str, model: str):
    """A network and the digest of its weights."""
    network = load_model(_profile(profile, seed, overrides), model)
    return network, store.digest(*network.get_weights())


@functools.lru_cache(maxsize=1)
def _layer(profile: str, seed: int, overrides: str, model: str, layer: str):
    """The network split after a layer, and maps of images of other classes, by sample set and class."""
    settings = _profile(profile, seed, overrides)
    images, split = _opened(profile, seed, overrides)[0], split_model(_network(profile, seed, overrides, model)[0], layer)
    count = max(2, MOST_OTHERS // settings.n_others)
    chosen = np.random.default_rng([settings.seed, 7]).permutation(len(images.classes))[:count]
    few = replace(settings, n_rank=settings.n_others, n_validation=settings.n_others)  # those that sample_others draws
    names = [images.classes[c] for c in sorted(chosen)]
    drawn = {kind: {name: sample_set(images, few, kind, model, name).images for name in names} for kind in SAMPLES}
    return split, {kind: {name: split.feature_maps(found) for name, found in group.items()} for kind, group in drawn.items()}


# ---- a task ----


def run_task(task: Task) -> Path:
    """Compute a task, or find it computed, and return where its result lies: ``build/sweep/<profile>/``.

    The file's name holds a digest of everything that the numbers depend on: settings, weights, images, versions.
    """
    settings, shared = task.settings(), (task.profile, task.seed, task.overrides)
    weights, seen = _network(*shared, task.model)[1], _opened(*shared)[1]
    key = {"settings": asdict(settings), "model": task.model, "weights": weights, "images": seen, "versions": [VERSION, ENGINE_VERSION]}
    folder, kind = settings.build / "sweep" / task.profile, f"{task.model}-{task.layer}-{task.target_class}"
    store.cached(folder, kind, key, lambda: _measure(task, settings))
    return store.cached_path(folder, kind, key)


def _measure(task: Task, settings: Profile) -> dict[str, np.ndarray]:
    """Births, scores and rank from S_100, and curves of both orders on each sample set, with images of other classes beside."""
    shared = (task.profile, task.seed, task.overrides)
    images, (split, others) = _opened(*shared)[0], _layer(*shared, task.model, task.layer)
    samples = {kind: sample_set(images, settings, kind, task.model) for kind in SAMPLES}
    maps = {kind: split.feature_maps(sample.images) for kind, sample in samples.items()}
    births = birth_points(maps["S_100"], b_max=settings.b_max)
    scores = effectiveness(births, p=settings.effective_threshold)
    rank, found = importance_rank(scores), {}
    for kind, sample in samples.items():
        negatives = np.concatenate([group for name, group in others[kind].items() if name != task.target_class])
        curves = ablation_curves(split, maps[kind], sample.labels, [rank, rank[::-1]], negatives=negatives)
        found |= {f"{kind}/{order}/{m}": getattr(c, m) for order, c in zip(ORDERS, curves, strict=True) for m in METRICS}
        found[f"{kind}/facts"] = _facts(*curves)
    return {"births": births, "effectiveness": scores, "rank": rank, **found}


def _facts(best, worst) -> np.ndarray:
    """Numbers of ``FACTS``, as in ``03_ablation``; inf for a share of units at which it never happens."""
    units = len(best.order)
    rises = (worst.peak(metric)[1] - getattr(worst, metric)[0] for metric in ("accuracy", "balanced_accuracy"))
    return np.array([best.accuracy[0], best.units_to_lose() / units, *rises, worst.collapse_width() / units])

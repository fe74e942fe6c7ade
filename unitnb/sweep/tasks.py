"""What a sweep over many classes does (Sec. 3.4, Fig. 3C): its tasks, one model, layer and class each.

A task is names and numbers, so it travels to other processes and machines; networks, images and results do not.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..images.sources import open_images
from ..networks.trained import known_layers, trained_models
from ..profiles import Profile, load_profile
from . import executors

SAMPLES = ("S_100", "S_val")  # the images that give the rank, and test images
ORDERS = ("best first", "worst first")
METRICS = ("accuracy", "loss", "balanced_accuracy")
FACTS = (
    "start",
    "85% lost",
    "rise",
    "balanced rise",
    "collapse",
)  # of Fig. 3: accuracies, and shares of the units


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

    @property
    def run(self) -> tuple[str, int, str]:
        """What all tasks of a sweep share: profile, seed and overrides."""
        return self.profile, self.seed, self.overrides

    def settings(self) -> Profile:
        """The profile with the task's own class, layer and seed."""
        return run_settings(*self.run, target_class=self.target_class, layer=self.layer)


def run_settings(profile: str, seed: int, overrides: str, **own) -> Profile:
    """The profile of a sweep, with settings of a task of its own; all classes are looked at."""
    return load_profile(profile, {"max_classes": None, **json.loads(overrides), "seed": seed, **own})


def tasks_of(
    profile: Profile,
    classes: Iterable[str] = (),
    models: Iterable[str] = (),
    layers: Iterable[str] = (),
    overrides: Mapping | None = None,
) -> list[Task]:
    """Every combination, those of one network together.

    Parameters
    ----------
    classes, models, layers : names
        None given: all classes of the profile's images, all its models that are there, its studied layer. The layer "all" stands for
        every convolution. Layers that are given are looked for in the networks, in a process of its own.
    overrides : mapping, optional
        Single settings of the profile, as notebooks take them.

    Raises
    ------
    ValueError, KeyError
        For a class, model or layer that is not there, before anything runs.
    """
    models, layers = list(models) or trained_models(profile)[0], list(layers)
    for model in models:
        profile.recipe(model)
    classes = [replace(profile, target_class=name).target_class for name in classes]
    images = open_images(replace(profile, max_classes=None))
    for name in classes:
        images.class_index(name)
    classes = classes or list(images.classes)
    given = json.dumps(dict(overrides or {}), sort_keys=True)
    layers = _known_layers(profile, models, layers) if layers else dict.fromkeys(models, [profile.layer])
    return [
        Task(profile.name, model, layer, c, profile.seed, given)
        for model in models
        for layer in layers[model]
        for c in classes
    ]


def _known_layers(*given) -> dict[str, list[str]]:
    """In another process: here no network is loaded, which would hold memory, or a whole GPU, as long as the sweep runs."""
    with executors.processes(1) as pool:
        return pool.submit(known_layers, *given).result()

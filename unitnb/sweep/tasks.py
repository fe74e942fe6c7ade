"""The tasks of a sweep over many classes (Sec. 3.4, Fig. 3C): one model, layer and class each.

A task consists of names and numbers, which are sent to other processes and machines. Networks, images and
results are not.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..images.parameters import fitted
from ..images.sources import open_images
from ..networks.trained import known_layers, trained_models
from ..profiles import Profile, load_profile
from . import executors

SAMPLES = ("S_100", "S_val")  # the images that give the rank, and test images
ORDERS = ("best first", "worst first")
METRICS = ("accuracy", "loss", "balanced_accuracy")
# Of Fig. 3: accuracies, and shares of the units.
FACTS = ("start", "85% lost", "rise", "balanced rise", "collapse")


@dataclass(frozen=True, order=True)
class Task:
    """One model, one of its layers and one class of a profile; ``overrides`` is JSON."""

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
        """Profile, seed and overrides, which all tasks of a sweep share."""
        return self.profile, self.seed, self.overrides

    def settings(self) -> Profile:
        """The profile with the task's own class, layer and seed."""
        return run_settings(*self.run, target_class=self.target_class, layer=self.layer)


def run_settings(profile: str, seed: int, overrides: str, **own) -> Profile:
    """The profile of a sweep over all classes, with a task's own settings; see ``parameters.fitted``."""
    settings = {"max_classes": None, **json.loads(overrides), "seed": seed, **own}
    return fitted(load_profile(profile, settings), quiet=True)


def tasks_of(
    profile: Profile,
    classes: Iterable[str] = (),
    models: Iterable[str] = (),
    layers: Iterable[str] = (),
    overrides: Mapping | None = None,
    file: str | None = None,
) -> list[Task]:
    """Every combination of models, layers and classes, those of one network together.

    Parameters
    ----------
    classes, models, layers : names
        By default all classes of the profile's images, all its trained models, and its studied layer. The
        layer "all" stands for every convolution. Given layers, and those of a model of one's own, are looked
        up in the networks, in another process.
    overrides : mapping, optional
        Single settings of the profile, as in the notebooks' parameter.
    file : str, optional
        The name of the profile's file, where it is not the profile's: around a model of one's own.

    Raises
    ------
    ValueError, KeyError
        For an unknown class, model or layer, before anything runs.
    """
    models, layers = list(models) or trained_models(profile)[0], list(layers)
    for model in models:
        profile.recipe(model)
    names = [replace(profile, target_class=name).target_class for name in classes]
    images = open_images(replace(profile, max_classes=None))
    for name in names:
        images.class_index(name)
    given = json.dumps(dict(overrides or {}), sort_keys=True)
    asked = layers or profile.own_network
    by_model = _known_layers(profile, models, layers) if asked else dict.fromkeys(models, [profile.layer])
    return [
        Task(file or profile.name, model, layer, name, profile.seed, given)
        for model in models
        for layer in by_model[model]
        for name in names or images.classes
    ]


def _known_layers(*given) -> dict[str, list[str]]:
    """``known_layers`` in another process: a network in this one would hold memory, or a GPU."""
    with executors.processes(1) as pool:
        return pool.submit(known_layers, *given).result()

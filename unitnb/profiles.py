"""Profiles: the images, networks and numbers of a run, read from ``notebooks/profiles/<name>.yaml``.

Standard library only at import: make reads them before the environment exists.
"""

import math
import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .files import ranges
from .files.model_files import own_model_settings
from .files.settings import checked_name, checked_settings, class_folder, nearest, read_settings
from .synsets import find_synset

PARAMETERS = ("profile", "target_class", "seed", "overrides")  # of every notebook
EFFICIENTNET_LITE0 = "efficientnet-lite0"
NOT_REPLACED = {
    "name": "choose another profile",
    "seed": "seed is a parameter of its own: --seed of unitnb run",
}
INSTALLED = "share/unitnb/profiles"  # in the environment: where the package's own profiles lie
SCALINGS = ("none", "unit", "tf", "torch", "caffe")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


def project_root() -> Path:
    """The folder of ``notebooks`` and ``figures``: ``$UNITNB_ROOT``, the checkout, or the current folder."""
    checkout = Path(__file__).resolve().parents[1]
    fallback = checkout if (checkout / "notebooks" / "profiles").is_dir() else Path.cwd()
    return Path(os.environ.get("UNITNB_ROOT", fallback))


@dataclass(frozen=True)
class Recipe:
    """How one model is trained (Sec. 3.1). The paper gives no recipe; ours grade the gap of Table 1."""

    epochs: int
    learning_rate: float = 0.01  # SGD ("only SGD in passing", Sec. 3.3)
    momentum: float = 0.9
    batch_size: int = 64
    dropout: float = 0.0  # before the dense layers
    l2: float = 0.0  # weight decay of every kernel
    fraction: float = 1.0  # of each class's training images
    corrupted: float = 0.0  # share of the training labels that are replaced by other classes
    cosine: bool = False  # the learning rate falls to zero along half a cosine
    drops: int = 0  # most divisions by ten at a standstill of test accuracy (Simonyan & Zisserman: 3)
    patience: int = 5  # epochs without a new best test accuracy that make a standstill
    seed: int = 0  # of the first weights, the order of the images and the dropout
    parts: int = 1  # of the first epoch, after each of which the network is evaluated and kept

    def step_size(self, epoch: int, accuracies: Sequence[float] = ()) -> float:
        """The learning rate of an epoch, 1 .. epochs, after epochs of these test accuracies.

        >>> recipe = Recipe(9, learning_rate=1.0, drops=1, patience=2)
        >>> recipe.step_size(5, [0.1, 0.3, 0.2]), recipe.step_size(5, [0.1, 0.3, 0.2, 0.3])
        (1.0, 0.1)
        """
        along = 0.5 * (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) if self.cosine else 1.0
        return self.learning_rate * along / 10 ** min(self.drops, self._standstills(accuracies))

    def _standstills(self, accuracies: Sequence[float]) -> int:
        found, waited, best = 0, 0, -math.inf
        for accuracy in accuracies:
            waited = 0 if accuracy > best else waited + 1
            best = max(best, accuracy)
            if waited == self.patience:
                found, waited = found + 1, 0
        return found


@dataclass(frozen=True)
class Profile:
    """Everything that a run depends on beside its seed; the defaults are the paper's numbers."""

    name: str
    # "shapes" (embedded), "folder" (train/<class>/*, test|val/<class>/*) "ilsvrc" or "imagenette".
    source: str
    target_class: str  # hognose snake in the paper, Sec. 3.2
    models: Mapping[str, Recipe]  # A-D of Fig. 5; A is the model of Figs. 2-4
    # More seeds and grades of generalisation, of which only results are kept (make train EXTRA=1).
    extra: Mapping[str, Recipe] = field(default_factory=dict)
    data: str = ""  # folder of images, from the project's root; "keras": Keras downloads CIFAR-10
    interpolation: str = "bilinear"  # of images to image_size; "nearest" in the released code
    # Of model A, if it is Keras's VGG16: "imagenet" (Keras's own file) or a path; "": it is trained here.
    weights: str = ""
    # Model A where it is no VGG16 and not trained here: "efficientnet-lite0", or the path of a Keras model.
    network: str = ""
    scaling: str = "none"  # of images for weights of one's own, in the words of keras.applications
    class_names: str = ""  # file with the classes in the order of the model's outputs, one a line
    held_out: float = 0.0  # of "imagenette": share of the images seen by others that are test images here
    max_classes: int | None = None  # of "ilsvrc": the target class and others drawn by the seed; None: all
    layer: str = "block2_conv3"  # conv5_3 in the paper, Sec. 3.1
    # Beside it in 06: a layer further in front, "" for the one before of the same kind; and its images' side.
    second_layer: str = ""
    second_size: int | None = None
    # Units of block 1, of block 2's first two layers, of the studied layer; then of the dense layer.
    widths: tuple[int, ...] = (32, 64, 128)
    dense: int = 64
    architecture: str = "small_vgg"  # or "vgg16" (a width in place of widths and dense), "vgg_block"
    cut: str = "block3b_add"  # of "vgg_block": the layer of EfficientNet-Lite0 that ends the frozen front
    layer_units: tuple[int, ...] = ()  # other widths of the studied layer, which make train EXTRA=1 tries
    width: float = 1.0  # units of each layer of "vgg16" relative to the original
    image_size: int = 32  # side in pixels
    streamed: bool = False  # training reads images on the fly, on all GPUs; else they are held in memory
    precision: str = "float32"  # of streamed training: "mixed_bfloat16" or "mixed_float16" on a GPU
    n_evaluated: int = 5000  # training and test images, at most, that are evaluated after each epoch
    seed: int = 0
    n_rank: int = 100  # images of S_100, Sec. 3.2
    n_large: int = 1000  # images of S_1000, Sec. 3.5
    n_validation: int = 50  # images of S_val, Sec. 3.5
    n_others: int = 20  # images of each other class, for false positives
    effective_threshold: float = 0.1  # p of Eq. 10; the paper names no value, its later version 0.1
    b_max: int | None = None  # B_max of Def. 2; None: 50 at 14x14
    n_sets: int = 100  # sample sets a group, Eq. 11
    set_sizes: tuple[int, ...] = tuple(range(50, 501, 25))  # K of Eq. 11
    n_random: int = 20  # random orders beside each ablation curve
    # oneDNN for `make figures` and sweeps: VGG16 is twice as fast, the last digits depend on the processor.
    onednn: bool = False
    engine_device: str = "auto"  # of curves: "cpu", "device" (the backend's), or that if it is a GPU
    keep_maps: bool = False  # feature maps are kept under build/cache, for slow forward passes
    # Of curves in 06, 07 and sweeps, in 03 to 05 where the tail is run again for each; None: all.
    points: int | None = None
    greedy: bool = True  # 06 has the bound of greedy insertion, which tries all units at every step
    strict: bool = False  # an unreadable image is an error; else it is skipped, named and counted

    def __post_init__(self):
        words = {"scaling": SCALINGS, "interpolation": INTERPOLATIONS, "engine_device": ranges.ENGINE_DEVICES}
        for setting, known in words.items():
            if (value := getattr(self, setting)) not in known:
                raise ValueError(f"unknown {setting} '{value}': {nearest(value, known)}")
        object.__setattr__(self, "target_class", unicodedata.normalize("NFC", self.target_class))
        ranges.check_scaling(self.scaling, self.own_network or bool(self.weights and not self.network))
        if self.source in ("ilsvrc", "imagenette"):  # one name, which folders bear, for name, wnid or index
            object.__setattr__(self, "target_class", find_synset(self.target_class).name)
        for kind, names in {"class": [self.target_class], "model": [*self.models, *self.extra]}.items():
            for name in names:
                checked_name(name, kind)

    @property
    def build(self) -> Path:
        """The folder of caches, runs and trained networks."""
        return project_root() / "build"

    @property
    def data_named(self) -> str:
        """The images as they are named: ``$UNITNB_DATA`` (DATA=... of make), or ``data``."""
        return os.environ.get("UNITNB_DATA", self.data)

    @property
    def data_folder(self) -> Path:
        """The folder of images, or the archive."""
        return project_root() / os.path.expanduser(self.data_named)

    @property
    def own_network(self) -> bool:
        """Whether model A is a Keras model in a file of one's own."""
        return bool(self.network) and self.network != EFFICIENTNET_LITE0

    @property
    def is_given(self) -> bool:
        """Whether model A is given with its weights and not trained here."""
        return bool(self.weights or self.network)

    @property
    def pretrained(self) -> str:
        """The source of model A's weights: "imagenet" or a path; empty if it is trained here."""
        return os.environ.get("UNITNB_WEIGHTS", self.weights) if self.weights else ""

    @property
    def figures_folder(self) -> Path:
        """The folder of figures, tables and claims: ``figures/<profile>/<class>``."""
        figures = project_root() / os.environ.get("UNITNB_FIGURES", "figures")
        return figures / self.name / class_folder(self.target_class)

    def recipe(self, model: str) -> Recipe:
        """The recipe of a model; KeyError for an unknown one, with the nearest known one."""
        known = {**self.models, **self.extra}
        if model not in known:
            raise KeyError(f"profile '{self.name}' has no model '{model}': {nearest(model, known)}")
        return known[model]


def _with_overrides(settings: Mapping, overrides: Any) -> dict:
    if not isinstance(overrides, Mapping):
        raise ValueError(f"overrides: expected names and values such as {{'n_rank': 50}}, got {overrides!r}")
    if "name" in overrides:
        raise ValueError("overrides: 'name' cannot be replaced; choose another profile instead")
    merged = {**settings, **overrides}
    if type(merged.get("target_class")) is int:  # an index of ImageNet's, a folder called by a number
        merged["target_class"] = str(merged["target_class"])
    for group in ("models", "extra"):
        own, given = _recipes(settings, group), _recipes(overrides, group)
        for name, recipe in given.items():
            if name not in own:
                raise ValueError(f"overrides: unknown model '{name}': {nearest(name, own)}")
            own[name] = {**own[name], **recipe}
        merged[group] = own
    return merged


def _recipes(settings: Mapping, group: str) -> dict:
    """The recipes of a group of models, "models" or "extra", as written."""
    recipes = settings.get(group, {})
    if not (isinstance(recipes, Mapping) and all(isinstance(found, Mapping) for found in recipes.values())):
        where, expected = settings.get("name", "overrides"), "names and values, {A: {epochs: 10}}"
        raise ValueError(f"{where}: {group}: expected {expected}, got {recipes!r}")
    return dict(recipes)


def _profile_files() -> dict[str, Path]:
    """Those of the checkout; else those that came with the package."""
    places = project_root() / "notebooks" / "profiles", Path(sys.prefix) / INSTALLED
    here, installed = (sorted(place.glob("*.yaml")) for place in places)
    return {path.stem: path for path in here or installed}


def profile_names() -> list[str]:
    """The names of all profiles."""
    return list(_profile_files())


def load_profile(name: str = "shapes", overrides: Mapping | None = None) -> Profile:
    """A profile, with single settings replaced.

    Parameters
    ----------
    name : a file in ``notebooks/profiles/``, without its ending
    overrides : settings to replace, for instance ``{"n_rank": 50, "models": {"A": {"epochs": 2}}}``

    Raises
    ------
    ValueError
        For an unknown profile or setting, or a value of the wrong type. The text gives the nearest known
        name.
    """
    files = _profile_files()
    if not files:
        places = f"{project_root()}/notebooks/profiles and none in {sys.prefix}/{INSTALLED}"
        raise FileNotFoundError(f"no profiles in {places}; work in a clone, or set UNITNB_ROOT to one")
    if name not in files:
        raise ValueError(f"unknown profile '{name}': {nearest(name, files)}")
    settings = _with_overrides({"name": name, **read_settings(files, name)}, overrides or {})
    if settings.get("network", "") not in ("", EFFICIENTNET_LITE0):
        settings = own_model_settings(settings, overrides or {}, project_root())
    merged = checked_settings(Profile, settings, f"profile '{name}'", ranges.PROFILE)
    for group in ("models", "extra"):
        merged[group] = {model: _recipe(name, model, found) for model, found in merged[group].items()}
    return Profile(**merged)


def _recipe(name: str, model: str, settings: Mapping) -> Recipe:
    return Recipe(**checked_settings(Recipe, settings, f"profile '{name}', model {model}", ranges.RECIPE))

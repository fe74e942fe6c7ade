"""Profiles: which images, networks and numbers a run uses, read from ``notebooks/profiles/<name>.yaml``."""

import ast
import difflib
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .synsets import find_synset

PARAMETERS = ("profile", "target_class", "seed", "overrides")  # the parameters cell of every notebook
INTERPOLATIONS = ("nearest", "bilinear")


def project_root() -> Path:
    """The folder that holds ``notebooks/`` and ``figures/``: ``$UNITNB_ROOT``, the checkout, or the current folder."""
    checkout = Path(__file__).resolve().parents[1]
    fallback = checkout if (checkout / "notebooks" / "profiles").is_dir() else Path.cwd()
    return Path(os.environ.get("UNITNB_ROOT", fallback))


def nearest(name: object, known) -> str:
    """The tail of an error about an unknown name: what it may have meant, and all that is known."""
    known = [str(item) for item in known]
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    meant = f"did you mean '{close[0]}'? " if close else ""
    return f"{meant}known: {', '.join(known) or 'none'}"


def checked_name(name: Any, kind: str) -> str:
    """``name`` if it can be part of a file's name; ValueError for a path, a hidden name or a control character."""
    if (
        not isinstance(name, str)
        or not re.fullmatch(r"[^\W_][^/\\\x00-\x1f\x7f]{0,99}", name)
        or ".." in name
    ):
        expected = "expected up to 100 characters, a letter or digit first, without '/', '\\' or '..'"
        raise ValueError(f"{name!r} is no name of a {kind}: {expected}")
    return name


@dataclass(frozen=True)
class Recipe:
    """How one model is trained. The paper gives no recipe (docs of Sec. 3.1); these grade the generalisation of Table 1."""

    epochs: int
    learning_rate: float = 0.01  # SGD ("only SGD in passing", Sec. 3.3)
    momentum: float = 0.9
    batch_size: int = 64
    dropout: float = 0.0  # before the dense layers
    l2: float = 0.0  # weight decay of every kernel
    fraction: float = 1.0  # of each class's training images
    corrupted: float = 0.0  # share of the training labels drawn anew among the other classes
    cosine: bool = False  # whether the learning rate falls to zero along half a cosine
    drops: int = 0  # how often at most it is divided by ten where the test accuracy stands still (Simonyan & Zisserman: 3)
    patience: int = 5  # epochs without a new best test accuracy that are a standstill
    seed: int = 0  # of the first weights, the order of the images and the dropout

    def step_size(self, epoch: int, accuracies: Sequence[float] = ()) -> float:
        """The learning rate of an epoch, 1 .. epochs, after epochs of these test accuracies.

        >>> [Recipe(9, learning_rate=1.0, drops=1, patience=2).step_size(5, seen) for seen in ([0.1, 0.3, 0.2], [0.1, 0.3, 0.2, 0.3])]
        [1.0, 0.1]
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
    source: str  # "shapes" (embedded), "folder" (train/<class>/*, test|val/<class>/*) or "ilsvrc" (ILSVRC2012, folders or tars)
    target_class: str  # hognose snake in the paper, Sec. 3.2
    models: Mapping[str, Recipe]  # A-D of Fig. 5; A is the model of Figs. 2-4
    extra: Mapping[str, Recipe] = field(
        default_factory=dict
    )  # more seeds and grades, of which only results are kept (make train EXTRA=1)
    data: str = (
        ""  # the folder of images, relative to the project's root; "keras" lets Keras download CIFAR-10
    )
    interpolation: str = (
        "bilinear"  # how images are brought to image_size: "nearest" (the released code) or "bilinear"
    )
    weights: str = ""  # of model A, if it is Keras's VGG16: "imagenet" (Keras's own file) or a path; else it is trained here
    max_classes: int | None = (
        None  # of "ilsvrc": classes that are looked at, the target among them, the others drawn by the seed
    )
    layer: str = "block2_conv3"  # conv5_3 in the paper, Sec. 3.1
    widths: tuple[int, ...] = (
        32,
        64,
        128,
    )  # units of block 1, of block 2's first two layers, of the studied layer
    dense: int = 64
    architecture: str = "small_vgg"  # or "vgg16", which has a width in place of widths and dense
    width: float = 1.0  # units of each layer of "vgg16" relative to the true one's
    image_size: int = 32
    streamed: bool = False  # whether training reads images as it goes, on all GPUs of the machine; else they are held in memory
    precision: str = "float32"  # of streamed training: "mixed_bfloat16" or "mixed_float16" on a GPU
    n_evaluated: int = (
        5000  # training and test images, at most, on which loss and accuracy are logged after each epoch
    )
    seed: int = 0
    n_rank: int = 100  # images of S_100, Sec. 3.2
    n_large: int = 1000  # images of S_1000, Sec. 3.5
    n_validation: int = 50  # images of S_val, Sec. 3.5
    n_others: int = 20  # images of each other class, for false positives
    effective_threshold: float = 0.1  # p of Eq. 10; the paper names no value, its later version 0.1
    b_max: int | None = None  # B_max of Def. 2: 50 at 14x14
    n_sets: int = 100  # sample sets a group, Eq. 11
    set_sizes: tuple[int, ...] = tuple(range(50, 501, 25))  # K of Eq. 11
    n_random: int = 20  # random orders beside each ablation curve
    onednn: bool = False  # whether `make figures` and sweeps use oneDNN: VGG16 twice as fast, last digits as the processor has them
    keep_maps: bool = False  # whether feature maps are kept under build/cache for the next notebook: where a forward pass takes long
    points: int | None = (
        None  # of the curves of 06 and of a sweep, evenly spaced over the units; None: after every unit
    )
    greedy: bool = True  # whether 06 has the bound of greedy insertion, which tries all units at every step
    strict: bool = False  # an unreadable image is an error instead of being skipped, named and counted

    def __post_init__(self):
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"unknown interpolation '{self.interpolation}': {nearest(self.interpolation, INTERPOLATIONS)}"
            )
        if self.points is not None and (type(self.points) is not int or self.points < 2):
            raise ValueError(
                f"points: expected a whole number from 2 up, the ends of a curve being among them, got {self.points!r}"
            )
        if (
            self.source == "ilsvrc"
        ):  # one name for what may be said as a name, a wnid or an index: folders are called by it
            object.__setattr__(self, "target_class", find_synset(self.target_class).name)
        for kind, names in {"class": [self.target_class], "model": [*self.models, *self.extra]}.items():
            for name in names:
                checked_name(name, kind)

    @property
    def build(self) -> Path:
        return project_root() / "build"

    @property
    def data_folder(self) -> Path:
        return project_root() / os.environ.get("UNITNB_DATA", self.data)

    @property
    def pretrained(self) -> str:
        """Where the weights of model A are from: "imagenet" or a path; empty where it is trained here."""
        return os.environ.get("UNITNB_WEIGHTS", self.weights) if self.weights else ""

    @property
    def figures_folder(self) -> Path:
        return project_root() / os.environ.get("UNITNB_FIGURES", "figures") / self.name / self.target_class

    def recipe(self, model: str) -> Recipe:
        known = {**self.models, **self.extra}
        if model not in known:
            raise KeyError(f"profile '{self.name}' has no model '{model}': {nearest(model, known)}")
        return known[model]


def _checked(cls: type, settings: Any, where: str) -> dict:
    if not isinstance(settings, Mapping):
        raise ValueError(f"{where}: expected names and values, got {type(settings).__name__} {settings!r}")
    known = [f.name for f in fields(cls)]
    for key in settings:
        if key not in known:
            raise ValueError(f"{where}: unknown key '{key}': {nearest(key, known)}")
    types = {f.name: f.type for f in fields(cls)}
    return {key: _converted(value, types[key], f"{where}: {key}") for key, value in settings.items()}


def _converted(value: Any, kind: Any, where: str) -> Any:
    if kind == tuple[int, ...]:
        if not isinstance(value, (list, tuple)) or not all(
            isinstance(item, int) and item > 0 for item in value
        ):
            raise ValueError(f"{where}: expected a list of positive whole numbers, got {value!r}")
        return tuple(value)
    if kind in (int, float, str, bool):
        accepted = (int, float) if kind is float else kind
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{where}: expected {kind.__name__}, got {value!r}")
        return kind(value)
    return value


def _with_overrides(settings: Mapping, overrides: Any) -> dict:
    if not isinstance(overrides, Mapping):
        raise ValueError(f"overrides: expected names and values such as {{'n_rank': 50}}, got {overrides!r}")
    if "name" in overrides:
        raise ValueError("overrides: 'name' cannot be replaced; choose another profile instead")
    merged = {**settings, **overrides}
    if type(merged["target_class"]) is int:  # an index of ImageNet's
        merged["target_class"] = str(merged["target_class"])
    merged["models"] = {name: dict(recipe) for name, recipe in settings["models"].items()}
    for name, recipe in overrides.get("models", {}).items():
        if name not in merged["models"]:
            raise ValueError(f"overrides: unknown model '{name}': {nearest(name, merged['models'])}")
        merged["models"][name].update(recipe)
    return merged


def _settings(files: Mapping[str, Path], name: str) -> dict:
    """The settings in a profile's file, over those of the profile that it names as its ``base``."""
    own = dict(_read_settings(files[name]))
    base = own.pop("base", None)
    if base is None:
        return own
    if base not in files or base == name:
        raise ValueError(f"{files[name]}: unknown base '{base}': {nearest(base, files)}")
    return {**_read_settings(files[base]), **own}


def _read_settings(path: Path) -> Mapping:
    """What is in a profile's file: plain YAML, in which tags that would make objects are refused."""
    import yaml

    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read as plain YAML: {error}") from error
    if not isinstance(settings, Mapping):
        raise ValueError(f"{path}: expected names and values, got {type(settings).__name__}")
    return settings


def _profile_files() -> dict[str, Path]:
    return {path.stem: path for path in sorted((project_root() / "notebooks" / "profiles").glob("*.yaml"))}


def profile_names() -> list[str]:
    """The profiles that there are."""
    return list(_profile_files())


def load_profile(name: str = "shapes", overrides: Mapping | None = None) -> Profile:
    """The profile of that name, with single settings replaced.

    Parameters
    ----------
    name : one of the files in ``notebooks/profiles/``, without the ending
    overrides : settings to replace, for instance ``{"n_rank": 50, "models": {"A": {"epochs": 2}}}``

    Raises
    ------
    ValueError
        For an unknown profile, setting, or a value of the wrong type; the text names the nearest known ones.
    """
    files = _profile_files()
    if name not in files:
        raise ValueError(f"unknown profile '{name}': {nearest(name, files)}")
    merged = _checked(
        Profile,
        _with_overrides({"name": name, **_settings(files, name)}, overrides or {}),
        f"profile '{name}'",
    )
    for group in ("models", "extra"):
        merged[group] = {
            model: Recipe(**_checked(Recipe, recipe, f"profile '{name}', model {model}"))
            for model, recipe in merged.get(group, {}).items()
        }
    return Profile(**merged)


def _injected_names(cells) -> list[str]:
    """Names assigned in the cells that papermill injected (it heads them with the comment 'Parameters')."""
    trees = [ast.parse(cell) for cell in cells if cell.lstrip().startswith("# Parameters")]
    targets = [
        target
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
    ]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def notebook_parameters(namespace: Mapping[str, Any]) -> Profile:
    """The profile that a notebook's parameters cell asks for; the first call of every notebook.

    Papermill only warns of a parameter that a notebook does not have, and goes on without it; here it is an error.

    Parameters
    ----------
    namespace : the notebook's ``globals()``, which hold ``profile``, ``target_class``, ``seed``, ``overrides``
    """
    for name in _injected_names(namespace.get("In", ())):
        if name not in PARAMETERS:
            raise ValueError(f"unknown parameter '{name}': {nearest(name, PARAMETERS)}")
    profile = load_profile(namespace["profile"], namespace["overrides"])
    seed, target_class = namespace["seed"], namespace["target_class"]
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: expected a whole number from 0 up, got {seed!r}")
    return replace(
        profile,
        seed=seed,
        target_class=str(profile.target_class if target_class in (None, "") else target_class),
    )

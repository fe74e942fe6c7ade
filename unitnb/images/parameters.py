"""The parameters cell of a notebook as a profile whose sample sets the images can fill."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..files.settings import choose_engine_device, nearest
from ..profiles import PARAMETERS, Profile, load_profile
from .sources import open_images

FEWEST = 30  # training images of a class: half give the rank, half judge it
FEWEST_TEST = 10


def _injected_names(cells) -> list[str]:
    """Names assigned in the cells that papermill injected, which begin with the comment 'Parameters'."""
    trees = [ast.parse(cell) for cell in cells if cell.lstrip().startswith("# Parameters")]
    nodes = [node for tree in trees for node in tree.body if isinstance(node, ast.Assign)]
    return [target.id for node in nodes for target in node.targets if isinstance(target, ast.Name)]


def notebook_parameters(namespace: Mapping[str, Any], quiet: bool = False) -> Profile:
    """The profile of a notebook's parameters cell; the first call of every notebook.

    Parameters
    ----------
    namespace : the notebook's ``globals()``, which hold ``profile``, ``target_class``, ``seed``,
        ``overrides``
    quiet : bool
        Whether the sizes of sample sets that a folder cannot fill are not printed.

    Raises
    ------
    ValueError
        For an unknown parameter, which papermill only warns of, or a value that does not fit.
    """
    for name in _injected_names(namespace.get("In", ())):
        if name not in PARAMETERS:
            raise ValueError(f"unknown parameter '{name}': {nearest(name, PARAMETERS)}")
    profile = load_profile(namespace["profile"], namespace["overrides"])
    if profile.seed != Profile.seed:
        raise ValueError(
            "seed is a parameter of its own and no setting: --seed of unitnb run, -p seed of papermill"
        )
    seed, target_class = namespace["seed"], namespace["target_class"]
    if type(seed) is not int or seed < 0:
        raise ValueError(f"seed: expected a whole number from 0 up, got {seed!r}")
    target_class = profile.target_class if target_class in (None, "") else target_class
    choose_engine_device(profile.engine_device)
    return fitted(replace(profile, seed=seed, target_class=str(target_class)), quiet)


def fitted(profile: Profile, quiet: bool = False) -> Profile:
    """A profile around a model of one's own, with sample sets that its folder of images can fill.

    Half of a class's training images give the rank, so that as many are left to judge it. What shrinks is
    printed, unless ``quiet``.

    Raises
    ------
    ValueError
        If a class has fewer than 30 training images or 10 test images.
    """
    if not profile.own_network or profile.source != "folder":
        return profile
    images = open_images(profile)
    train, test = (int(_counts(images, split).min()) for split in ("train", "test"))
    for count, least, kind in ((train, FEWEST, "training"), (test, FEWEST_TEST, "test")):
        if count < least:
            raise ValueError(
                f"a class of {profile.data_folder} has {count} {kind} images; expected {least} or more of "
                f"every class: {_listed(images)}"
            )
    sizes: dict[str, Any] = {
        "n_rank": min(profile.n_rank, train // 2),
        "n_large": min(profile.n_large, train),
        "n_validation": min(profile.n_validation, test),
        "n_others": min(profile.n_others, train // 2, test),
    }
    sizes["set_sizes"] = _set_sizes(profile.set_sizes, sizes["n_large"], sizes["n_rank"])
    if not quiet and any(getattr(profile, name) != size for name, size in sizes.items()):
        print(
            f"sample sets as {profile.data_folder.name} fills them: {sample_sizes(replace(profile, **sizes))}"
        )
    return replace(profile, **sizes)


def sample_sizes(profile: Profile) -> str:
    """How many images the sample sets hold, in the paper's names."""
    sizes = {"S_100": profile.n_rank, "S_1000": profile.n_large, "S_val": profile.n_validation}
    return ", ".join(f"{name} {size} images" for name, size in sizes.items())


def _counts(images, split: str) -> np.ndarray:
    return np.array([(images.labels[split] == label).sum() for label in images.class_labels])


def _listed(images) -> str:
    pairs = zip(images.classes, _counts(images, "train"), _counts(images, "test"), strict=True)
    return ", ".join(f"{name} {train} + {test}" for name, train, test in pairs)


def _set_sizes(asked: tuple, n_large: int, n_rank: int) -> tuple:
    """The sizes of Eq. 11 that leave room in half of S_1000, among them that of S_100."""
    fitting = {size for size in asked if size <= n_large // 2} | {n_rank}
    few = {max(5, n_large // 8), max(5, n_large // 4), n_large // 2}  # Fig. 4C has three
    return tuple(sorted(fitting | (few if len(fitting) < 3 else set())))

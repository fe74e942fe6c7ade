"""Labelled images, the training sets of the models, and the seeded sample sets S_100, S_1000 and S_val (Sec. 3.5)."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..profiles import Profile, nearest

SETS = ("S_100", "S_1000", "S_val")


class UnreadableImageError(ValueError):
    """An image file that cannot be decoded."""


@dataclass(frozen=True)
class Images:
    """Labelled images of two splits, ``"train"`` and ``"test"``, read when they are asked for.

    ``labels[split]`` is (n,) int64, each the number of a class in the network's output; ``read(split, i)`` is (h, w, 3) uint8;
    ``name(split, i)`` says which image it is. ``classes`` are those that are looked at, by label: all of them, but for ImageNet, where
    there may be images of others, too.
    """

    classes: tuple[str, ...]
    labels: dict[str, np.ndarray]
    read: Callable[[str, int], np.ndarray]
    name: Callable[[str, int], str]
    class_labels: tuple[int, ...] = ()  # of ``classes``; 0, 1, ... if not given
    n_outputs: int = 0  # of a network for these labels; as many as classes if not given

    def __post_init__(self):
        object.__setattr__(self, "class_labels", self.class_labels or tuple(range(len(self.classes))))
        object.__setattr__(self, "n_outputs", self.n_outputs or len(self.classes))

    def class_index(self, target_class: str) -> int:
        """The label of a class; ValueError names the nearest known class otherwise."""
        if target_class not in self.classes:
            raise ValueError(f"unknown class '{target_class}': {nearest(target_class, self.classes)}")
        return self.class_labels[self.classes.index(target_class)]

    def read_many(
        self, split: str, candidates: Sequence[int], count: int, strict: bool = False, lazy: bool = False
    ) -> tuple["np.ndarray | LazyImages", np.ndarray, list[str]]:
        """The first ``count`` readable images among ``candidates``: images, their indices, and the names of those skipped.

        With ``lazy`` the images are read once to see that they can be, and again when they are asked for.
        """
        kept, images, skipped = [], [], []
        for index in candidates:
            if len(kept) == count:
                break
            try:
                image = self.read(split, int(index))
                kept.append(int(index))
                images += [] if lazy else [image]
            except UnreadableImageError as error:
                if strict:
                    raise
                skipped.append(str(error))
        if skipped:
            warnings.warn(f"skipped {len(skipped)} unreadable image(s): {'; '.join(skipped)}", stacklevel=2)
        found = LazyImages(partial(self.read, split), kept) if lazy else np.array(images, np.uint8)
        return found, np.array(kept, np.int64), skipped


class LazyImages(Sequence):
    """Images that are decoded when they are asked for: one (h, w, 3) by its place, an array (m, h, w, 3) by a slice."""

    def __init__(self, read: Callable[[int], np.ndarray], indices: Sequence[int]):
        self.read, self.indices = read, list(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return np.array([self.read(index) for index in self.indices[key]], np.uint8)
        return self.read(self.indices[key])

    def __array__(self, dtype=None, copy=None):
        return self[:] if dtype is None else self[:].astype(dtype)


@dataclass(frozen=True)
class SampleSet:
    """A seeded set of images: ``images`` (n, h, w, 3) uint8, perhaps lazy, ``labels`` and ``indices`` (n,) int64, ``skipped`` names."""

    name: str
    model: str  # whose training images they are, if they are
    split: str
    images: "np.ndarray | LazyImages"
    labels: np.ndarray
    indices: np.ndarray
    skipped: list[str]

    def __len__(self) -> int:
        return len(self.images)


def from_arrays(classes: Sequence[str], arrays: dict[str, tuple[np.ndarray, np.ndarray]]) -> Images:
    """Images that are in memory: by split, pixels (n, h, w, 3) uint8 and labels (n,), places in ``classes``."""
    return Images(
        tuple(classes),
        {split: labels.astype(np.int64) for split, (_, labels) in arrays.items()},
        lambda split, index: arrays[split][0][index],
        lambda split, index: f"{split}/{index}",
    )


def training_set(images: Images, profile: Profile, model: str = "A") -> tuple[np.ndarray, np.ndarray]:
    """Which training images a model sees, and the labels it is told: (n,) int64 each, by its recipe's fraction and corruption."""
    recipe, labels = profile.recipe(model), images.labels["train"]
    rng = np.random.default_rng([sum(map(ord, model)), 1])  # the networks do not depend on the profile's seed
    present, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = np.split(np.argsort(labels, kind="stable"), counts.cumsum()[:-1])
    shuffled = [rng.permutation(group) for group in by_class]
    indices = np.sort(np.concatenate([group[: round(recipe.fraction * len(group))] for group in shuffled]))
    told = place[indices]
    wrong = rng.permutation(len(told))[: round(recipe.corrupted * len(told))]
    if len(wrong):
        told[wrong] = (told[wrong] + rng.integers(1, len(present), len(wrong))) % len(present)
    return indices, present[told]


def _size(profile: Profile, name: str) -> int:
    sizes = dict(zip(SETS, (profile.n_rank, profile.n_large, profile.n_validation), strict=True))
    if name not in sizes:
        raise ValueError(f"unknown sample set '{name}': {nearest(name, SETS)}")
    return sizes[name]


def _draw(
    images: Images, profile: Profile, name: str, model: str, target_class: str, count: int, lazy: bool = False
) -> SampleSet:
    target = images.class_index(target_class)
    split = "test" if name == "S_val" else "train"
    indices, told = (
        training_set(images, profile, model)
        if split == "train"
        else (np.arange(len(images.labels["test"])), images.labels["test"])
    )
    candidates = np.random.default_rng([profile.seed, target, split == "test"]).permutation(
        indices[told == target]
    )
    found, kept, skipped = images.read_many(split, candidates, count, profile.strict, lazy)
    if len(kept) < count:
        unreadable = f", {len(skipped)} of them unreadable," if skipped else ""
        raise ValueError(
            f"{name} of class '{target_class}' for model {model}: {len(candidates)} {split} images found{unreadable} where "
            f"{count} are asked for; add images, or ask for fewer (overrides: n_rank, n_large, n_validation, n_others)"
        )
    return SampleSet(name, model, split, found, np.full(len(kept), target), kept, skipped)


def sample_set(
    images: Images,
    profile: Profile,
    name: str,
    model: str = "A",
    target_class: str | None = None,
    lazy: bool = False,
) -> SampleSet:
    """A seeded sample of one class: S_100 and S_1000 from the model's training images, S_val from the test images (Sec. 3.5).

    S_100 is the beginning of S_1000. The class of a training image is the label that the model was told, so that for a model trained on
    corrupted labels the training accuracy is about what it learned. With ``lazy`` the images are decoded when they are asked for, for
    :func:`unitnb.births_in_blocks`.

    Raises
    ------
    ValueError
        For an unknown set or class, and where the class has fewer readable images than asked for; the text says how many there are.
    """
    return _draw(
        images, profile, name, model, target_class or profile.target_class, _size(profile, name), lazy
    )


def sample_others(
    images: Images, profile: Profile, name: str, model: str = "A", target_class: str | None = None
) -> SampleSet:
    """Images of all the other classes, ``profile.n_others`` each, drawn like the sample set of that name.

    The paper's accuracy is on images of one class alone; with these, false positives are seen too.
    """
    target = target_class or profile.target_class
    images.class_index(target)  # before anything is read
    _size(profile, name)
    drawn = [
        _draw(images, profile, name, model, other, profile.n_others)
        for other in images.classes
        if other != target
    ]
    joined = {
        part: np.concatenate([getattr(sample, part) for sample in drawn])
        for part in ("images", "labels", "indices")
    }
    return SampleSet(
        f"{name}, other classes",
        model,
        drawn[0].split,
        **joined,
        skipped=sum((sample.skipped for sample in drawn), []),
    )

"""Labelled images, training sets, and the seeded sample sets S_100, S_1000 and S_val (Sec. 3.1, 3.5)."""

import unicodedata
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..profiles import Profile, nearest

SETS = {"S_100": "n_rank", "S_1000": "n_large", "S_val": "n_validation"}  # and the settings of their sizes


class UnreadableImageError(ValueError):
    """An image file that cannot be decoded."""


@dataclass(frozen=True)
class Images:
    """Labelled images of two splits, ``"train"`` and ``"test"``, read on request.

    Attributes
    ----------
    classes : names of the studied classes, in the order of their labels; of ImageNet perhaps only a part
    labels : by split, (n,) int64, the index of each image's class in the network's output
    read : ``read(split, i)`` gives image i, (h, w, 3) uint8
    name : ``name(split, i)`` identifies image i in messages
    class_labels : labels of ``classes``; 0, 1, ... by default
    n_outputs : outputs of a network for these labels; the number of classes by default
    """

    classes: tuple[str, ...]
    labels: dict[str, np.ndarray]
    read: Callable[[str, int], np.ndarray]
    name: Callable[[str, int], str]
    class_labels: tuple[int, ...] = ()
    n_outputs: int = 0

    def __post_init__(self):
        object.__setattr__(self, "class_labels", self.class_labels or tuple(range(len(self.classes))))
        object.__setattr__(self, "n_outputs", self.n_outputs or len(self.classes))

    def class_index(self, target_class: str) -> int:
        """The label of a class; ValueError for an unknown class, with the nearest known one."""
        name = unicodedata.normalize("NFC", target_class)
        if name not in self.classes:
            raise ValueError(f"unknown class '{target_class}': {nearest(target_class, self.classes)}")
        return self.class_labels[self.classes.index(name)]

    def read_many(
        self,
        split: str,
        candidates: Sequence[int] | np.ndarray,
        count: int,
        strict: bool = False,
        lazy: bool = False,
    ) -> tuple["np.ndarray | LazyImages", np.ndarray, list[str]]:
        """The first ``count`` readable images among ``candidates``; fewer if there are not so many.

        Returns the images, their indices and the names of the skipped ones. With ``lazy`` the images are read
        once, to find the readable ones, and again on request. With ``strict`` an unreadable image is an
        ``UnreadableImageError``.
        """
        kept: list[int] = []
        images: list[np.ndarray] = []
        skipped: list[str] = []
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
    """Images that are decoded on request: one (h, w, 3) by its place, an array (m, h, w, 3) by a slice."""

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
    """A seeded set of n images."""

    name: str
    model: str  # the model whose training set they are drawn from, for the split "train"
    split: str
    images: "np.ndarray | LazyImages"  # (n, h, w, 3) uint8
    labels: np.ndarray  # (n,) int64
    indices: np.ndarray  # (n,) int64, in the split
    skipped: list[str]  # names of the unreadable images that were passed over

    def __len__(self) -> int:
        return len(self.images)


def from_arrays(classes: Sequence[str], arrays: dict[str, tuple[np.ndarray, np.ndarray]]) -> Images:
    """Images in memory: by split, pixels (n, h, w, 3) uint8 and labels (n,), indices in ``classes``."""
    return Images(
        tuple(classes),
        {split: labels.astype(np.int64) for split, (_, labels) in arrays.items()},
        lambda split, index: arrays[split][0][index],
        lambda split, index: f"{split}/{index}",
    )


def training_set(images: Images, profile: Profile, model: str = "A") -> tuple[np.ndarray, np.ndarray]:
    """The training images of a model and their assigned labels, (n,) int64 each.

    The recipe's ``fraction`` of each class is drawn; the share ``corrupted`` of their labels is replaced by
    other classes. The draw depends on the model's name, not on the profile's seed, and so do the networks.
    """
    recipe, labels = profile.recipe(model), images.labels["train"]
    rng = np.random.default_rng([sum(map(ord, model)), 1])
    present, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = np.split(np.argsort(labels, kind="stable"), counts.cumsum()[:-1])
    shuffled = [rng.permutation(group) for group in by_class]
    indices = np.sort(np.concatenate([group[: round(recipe.fraction * len(group))] for group in shuffled]))
    assigned = place[indices]
    wrong = rng.permutation(len(assigned))[: round(recipe.corrupted * len(assigned))]
    if len(wrong):
        assigned[wrong] = (assigned[wrong] + rng.integers(1, len(present), len(wrong))) % len(present)
    return indices, present[assigned]


def _setting(name: str) -> str:
    """The profile's setting that says how large a sample set is."""
    if name not in SETS:
        raise ValueError(f"unknown sample set '{name}': {nearest(name, SETS)}")
    return SETS[name]


def _draw(
    images: Images,
    profile: Profile,
    name: str,
    model: str,
    target_class: str,
    setting: str,
    lazy: bool = False,
) -> SampleSet:
    count: int = getattr(profile, setting)
    target = images.class_index(target_class)
    split = "test" if name == "S_val" else "train"
    if split == "train":
        indices, assigned_labels = training_set(images, profile, model)
    else:
        indices, assigned_labels = np.arange(len(images.labels["test"])), images.labels["test"]
    rng = np.random.default_rng([profile.seed, target, split == "test"])
    candidates = rng.permutation(indices[assigned_labels == target])
    found, kept, skipped = images.read_many(split, candidates, count, profile.strict, lazy)
    if len(kept) < count:
        state = _state(images, profile, model, split, target, len(candidates), len(skipped))
        raise ValueError(
            f"{name} of class '{target_class}': {state} where {count} are asked for; add images, or ask for "
            f"fewer: SET='{setting}={len(kept)}' of make, overrides: {{'{setting}': {len(kept)}}}"
        )
    return SampleSet(name, model, split, found, np.full(len(kept), target), kept, skipped)


def _state(images, profile, model, split, target, candidates, unreadable) -> str:
    """How many images there are of a class, and which of them count."""
    there = int((images.labels[split] == target).sum())
    text = f"{there} {split} images found"
    if candidates != there:
        recipe = profile.recipe(model)
        corrupted = f" with {recipe.corrupted:.0%} of all labels replaced" if recipe.corrupted else ""
        text += f", of which model {model} is trained on {recipe.fraction:.0%}{corrupted} ({candidates})"
    return text + (f", {unreadable} of them unreadable," if unreadable else "")


def sample_set(
    images: Images,
    profile: Profile,
    name: str,
    model: str = "A",
    target_class: str | None = None,
    lazy: bool = False,
) -> SampleSet:
    """A seeded sample of one class (Sec. 3.5).

    S_100 and S_1000 are drawn from the model's training images, S_val from the test images. S_100 is a
    prefix of S_1000. The class of a training image is its assigned label: a model trained on corrupted
    labels is judged by what it was trained on. With ``lazy`` the images are decoded on request.

    Raises
    ------
    ValueError
        For an unknown set or class, and if the class has fewer readable images than requested. The text gives
        their number.
    UnreadableImageError
        If an image cannot be read and the profile is strict.
    """
    return _draw(images, profile, name, model, target_class or profile.target_class, _setting(name), lazy)


def sample_others(
    images: Images, profile: Profile, name: str, model: str = "A", target_class: str | None = None
) -> SampleSet:
    """Images of all other classes, ``profile.n_others`` each, drawn like the sample set of that name.

    The paper's accuracy is on images of one class alone. These images give the false positives. Errors are
    those of :func:`sample_set`.
    """
    target = target_class or profile.target_class
    images.class_index(target)  # before anything is read
    _setting(name)
    others = [other for other in images.classes if other != target]
    if not others:
        raise ValueError(
            f"'{target}' is the only class of these images; false positives are counted on images of other "
            "classes, so at least two are expected"
        )
    drawn = [_draw(images, profile, name, model, other, "n_others") for other in others]
    joined = {
        part: np.concatenate([getattr(sample, part) for sample in drawn])
        for part in ("images", "labels", "indices")
    }
    skipped = [text for sample in drawn for text in sample.skipped]
    return SampleSet(f"{name}, other classes", model, drawn[0].split, **joined, skipped=skipped)

"""Image sources, the training sets of the models, and the seeded sample sets S_100, S_1000 and S_val (Sec. 3.5)."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from . import shapes, store
from .profiles import Profile, nearest

ENDINGS = {".jpg", ".jpeg", ".png", ".bmp"}
SETS = ("S_100", "S_1000", "S_val")


class UnreadableImageError(ValueError):
    """An image file that cannot be decoded."""


@dataclass(frozen=True)
class Images:
    """Labelled images of two splits, ``"train"`` and ``"test"``, read when they are asked for.

    ``labels[split]`` is (n,) int64, an index into ``classes``; ``read(split, i)`` is (h, w, 3) uint8; ``name(split, i)`` says which
    image it is.
    """

    classes: tuple[str, ...]
    labels: dict[str, np.ndarray]
    read: Callable[[str, int], np.ndarray]
    name: Callable[[str, int], str]

    def class_index(self, target_class: str) -> int:
        """The label of a class; ValueError names the nearest known class otherwise."""
        if target_class not in self.classes:
            raise ValueError(f"unknown class '{target_class}': {nearest(target_class, self.classes)}")
        return self.classes.index(target_class)

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


def _from_arrays(classes: Sequence[str], arrays: dict[str, tuple[np.ndarray, np.ndarray]]) -> Images:
    return Images(
        tuple(classes),
        {split: labels.astype(np.int64) for split, (_, labels) in arrays.items()},
        lambda split, index: arrays[split][0][index],
        lambda split, index: f"{split}/{index}",
    )


def _shapes(profile: Profile) -> Images:
    def draw():
        made = {split: shapes.shapes_images(split) for split in ("train", "test")}
        return {f"{split}_{part}": array for split, pair in made.items() for part, array in zip(("images", "labels"), pair, strict=True)}

    source = store.digest(Path(shapes.__file__).read_text(encoding="utf-8"))
    drawn = store.cached(profile.build / "cache", "shapes", {"source": source}, draw)
    return _from_arrays(shapes.CLASSES, {split: (drawn[f"{split}_images"], drawn[f"{split}_labels"]) for split in ("train", "test")})


def _keras_cifar10(profile: Profile) -> Images:
    from keras.datasets import cifar10

    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    train, test = cifar10.load_data()
    return _from_arrays(classes, {"train": (train[0], train[1].ravel()), "test": (test[0], test[1].ravel())})


def _split_folder(root: Path, *names: str) -> Path:
    found = [root / name for name in names if (root / name).is_dir()]
    if not found:
        holds = ", ".join(sorted(path.name for path in root.iterdir())[:8]) or "nothing"
        raise FileNotFoundError(f"{root} has no folder '{' or '.join(names)}' (it holds: {holds}); expected {names[0]}/<class>/<images>")
    return found[0]


def _listing(folder: Path, classes: Sequence[str]) -> tuple[list[Path], np.ndarray]:
    files = [sorted(path for path in (folder / name).glob("*") if path.suffix.lower() in ENDINGS) for name in classes]
    return [path for group in files for path in group], np.repeat(np.arange(len(classes)), [len(group) for group in files])


def _decode(path: Path, size: int) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            image = image.convert("RGB")
            return np.asarray(image if image.size == (size, size) else image.resize((size, size), Image.Resampling.BILINEAR))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(f"{path.parent.name}/{path.name} ({error})") from error


def folder_images(root: Path, size: int) -> Images:
    """Images in ImageNet's layout, ``train/<class>/*`` and ``test|val/<class>/*``: JPEG, PNG or BMP, endings in any case.

    Images of another size are resized to ``size`` x ``size`` without crop (Sec. 3.1), bilinearly.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"no folder of images at {root}; name it with DATA=<folder holding train/<class>/ and test/<class>/>")
    folders = {"train": _split_folder(root, "train"), "test": _split_folder(root, "test", "val")}
    classes = tuple(sorted(path.name for path in folders["train"].iterdir() if path.is_dir()))
    if not classes:
        raise FileNotFoundError(f"{folders['train']} holds no class folders; expected train/<class>/<images>")
    listed = {split: _listing(folder, classes) for split, folder in folders.items()}
    return Images(
        classes,
        {split: labels for split, (_, labels) in listed.items()},
        lambda split, index: _decode(listed[split][0][index], size),
        lambda split, index: "/".join(listed[split][0][index].parts[-3:]),
    )


def open_images(profile: Profile) -> Images:
    """The images of a profile; its target class is checked here.

    Raises
    ------
    ValueError
        If the profile's target class or source is unknown.
    FileNotFoundError
        If the folder, its ``train/`` or its ``test/`` (or ``val/``) is missing.
    """
    sources = {"shapes": _shapes, "folder": lambda p: folder_images(p.data_folder, p.image_size), "keras": _keras_cifar10}
    source = "keras" if profile.data_folder.name == "keras" else profile.source
    if source not in sources:
        raise ValueError(f"unknown source '{source}': {nearest(source, sources)}")
    images = sources[source](profile)
    images.class_index(profile.target_class)
    return images


def training_set(images: Images, profile: Profile, model: str = "A") -> tuple[np.ndarray, np.ndarray]:
    """Which training images a model sees, and the labels it is told: (n,) int64 each, by its recipe's fraction and corruption."""
    recipe, labels = profile.recipe(model), images.labels["train"]
    rng = np.random.default_rng([sum(map(ord, model)), 1])  # the networks do not depend on the profile's seed
    shuffled = [rng.permutation(np.flatnonzero(labels == c)) for c in range(len(images.classes))]
    indices = np.sort(np.concatenate([group[: round(recipe.fraction * len(group))] for group in shuffled]))
    told = labels[indices].copy()
    wrong = rng.permutation(len(told))[: round(recipe.corrupted * len(told))]
    told[wrong] = (told[wrong] + rng.integers(1, len(images.classes), len(wrong))) % len(images.classes)
    return indices, told


def _size(profile: Profile, name: str) -> int:
    sizes = dict(zip(SETS, (profile.n_rank, profile.n_large, profile.n_validation), strict=True))
    if name not in sizes:
        raise ValueError(f"unknown sample set '{name}': {nearest(name, SETS)}")
    return sizes[name]


def _draw(images: Images, profile: Profile, name: str, model: str, target: int, count: int, lazy: bool = False) -> SampleSet:
    split = "test" if name == "S_val" else "train"
    indices, told = (
        training_set(images, profile, model) if split == "train" else (np.arange(len(images.labels["test"])), images.labels["test"])
    )
    candidates = np.random.default_rng([profile.seed, target, split == "test"]).permutation(indices[told == target])
    found, kept, skipped = images.read_many(split, candidates, count, profile.strict, lazy)
    if len(kept) < count:
        unreadable = f", {len(skipped)} of them unreadable," if skipped else ""
        raise ValueError(
            f"{name} of class '{images.classes[target]}' for model {model}: {len(candidates)} {split} images found{unreadable} where "
            f"{count} are asked for; add images, or ask for fewer (overrides: n_rank, n_large, n_validation, n_others)"
        )
    return SampleSet(name, model, split, found, np.full(len(kept), target), kept, skipped)


def sample_set(
    images: Images, profile: Profile, name: str, model: str = "A", target_class: str | None = None, lazy: bool = False
) -> SampleSet:
    """A seeded sample of one class: S_100 and S_1000 from the model's training images, S_val from the test images (Sec. 3.5).

    S_100 is the beginning of S_1000. The class of a training image is the label that the model was told, so that for a model trained on
    corrupted labels the training accuracy is about what it learned. With ``lazy`` the images are decoded when they are asked for, for
    :func:`unitnb.stream`.

    Raises
    ------
    ValueError
        For an unknown set or class, and where the class has fewer readable images than asked for; the text says how many there are.
    """
    target = images.class_index(target_class or profile.target_class)
    return _draw(images, profile, name, model, target, _size(profile, name), lazy)


def sample_others(images: Images, profile: Profile, name: str, model: str = "A", target_class: str | None = None) -> SampleSet:
    """Images of all the other classes, ``profile.n_others`` each, drawn like the sample set of that name.

    The paper's accuracy is on images of one class alone; with these, false positives are seen too.
    """
    target = images.class_index(target_class or profile.target_class)
    _size(profile, name)
    drawn = [_draw(images, profile, name, model, c, profile.n_others) for c in range(len(images.classes)) if c != target]
    joined = {part: np.concatenate([getattr(sample, part) for sample in drawn]) for part in ("images", "labels", "indices")}
    return SampleSet(f"{name}, other classes", model, drawn[0].split, **joined, skipped=sum((sample.skipped for sample in drawn), []))

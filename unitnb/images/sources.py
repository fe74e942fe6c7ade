"""Sources of images: the embedded shapes, folders, CIFAR-10 through Keras, ILSVRC2012 and Imagenette."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..files import store
from ..files.model_files import keras_home
from ..profiles import Profile, nearest
from ..synsets import find_synset, synsets
from . import folders, ilsvrc, imagenette, shapes
from .decoding import decode
from .outputs import output_labels, output_names
from .samples import Images, from_arrays

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NO_CLASS = "none"  # the target class of a profile that leaves it open
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CIFAR10_FILE = "cifar-10-batches-py-target_archive"  # under which Keras looks for it


def _shapes(profile: Profile) -> Images:
    def draw():
        made = {split: shapes.shapes_images(split) for split in ("train", "test")}
        return {
            f"{split}_{part}": array
            for split, pair in made.items()
            for part, array in zip(("images", "labels"), pair, strict=True)
        }

    source = store.digest(Path(shapes.__file__).read_text(encoding="utf-8"))
    drawn = store.cached(profile.build / "cache", "shapes", {"source": source}, draw)
    return from_arrays(
        shapes.CLASSES,
        {split: (drawn[f"{split}_images"], drawn[f"{split}_labels"]) for split in ("train", "test")},
    )


def _keras_cifar10(profile: Profile) -> Images:
    from keras.datasets import cifar10

    try:
        train, test = cifar10.load_data()
    except Exception as error:  # whatever urllib and Keras make of no network
        raise FileNotFoundError(
            f"CIFAR-10 cannot be downloaded ({error}); save {CIFAR10_URL} as "
            f"{keras_home() / 'datasets' / CIFAR10_FILE}, or name a folder of images with DATA=<folder>"
        ) from error
    return from_arrays(CIFAR10, {"train": (train[0], train[1].ravel()), "test": (test[0], test[1].ravel())})


def folder_images(root: Path, size: int, interpolation: str = "bilinear") -> Images:
    """Images in ImageNet's layout, ``train/<class>/*`` and ``test|val/<class>/*``: JPEG, PNG, BMP or WebP.

    Parameters
    ----------
    root : folder that holds ``train`` and ``test`` (or ``val``)
    size : side in pixels to which images are resized, without crop (Sec. 3.1)
    interpolation : "nearest", "bilinear" or "bicubic"

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`unitnb.images.folders.open_folder`.
    """
    found = folders.open_folder(Path(root))

    def name(split: str, index: int) -> str:
        return "/".join(found[split].files[index].parts[-3:])

    return Images(
        found["train"].classes,
        {split: listed.labels for split, listed in found.items()},
        lambda split, index: decode(found[split].files[index], name(split, index), size, interpolation),
        name,
    )


def _ilsvrc(profile: Profile) -> Images:
    return _imagenet(profile, ilsvrc.open_ilsvrc(profile.data_folder, profile.build / "cache"))


def _imagenette(profile: Profile) -> Images:
    images = _imagenet(profile, imagenette.open_imagenette(profile.data_folder, profile.build / "cache"))
    return images if profile.is_given else with_held_out(_with_own_labels(images), profile.held_out)


def _with_own_labels(images: Images) -> Images:
    """The same images for networks that tell apart only the classes that are there: 0, 1, ..."""
    present = np.unique(images.labels["train"])
    labels = {split: np.searchsorted(present, found) for split, found in images.labels.items()}
    studied = tuple(np.searchsorted(present, images.class_labels).tolist())
    return replace(images, labels=labels, class_labels=studied, n_outputs=len(present))


def with_held_out(images: Images, share: float) -> Images:
    """The same images, with a share of each class's training images behind the test images.

    The draw does not depend on the profile's seed, because trained networks do not.

    >>> train, test = ((np.zeros((n, 1, 1, 3)), np.arange(n) % 2) for n in (20, 0))
    >>> found = with_held_out(from_arrays("ab", {"train": train, "test": test}), 0.1).labels
    >>> {split: len(labels) for split, labels in found.items()}
    {'train': 18, 'test': 2}
    """
    labels, rng = images.labels["train"], np.random.default_rng(4)
    groups = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    held = np.sort(np.concatenate([group[: round(share * len(group))] for group in groups]))
    places = {
        "train": [("train", int(index)) for index in np.setdiff1d(np.arange(len(labels)), held)],
        "test": [("test", index) for index in range(len(images.labels["test"]))]
        + [("train", int(index)) for index in held],
    }
    return replace(
        images,
        labels={
            split: np.array([images.labels[part][index] for part, index in found], np.int64)
            for split, found in places.items()
        },
        read=lambda split, index: images.read(*places[split][index]),
        name=lambda split, index: images.name(*places[split][index]),
    )


def _imagenet(profile: Profile, listed: dict[str, ilsvrc.Listing]) -> Images:
    """ImageNet: the target class and others by the seed, at most ``max_classes``; labels are Keras's."""
    target = find_synset(profile.target_class)
    studied = ilsvrc.studied_classes(listed["train"].labels, target, profile.max_classes, profile.seed)
    return Images(
        tuple(synset.name for synset in studied),
        {split: listing.labels for split, listing in listed.items()},
        lambda split, index: decode(
            listed[split].open(index), listed[split].name(index), profile.image_size, profile.interpolation
        ),
        lambda split, index: f"{split}/{listed[split].name(index)}",
        tuple(synset.index for synset in studied),
        len(synsets()),
    )


def _folder(profile: Profile) -> Images:
    """Images in folders, with the labels that the profile's networks have for them."""
    images = folder_images(profile.data_folder, profile.image_size, profile.interpolation)
    if not profile.is_given:
        return images
    outputs = np.array(output_labels(profile, images.classes))
    labels = {split: outputs[found] for split, found in images.labels.items()}
    count = len(output_names(profile, images.classes))
    return replace(images, labels=labels, class_labels=tuple(outputs.tolist()), n_outputs=count)


def _source(profile: Profile) -> str:
    """ "keras" where the bare word stands in place of a folder, else the profile's source."""
    bare = profile.data_named == "keras" and not profile.data_folder.is_dir()
    return "keras" if bare and profile.source == "folder" else profile.source


def class_names(profile: Profile) -> tuple[str, ...]:
    """The classes of a profile's images, by label, without opening the images.

    Empty for ILSVRC2012, for a network that is given, and for a folder that does not exist.
    """
    if profile.source == "imagenette" and not profile.is_given:
        try:
            return open_images(profile).classes
        except FileNotFoundError:
            return ()
    if _source(profile) == "folder":
        return folders.class_folders(profile.data_folder)
    return {"shapes": shapes.CLASSES, "keras": CIFAR10}.get(_source(profile), ())


def open_images(profile: Profile) -> Images:
    """The images of a profile, from the embedded shapes, folders, Keras, ILSVRC2012 or Imagenette.

    Raises
    ------
    ValueError
        If the profile's target class or source is unknown.
    FileNotFoundError
        If the folder, its ``train/`` or its ``test/`` (or ``val/``) is missing.
    DamagedFileError
        If an archive of ILSVRC2012 or Imagenette is damaged.
    """
    sources = {
        "shapes": _shapes,
        "folder": _folder,
        "keras": _keras_cifar10,
        "ilsvrc": _ilsvrc,
        "imagenette": _imagenette,
    }
    source = _source(profile)
    if source not in sources:
        raise ValueError(f"unknown source '{source}': {nearest(source, sources)}")
    images = sources[source](profile)
    if profile.target_class != NO_CLASS:  # a sweep goes over all of them
        images.class_index(profile.target_class)
    return images

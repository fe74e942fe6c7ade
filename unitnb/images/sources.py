"""Sources of images: the embedded shapes, folders, CIFAR-10 through Keras, ILSVRC2012 and Imagenette."""

import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..files import store
from ..profiles import Profile, nearest
from ..synsets import find_synset, synsets
from . import ilsvrc, imagenette, shapes, tars
from .outputs import output_labels, output_names
from .samples import Images, UnreadableImageError, from_arrays

FORMATS = ("JPEG", "PNG", "BMP")  # by content, not by name; no other decoder is tried
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NO_CLASS = "none"  # the target class of a profile that leaves it open
PIXELS = 50_000_000  # of one image; the largest of ILSVRC2012 has 44 million
# Pillow raises these on bad bytes.
_BAD_BYTES = (OSError, ValueError, SyntaxError, EOFError, OverflowError, MemoryError, struct.error)


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

    train, test = cifar10.load_data()
    return from_arrays(CIFAR10, {"train": (train[0], train[1].ravel()), "test": (test[0], test[1].ravel())})


def _split_folder(root: Path, *names: str) -> Path:
    found = [root / name for name in names if (root / name).is_dir()]
    if not found:
        holds = ", ".join(sorted(path.name for path in root.iterdir())[:8]) or "nothing"
        raise FileNotFoundError(
            f"{root} has no folder '{' or '.join(names)}' (it holds: {holds}); "
            f"expected {names[0]}/<class>/<images>"
        )
    return found[0]


def _listing(folder: Path, classes: Sequence[str]) -> tuple[list[Path], np.ndarray]:
    """The images of a split, class after class, and their labels (n,)."""
    files = [
        sorted(path for path in (folder / name).glob("*") if tars.is_image(path.name)) for name in classes
    ]
    labels = np.repeat(np.arange(len(classes)), [len(group) for group in files])
    return [path for group in files for path in group], labels


def _decode(source, name: str, size: int, interpolation: str = "bilinear") -> np.ndarray:
    """A file, or its bytes, as RGB (size, size, 3) uint8, resized without crop; it may be grey or CMYK."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(source, formats=FORMATS) as file:
            if file.width * file.height > PIXELS:  # known before anything is decompressed
                raise UnreadableImageError(
                    f"{name} ({file.width:,} x {file.height:,} pixels; at most {PIXELS:,} are read)"
                )
            image = file.convert("RGB")
            if image.size != (size, size):
                image = image.resize((size, size), Image.Resampling[interpolation.upper()])
            return np.asarray(image)
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name} (no image)") from error
    except UnreadableImageError:
        raise
    except (*_BAD_BYTES, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(f"{name} ({error})") from error


def _class_folders(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))


def folder_images(root: Path, size: int, interpolation: str = "bilinear") -> Images:
    """Images in ImageNet's layout, ``train/<class>/*`` and ``test|val/<class>/*``: JPEG, PNG or BMP.

    Parameters
    ----------
    root : folder that holds ``train`` and ``test`` (or ``val``)
    size : side in pixels to which images are resized, without crop (Sec. 3.1)
    interpolation : "nearest" or "bilinear"

    Raises
    ------
    FileNotFoundError
        If the folder, a split or its class folders are missing.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"no folder of images at {root}; "
            "name it with DATA=<folder holding train/<class>/ and test/<class>/>"
        )
    folders = {"train": _split_folder(root, "train"), "test": _split_folder(root, "test", "val")}
    classes = _class_folders(folders["train"])
    if not classes:
        raise FileNotFoundError(f"{folders['train']} holds no class folders; expected train/<class>/<images>")
    listed = {split: _listing(folder, classes) for split, folder in folders.items()}
    return Images(
        classes,
        {split: labels for split, (_, labels) in listed.items()},
        lambda split, index: _decode(
            path := listed[split][0][index], "/".join(path.parts[-2:]), size, interpolation
        ),
        lambda split, index: "/".join(listed[split][0][index].parts[-3:]),
    )


def _ilsvrc(profile: Profile) -> Images:
    return _imagenet(profile, ilsvrc.open_ilsvrc(profile.data_folder, profile.build / "cache"))


def _imagenette(profile: Profile) -> Images:
    return _imagenet(profile, imagenette.open_imagenette(profile.data_folder, profile.build / "cache"))


def _imagenet(profile: Profile, listed: dict[str, ilsvrc.Listing]) -> Images:
    """ImageNet: the target class and others by the seed, at most ``max_classes``; labels are Keras's."""
    target = find_synset(profile.target_class)
    studied = ilsvrc.studied_classes(listed["train"].labels, target, profile.max_classes, profile.seed)
    return Images(
        tuple(synset.name for synset in studied),
        {split: listing.labels for split, listing in listed.items()},
        lambda split, index: _decode(
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
    return "keras" if profile.data_folder.name == "keras" else profile.source


def class_names(profile: Profile) -> tuple[str, ...]:
    """The classes of a profile's images, by label, without opening the images.

    Empty for ILSVRC2012 and for a folder that does not exist.
    """
    train = profile.data_folder / "train"
    if _source(profile) == "folder":
        return _class_folders(train) if train.is_dir() else ()
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

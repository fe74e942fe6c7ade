"""Where images come from: the embedded shapes, folders, CIFAR-10 through Keras, and ILSVRC2012 as folders or tars."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..files import store
from ..profiles import Profile, nearest
from ..synsets import find_synset, synsets
from . import ilsvrc, shapes, tars
from .samples import Images, UnreadableImageError, from_arrays

FORMATS = ("JPEG", "PNG", "BMP")  # by content, whatever the file is called; decoders of others are not tried
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PIXELS = 50_000_000  # of one image; the largest of ILSVRC2012 has 44 million
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    OverflowError,
    MemoryError,
    struct.error,
)  # what Pillow raises on bad bytes


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
            f"{root} has no folder '{' or '.join(names)}' (it holds: {holds}); expected {names[0]}/<class>/<images>"
        )
    return found[0]


def _listing(folder: Path, classes: Sequence[str]) -> tuple[list[Path], np.ndarray]:
    files = [
        sorted(path for path in (folder / name).glob("*") if tars.is_image(path.name)) for name in classes
    ]
    return [path for group in files for path in group], np.repeat(
        np.arange(len(classes)), [len(group) for group in files]
    )


def _decode(source, name: str, size: int, interpolation: str = "bilinear") -> np.ndarray:
    """A file, or its bytes, as (size, size, 3) uint8: RGB whatever it was (grey, CMYK, a PNG called JPEG), resized without crop."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > PIXELS:  # known before anything is decompressed
                raise UnreadableImageError(
                    f"{name} ({image.width:,} x {image.height:,} pixels; at most {PIXELS:,} are read)"
                )
            image = image.convert("RGB")
            return np.asarray(
                image
                if image.size == (size, size)
                else image.resize((size, size), Image.Resampling[interpolation.upper()])
            )
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name} (no image)") from error
    except UnreadableImageError:
        raise
    except (*_DAMAGE, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(f"{name} ({error})") from error


def _class_folders(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))


def folder_images(root: Path, size: int, interpolation: str = "bilinear") -> Images:
    """Images in ImageNet's layout, ``train/<class>/*`` and ``test|val/<class>/*``: JPEG, PNG or BMP, endings in any case.

    Images of another size are resized to ``size`` x ``size`` without crop (Sec. 3.1); ``interpolation`` is "nearest" or "bilinear".
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"no folder of images at {root}; name it with DATA=<folder holding train/<class>/ and test/<class>/>"
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
    """ImageNet: the target class and, up to ``max_classes``, others by the seed; labels are Keras's indices, 0 to 999."""
    listed = ilsvrc.open_ilsvrc(profile.data_folder, profile.build / "cache")
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
    return folder_images(profile.data_folder, profile.image_size, profile.interpolation)


def _source(profile: Profile) -> str:
    return "keras" if profile.data_folder.name == "keras" else profile.source


def class_names(profile: Profile) -> tuple[str, ...]:
    """The classes of a profile's images, by label, without opening them; of ILSVRC2012, or where there are no images, none."""
    train = profile.data_folder / "train"
    if _source(profile) == "folder":
        return _class_folders(train) if train.is_dir() else ()
    return {"shapes": shapes.CLASSES, "keras": CIFAR10}.get(_source(profile), ())


def open_images(profile: Profile) -> Images:
    """The images of a profile, from the embedded shapes, folders, Keras or ILSVRC2012; its target class is checked here.

    Raises
    ------
    ValueError
        If the profile's target class or source is unknown.
    FileNotFoundError
        If the folder, its ``train/`` or its ``test/`` (or ``val/``) is missing.
    DamagedFileError
        If an archive of ILSVRC2012 is not whole.
    """
    sources = {"shapes": _shapes, "folder": _folder, "keras": _keras_cifar10, "ilsvrc": _ilsvrc}
    source = _source(profile)
    if source not in sources:
        raise ValueError(f"unknown source '{source}': {nearest(source, sources)}")
    images = sources[source](profile)
    images.class_index(profile.target_class)
    return images

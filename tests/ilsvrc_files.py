"""ILSVRC2012 in small, in the exact formats of its download: folders, tars, flat images, the devkit."""

import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from unitnb.synsets import synsets

# Ten classes far apart among the 1000, the paper's two among them.
WNIDS = (
    "n01440764", "n01729322", "n01807496", "n02012849", "n02123045",
    "n02391049", "n03126707", "n03710637", "n04356056", "n15075141",
)  # fmt: skip
SIZE = (500, 375)  # the commonest of ILSVRC2012


def picture(seed: int, size=SIZE) -> Image.Image:
    """A smooth random picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def write_folders(root: Path, n_train=8, n_val=4, wnids=WNIDS, draw=picture) -> Path:
    """``train/<wnid>/*.JPEG`` and ``val/<wnid>/*.JPEG``; validation images are numbered over all classes."""
    for c, wnid in enumerate(wnids):
        for i in range(n_train):
            save(draw(1000 * c + i), root / "train" / wnid / f"{wnid}_{10 * i + 3}.JPEG")
        for i in range(n_val):
            number = 1 + i * len(wnids) + (c + i) % len(wnids)
            save(draw(1000 * c + 500 + i), root / "val" / wnid / f"ILSVRC2012_val_{number:08d}.JPEG")
    return root


def save(image: Image.Image, path: Path, format="JPEG") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, format, quality=90)


def add_quirks(root: Path, wnid="n01729322") -> list[str]:
    """Make a class's first files a CMYK JPEG, a grey JPEG, a PNG called JPEG and a truncated JPEG.

    Returns the name of the last in a list.
    """
    first, second, third, fourth = sorted((root / "train" / wnid).iterdir())[:4]
    save(Image.open(first).convert("CMYK"), first)
    save(Image.open(second).convert("L"), second)
    save(Image.open(third), third, "PNG")
    fourth.write_bytes(fourth.read_bytes()[:-3000])
    return [f"{wnid}/{fourth.name}"]


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Files by name, in no sorted order."""
    return {
        path.name: path.read_bytes() for path in sorted(folder.iterdir(), key=lambda path: path.name[::-1])
    }


def class_tars(tree: Path, root: Path) -> Path:
    """``train/<wnid>.tar`` and flat ``val/*.JPEG`` with the unpacked devkit."""
    for folder in sorted((tree / "train").iterdir()):
        write_tar(root / "train" / f"{folder.name}.tar", contents(folder))
    for path in sorted((tree / "val").glob("*/*")):
        (root / "val").mkdir(exist_ok=True)
        shutil.copy(path, root / "val" / path.name)
    write_devkit(tree, root / "ILSVRC2012_devkit_t12" / "data")
    return root


def tar_of_tars(tree: Path, root: Path) -> Path:
    """The three files of the download: training images, validation images, devkit."""
    outer = {
        f"{folder.name}.tar": contents(folder) for folder in sorted((tree / "train").iterdir(), reverse=True)
    }
    inner = {name: write_tar(root / "inner.tar", files).read_bytes() for name, files in outer.items()}
    (root / "inner.tar").unlink()
    write_tar(root / "ILSVRC2012_img_train.tar", inner)
    validation = {path.name: path.read_bytes() for path in (tree / "val").glob("*/*")}
    write_tar(root / "ILSVRC2012_img_val.tar", validation)
    write_devkit(tree, root / "ILSVRC2012_devkit_t12" / "data")
    with tarfile.open(root / "ILSVRC2012_devkit_t12.tar.gz", "w:gz") as archive:
        archive.add(root / "ILSVRC2012_devkit_t12", "ILSVRC2012_devkit_t12")
    shutil.rmtree(root / "ILSVRC2012_devkit_t12")
    return root


def devkit_ids() -> dict[str, int]:
    """The devkit's own numbers of the classes, 1 to 1000, in an order that is not that of the wnids."""
    order = np.random.default_rng(12).permutation(len(synsets()))
    return {synsets()[index].wnid: number for number, index in enumerate(order, start=1)}


def write_devkit(tree: Path, folder: Path) -> None:
    """``meta.mat`` with the 1000 classes and two inner nodes, and the ground truth by validation image."""
    ids = devkit_ids()
    nodes = [(number, wnid, "words", 0) for wnid, number in ids.items()] + [
        (1001, "n00001740", "entity", 2),
        (1002, "n00001930", "object", 1),
    ]
    fields = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    folder.mkdir(parents=True)
    savemat(folder / "meta.mat", {"synsets": np.array(nodes, fields).reshape(-1, 1)})
    of_number = {int(path.stem[-8:]): ids[path.parent.name] for path in (tree / "val").glob("*/*")}
    lines = [str(of_number.get(number, 1)) for number in range(1, max(of_number) + 1)]
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text("\n".join(lines) + "\n")

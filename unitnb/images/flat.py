"""The classes of flat images of ILSVRC2012: from their names, from Kaggle's table, or from the devkit.

The devkit's numbers ("ILSVRC2012_ID", 1 to 1000) are in another order than Keras's; its ``meta.mat`` gives
the wnid of each.
"""

import csv
import io
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ..files import store
from ..synsets import by_wnid
from . import tars
from .folders import holds

DEVKIT = "ILSVRC2012_devkit_t12"  # without its ending
TRUTH, META = "ILSVRC2012_validation_ground_truth.txt", "meta.mat"  # of the devkit
KAGGLE = "LOC_val_solution.csv"  # ImageId,PredictionString: ILSVRC2012_val_00000001,n01751748 85 1 499 272
# n01440764_10026.JPEG of the training images; ILSVRC2012_val_00004650_n02102040.JPEG of Hugging Face.
IN_NAME = (r"_(n\d{8})\.[A-Za-z]+$", r"^(n\d{8})_\d+\.")
NUMBER = r"_(\d{8})\."  # of ILSVRC2012_val_00000001.JPEG: its line in the ground truth


def wnids(names: Sequence[str], path: Path, root: Path) -> list[str]:
    """The class of each of the images ``names``, which lie flat in the folder or archive ``path``.

    Raises
    ------
    ValueError
        If a name has no class in it and no line in the tables. The text names it.
    FileNotFoundError, DamagedFileError
        If no table is there, or one cannot be read, or the names have neither wnids nor numbers.
    """
    found = [_in_name(name) for name in names]
    if all(found):
        return found
    _check_numbered([name for name, wnid in zip(names, found, strict=True) if not wnid], path)
    if (table := _kaggle(root)) is not None:
        return [found[i] or _in_table(name, table, path) for i, name in enumerate(names)]
    truth = validation_wnids(root)
    return [truth[_line_of_truth(name, len(truth), path) - 1] for name in names]


def _in_name(name: str) -> str:
    matches = (re.search(pattern, name) for pattern in IN_NAME)
    return next((match[1] for match in matches if match and match[1] in by_wnid()), "")


def _check_numbered(names: Sequence[str], path: Path) -> None:
    """Only numbered images have lines in a table; others lie in folders that are not called by wnids."""
    if not any(re.search(NUMBER, name) for name in names):
        raise FileNotFoundError(
            f"'{names[0]}' has no class: {path} holds {holds(path) if path.is_dir() else 'images'}; expected "
            "folders called by wnids (n01440764 or n01440764_tench), or the wnid or the number in each name"
        )


# ---- Kaggle ----


def _kaggle(root: Path) -> dict[str, str] | None:
    """The wnid of each image by its name without ending; None where the table is not in ``root`` or above."""
    places = (root, *root.resolve().parents[:3])  # root is ILSVRC/Data/CLS-LOC, the table lies beside ILSVRC
    path = next((place / KAGGLE for place in places if (place / KAGGLE).is_file()), None)
    if path is None:
        return None
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return {row["ImageId"]: row["PredictionString"].split()[0] for row in csv.DictReader(file)}
    except (KeyError, IndexError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise store.DamagedFileError(
            f"{path} has no columns ImageId and PredictionString ({error!r}); download it again"
        ) from error


def _in_table(name: str, table: dict[str, str], path: Path) -> str:
    wnid = table.get(PurePosixPath(name).stem, "")
    if wnid not in by_wnid():
        raise ValueError(f"{path}: '{name}' has no line in {KAGGLE} with a class of ImageNet")
    return wnid


def _line_of_truth(name, lines, path):
    """The line, from 1, of the ground truth that a validation image's name gives."""
    found = re.search(NUMBER, name)
    if not found or not 1 <= int(found[1]) <= lines:
        raise ValueError(
            f"{path}: '{name}' has no line in the ground truth of {lines} images; "
            "expected names ILSVRC2012_val_00000001.JPEG"
        )
    return int(found[1])


# ---- the devkit ----


def validation_wnids(root: Path) -> list[str]:
    """The wnid of each validation image by its number, from the devkit's ground truth and ``meta.mat``.

    Raises
    ------
    FileNotFoundError
        If the devkit is missing, both unpacked and as an archive.
    DamagedFileError
        If one of its files cannot be read.
    """
    wnid_of, truth = _wnids_by_id(_devkit_file(root, META)), _devkit_file(root, TRUTH)
    try:
        return [wnid_of[int(line)] for line in truth.split()]
    except (ValueError, KeyError) as error:
        raise store.DamagedFileError(
            f"{TRUTH} of the devkit has a line that is no ILSVRC2012_ID of {META} ({error})"
        ) from error


def _wnids_by_id(meta: bytes) -> dict[int, str]:
    from scipy.io import loadmat

    try:
        table = loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
        rows = zip(table["ILSVRC2012_ID"], table["WNID"], strict=True)
        pairs = {int(number): str(wnid) for number, wnid in rows}
    except Exception as error:  # scipy's reader raises many types on a damaged file
        raise store.DamagedFileError(
            f"{META} of the devkit cannot be read ({error!r}); unpack the devkit again"
        ) from error
    return {number: wnid for number, wnid in pairs.items() if wnid in by_wnid()}


def _devkit_file(root: Path, name: str) -> bytes:
    for folder in (root, root / "data", root / "devkit" / "data", root / DEVKIT / "data"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    archive = root / f"{DEVKIT}.tar.gz"
    if archive.is_file():
        return _from_devkit(archive, name)
    raise FileNotFoundError(
        f"flat validation images need a table of their classes; expected {archive}, {DEVKIT}/data/{name} or "
        f"Kaggle's {KAGGLE} under {root}"
    )


def _from_devkit(path, name):
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                wanted = member.isreg() and PurePosixPath(member.name).name == name
                if wanted and (content := archive.extractfile(member)) is not None:
                    return content.read(tars.IMAGE_BYTES)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise store.DamagedFileError(f"{path} is no whole archive ({error}); download it again") from error
    raise store.DamagedFileError(f"{path} holds no {name}; download it again")

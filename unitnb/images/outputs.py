"""The classes of images in the order of a network's outputs: by folder, by wnid, or by a file of names."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from ..files.model_files import output_count
from ..files.settings import nearest
from ..profiles import Profile, project_root
from ..synsets import by_wnid, synsets


def output_names(profile: Profile, folders: Sequence[str]) -> tuple[str, ...]:
    """The class of each output of the profile's networks, from the class folders of its images.

    The lines of the file ``class_names``; the thousand of ImageNet where the folders are wnids and the model
    has a thousand outputs; else the folders, sorted.

    Raises
    ------
    ValueError
        If a folder is none of the names in the file.
    FileNotFoundError
        If there is no such file.
    """
    if profile.class_names:
        return _named(project_root() / Path(profile.class_names).expanduser(), folders)
    if _are_wnids(folders) and _tells_imagenet(profile):
        return tuple(synset.wnid for synset in synsets())
    return tuple(folders)


def output_labels(profile: Profile, folders: Sequence[str]) -> tuple[int, ...]:
    """The output that stands for each class folder."""
    names = [_composed(name) for name in output_names(profile, folders)]
    return tuple(names.index(_composed(folder)) for folder in folders)


def _named(path: Path, folders: Sequence[str]) -> tuple[str, ...]:
    if not path.is_file():
        raise FileNotFoundError(
            f"no file of class names at {path}; expected one class a line, in the order of the outputs"
        )
    names = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    known = {_composed(name) for name in names}
    unknown = [folder for folder in folders if _composed(folder) not in known]
    if unknown or len(known) < len(names):
        state = f"no class '{unknown[0]}': {nearest(unknown[0], names[:20])}" if unknown else "a class twice"
        raise ValueError(
            f"{path} has {len(names)} classes and {state}. The folders of images are: {', '.join(folders)}. "
            "Every folder must be one of the names."
        )
    return names


def _composed(name: str) -> str:
    """A name in one form, whatever the file system made of its accents."""
    return unicodedata.normalize("NFC", name)


def _are_wnids(folders: Sequence[str]) -> bool:
    return bool(folders) and all(re.fullmatch(r"n\d{8}", name) and name in by_wnid() for name in folders)


def _tells_imagenet(profile: Profile) -> bool:
    if profile.own_network:
        return output_count(Path(profile.network)) == len(synsets())
    return profile.is_given

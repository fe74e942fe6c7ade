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

    The lines of the file ``class_names``; the wnids of ImageNet's thousand classes for a network with these
    outputs, where the folders are wnids; else the folders, sorted.

    Raises
    ------
    ValueError
        If a folder is none of the names in the file, or no wnid where the network is one of ImageNet's.
    FileNotFoundError
        If there is no such file.
    """
    if profile.class_names:
        return _named(project_root() / Path(profile.class_names).expanduser(), folders)
    if _tells_imagenet(profile):
        if all(_wnid(name) for name in folders):
            return tuple(synset.wnid for synset in synsets())
        if not profile.own_network:  # the count of outputs is compared for one's own
            unknown = ", ".join(name for name in folders if not _wnid(name))
            raise ValueError(
                f"{profile.data_folder} has class folders that are no wnids: {unknown}. The network has "
                "the outputs of ImageNet's thousand classes; call the folders by wnid (n01440764)"
            )
    return tuple(folders)


def output_labels(profile: Profile, folders: Sequence[str]) -> tuple[int, ...]:
    """The output that stands for each class folder."""
    names = [_composed(name) for name in output_names(profile, folders)]
    return tuple(
        names.index(found if (found := _composed(folder)) in names else _wnid(folder)) for folder in folders
    )


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


def _wnid(folder: str) -> str:
    """The wnid that a folder is called by, perhaps with a name behind it; empty for another folder."""
    found = re.match(r"n\d{8}(?=$|[_ -])", folder)
    return found[0] if found and found[0] in by_wnid() else ""


def _tells_imagenet(profile: Profile) -> bool:
    if profile.own_network:
        return output_count(Path(profile.network)) == len(synsets())
    return profile.is_given


def check_trained_on(trained: Sequence[str] | None, there: Sequence[str], file: Path, folder: Path) -> None:
    """ValueError where the network in ``file`` was trained on other classes than those of the images."""
    if trained and there and list(trained) != list(there):
        raise ValueError(
            f"{file} was trained on {', '.join(trained)}; {folder} has {', '.join(there)}. Name the images "
            "that it was trained on with DATA=<folder>, or train on these: make train, with a copy of the "
            "profile under another name"
        )

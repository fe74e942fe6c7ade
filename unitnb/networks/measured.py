"""What was measured on networks that are not shipped: kept beside weights trained here, or in the package."""

from pathlib import Path

from ..files import store
from ..images import sources
from ..profiles import Profile
from .trained import SHIPPED, weights_folder


def measured_file(profile: Profile, file: str) -> Path | None:
    """The file of this name that was measured here, else the package's, None if neither can be used.

    The package's is used where the images have its classes, and the first network here, if one was trained,
    is the one that the package has.
    """
    here, shipped = weights_folder(profile) / file, SHIPPED / profile.name / file
    if here.exists():
        return here
    usable = shipped.exists() and _has_the_classes(profile, shipped) and _has_the_network(profile)
    return shipped if usable else None


def _has_the_classes(profile, path) -> bool:
    return store.read_npz(path)[1].get("classes") == list(sources.class_names(profile))


def _has_the_network(profile) -> bool:
    name = f"{next(iter(profile.models))}.npz"
    trained, shipped = weights_folder(profile) / name, SHIPPED / profile.name / name
    return not trained.exists() or (shipped.exists() and trained.read_bytes() == shipped.read_bytes())

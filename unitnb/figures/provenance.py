"""What a figure was made from: images, networks, versions, and settings that differ from the profile."""

import functools
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..files import store
from ..files.inventory import inventory
from ..profiles import Profile, load_profile, profile_names

PACKAGES = ("keras", "tensorflow", "numpy", "gudhi")
# Of a run, not of the profile's file; recipes count through the networks' digests.
NO_SETTINGS = ("name", "source", "data", "target_class", "seed", "models", "extra", "network", "class_names")


def origin(profile: Profile) -> dict:
    """The part of an entry of ``manifest.json`` that says what a figure was made from."""
    found = {"images": images_origin(profile), "networks": _networks(profile), "versions": dict(_versions())}
    changed = changed_settings(profile)
    return found | ({"settings": changed} if changed else {})


def changed_settings(profile: Profile) -> dict:
    """The settings that differ from the profile's own file."""
    own = load_profile(profile.name if profile.name in profile_names() else "own")
    names = [field.name for field in fields(Profile) if field.name not in NO_SETTINGS]
    pairs = {name: (getattr(profile, name), getattr(own, name)) for name in names}
    return {name: mine for name, (mine, theirs) in pairs.items() if mine != theirs}


def images_origin(profile: Profile) -> dict:
    """The folder or archive by its name, the number of its files and a digest."""
    if profile.source == "shapes":
        return {"name": "shapes", "drawn_by_unitnb": version_of("unitnb")}
    found = inventory(profile.data_folder) or {"name": profile.data_named}
    return dict(found) | {"interpolation": profile.interpolation}


def _networks(profile: Profile) -> Mapping[str, str]:
    """The weights of each model: a digest of the file, or the given network in words."""
    from ..networks.given import describe_given
    from ..networks.trained import is_given, weights_file

    found = {}
    for model in profile.models:
        path = weights_file(profile, model) if not is_given(profile, model) else None
        if path is None:
            found[model] = describe_given(profile)
        elif path.exists():
            found[model] = _weights(path)
    return found


def _weights(path: Path) -> str:
    return f"{path.name}, sha256 {store.file_digest(path)[:16]}"


@functools.cache
def _versions() -> tuple:
    return (("unitnb", version_of("unitnb")), *((name, version_of(name)) for name in PACKAGES))


def version_of(package: str) -> str:
    """The installed version of a package; "none" where it is not installed."""
    if package == "unitnb":
        from .. import __version__

        return __version__
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"

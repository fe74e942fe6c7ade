"""What a run is made from, for make: the folder of its class, and a stamp that changes with its inputs.

Standard library only: make asks before the environment exists
(``python3 -m unitnb.notebooks.inputs PROFILE CLASS NAME SETTINGS DATA WEIGHTS``).
"""

import os
import re
import sys
import unicodedata
from pathlib import Path

from ..files.inventory import quick_state
from ..files.settings import class_folder
from ..profiles import project_root
from ..synsets import find_synset

IMAGENET = ("ilsvrc", "imagenette")  # sources whose classes have names, wnids and indices


def setting(profile: str, name: str) -> str:
    """A setting on a line of its own in a profile's file, or in that of its base; empty if it has none."""
    path = project_root() / "notebooks" / "profiles" / f"{profile}.yaml"
    if not path.is_file():
        return ""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = {key: _plain(line.partition(":")[2]) for line in lines if (key := _key(line))}
    if name in found or name == "base" or "base" not in found:
        return found.get(name, "")
    return setting(found["base"], name) if found["base"] != profile else ""


def _key(line: str) -> str:
    match = re.match(r"(\w+):(?:\s|$)", line)
    return match[1] if match else ""


def _plain(value: str) -> str:
    """A YAML scalar without quotes and comment.

    >>> [_plain(text) for text in (' "ring" # a class', " fire truck", " 'a # b'")]
    ['ring', 'fire truck', 'a # b']
    """
    value = value.strip()
    quoted = re.match(r"""(["'])(.*?)\1""", value)
    return quoted[2] if quoted else re.sub(r"(^|\s)#.*", "", value).strip()


def target_class(profile: str, given: str) -> str:
    """The class of a run: ``given``, or the profile's own; of ImageNet's the name that folders bear."""
    name = given or setting(profile, "target_class")
    if name and setting(profile, "source") in IMAGENET:
        return find_synset(name).name
    return unicodedata.normalize("NFC", name)


def described(profile: str, name: str, settings: str, data: str, weights: str) -> str:
    """The inputs beside files that make knows: class, settings, images and weights, with their state."""
    lines = [f"class {name}", f"settings {settings}"]
    data = data or os.environ.get("UNITNB_DATA", setting(profile, "data"))
    if setting(profile, "source") != "shapes":
        lines.append(f"images {data}: {quick_state(project_root() / os.path.expanduser(data))}")
    weights = weights or os.environ.get("UNITNB_WEIGHTS", setting(profile, "weights"))
    if weights:
        lines.append(f"weights {weights}: {quick_state(project_root() / os.path.expanduser(weights))}")
    return "\n".join(lines) + "\n"


def write_stamp(path: Path, text: str) -> None:
    """Write the text unless the file has it already, so that its time is that of the last change."""
    if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")


def main(profile: str, given: str, name: str, settings: str, data: str = "", weights: str = "") -> str:
    """Write the stamp of a run, ``build/runs/<name>/<class>/inputs``, and give the folder of its class."""
    target = target_class(profile, given)
    folder = class_folder(target)
    if target and "/" not in folder + name and ".." not in folder + name:
        path = project_root() / "build" / "runs" / name / folder / "inputs"
        write_stamp(path, described(profile, target, settings, data, weights))
    return folder


if __name__ == "__main__":
    try:
        print(main(*sys.argv[1:]))
    except (ValueError, OSError) as error:
        sys.exit(f"unitnb: {error}")

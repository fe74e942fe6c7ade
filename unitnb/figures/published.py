"""The manifest beside the figures, and whether a rerun says what is there: then nothing is touched."""

import json
from collections.abc import Mapping
from pathlib import Path

from ..files import store
from ..files.agreement import agrees

MANIFEST = "manifest.json"
# Of an entry: what may differ between reruns that say the same.
ROUNDED = ("data_sha256", "versions")


def read_entries(path: Path) -> dict[str, dict]:
    """A JSON object of objects in a file; empty if there is none.

    Raises
    ------
    DamagedFileError
        If the file holds anything else. The text names it.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            raise TypeError("no object of objects")
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, RecursionError) as error:
        raise store.DamagedFileError(f"{path} is damaged ({error}); remove it, then: make figures") from error
    return entries


def merge_entries(path: Path, entries: Mapping) -> None:
    """Add entries to the JSON object in a file, sorted, a line an entry; others stay."""
    _write_entries(path, {**read_entries(path), **entries})


def remove_of_other_images(folder: Path, notebook: str, images: Mapping) -> list[str]:
    """Remove the figures and tables that a notebook left of other images, with their lines in the manifest.

    Returns their names. Entries that do not name their images stay.
    """
    entries = read_entries(folder / MANIFEST)
    mine = {file: entry for file, entry in entries.items() if entry.get("notebook") == notebook}
    others = [file for file, entry in mine.items() if entry.get("images", images) != images]
    for file in others:
        (folder / file).unlink(missing_ok=True)
        (folder / file).with_suffix(".pdf").unlink(missing_ok=True)
    if others:
        _write_entries(folder / MANIFEST, {file: entries[file] for file in entries if file not in others})
    return others


def _write_entries(path: Path, entries: Mapping) -> None:
    lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(entries.items())]
    store.write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def is_published(folder: Path, file: str, entry: Mapping, texts: Mapping[str, str]) -> bool:
    """Whether a figure or table is there with the same origin and numbers that agree (rtol = atol = 1e-5).

    Another processor then leaves picture, numbers and manifest as they are.

    Parameters
    ----------
    folder : of the figures
    file : name of the figure or table
    entry : its new entry for the manifest
    texts : what was written or would be written of its numbers, by file name
        Without any, the digest of the numbers in ``entry`` decides.
    """
    stored = read_entries(folder / MANIFEST).get(file, {})
    if "versions" not in stored or not (folder / file).is_file() or _origin(stored) != _origin(entry):
        return False
    if not texts:
        return stored["data_sha256"] == entry["data_sha256"]
    return all(agrees(folder / name, text) for name, text in texts.items())


def _origin(entry: Mapping) -> dict:
    """An entry as JSON gives it back, without what may differ."""
    return {name: value for name, value in json.loads(json.dumps(entry)).items() if name not in ROUNDED}

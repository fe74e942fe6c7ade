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
    merged = dict(sorted({**read_entries(path), **entries}.items()))
    lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in merged.items()]
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

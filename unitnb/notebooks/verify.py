"""Whether a run says what is published: every number, table and verdict beside what is committed."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ..figures.published import MANIFEST, ROUNDED, read_entries
from ..figures.words import table
from ..files.agreement import differences
from ..profiles import Profile, load_profile, project_root

ENDINGS = (".csv", ".md", ".json")
SAME = "same as published"
SHOWN = 40  # rows of the table


def verify(profile: Profile, made: Path) -> str:
    """``SAME``, or a table of the differences between a profile's committed figures and those below ``made``.

    Numbers agree within 1e-5, relative and absolute; words, verdicts and whole numbers must be equal.
    Pictures are compared by their numbers.

    Raises
    ------
    FileNotFoundError
        If there is nothing to compare.
    """
    published = project_root() / "figures" / profile.name / profile.target_class
    new = made / profile.name / profile.target_class
    for folder in (published, new):
        if not (folder / MANIFEST).is_file():
            raise FileNotFoundError(f"no {folder / MANIFEST}; expected the figures of a whole run")
    rows = list(_all_differences(published, new))
    if not rows:
        return SAME
    more = f"\n... and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    text = table(
        ["file", "line", "published", "here"], [[*row[:2], *map(_short, row[2:])] for row in rows[:SHOWN]]
    )
    return f"{text}{more}\n{len(rows)} lines differ"


def _all_differences(published: Path, new: Path) -> Iterator[tuple]:
    names = {path.name for folder in (published, new) for path in folder.iterdir() if path.suffix in ENDINGS}
    for name in sorted(names):
        here, there = new / name, published / name
        if not (here.exists() and there.exists()):
            yield name, "", *("there" if path.exists() else "missing" for path in (there, here))
        elif name == MANIFEST:
            yield from _entries(read_entries(there), read_entries(here), published)
        else:
            stored, made = (path.read_text(encoding="utf-8") for path in (there, here))
            yield from ((name, *row) for row in differences(stored, made))


def _entries(stored: dict, new: dict, folder: Path) -> Iterator[tuple]:
    """Entries of the manifest without versions, and without digests where the numbers lie beside."""
    for file in sorted(stored.keys() | new.keys()):
        ignored = set(ROUNDED)
        if file.endswith(".png") and not (folder / file).with_suffix(".csv").exists():
            ignored.discard("data_sha256")
        old, now = (
            {name: value for name, value in entries.get(file, {}).items() if name not in ignored}
            for entries in (stored, new)
        )
        if old != now:
            yield MANIFEST, file, json.dumps(old), json.dumps(now)


def _short(text: str) -> str:
    text = text.replace("|", "/").strip()
    return text if len(text) < 100 else f"{text[:97]}..."


def main(arguments: list[str]) -> int:
    """Print how the figures below a folder differ from the published ones; exit status 1 if they do."""
    try:
        found = verify(load_profile("shapes"), project_root() / arguments[0])
    except (OSError, ValueError) as error:
        print(f"unitnb: {error}", file=sys.stderr)
        return 1
    print(found)
    return int(found != SAME)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

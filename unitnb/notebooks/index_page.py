"""A page over the runs of many classes: figures, executed notebooks, and which failed (``make classes``)."""

import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..files import store
from ..files.settings import class_folder
from ..profiles import Profile

STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em;
  color-scheme: light dark; }
img { width: 100%; max-width: 34em; background: white; } .failed { color: #d55e00; }"""


def run_folder(profile: Profile) -> Path:
    """The folder of a class's executed notebooks: ``build/runs/<profile>/<class>``."""
    return profile.build / "runs" / profile.name / class_folder(profile.target_class)


def write_index(runs: Sequence[Profile], failures: Mapping[str, str]) -> Path:
    """Write ``build/runs/<profile>/index.html`` for one profile's classes; returns its path.

    Parameters
    ----------
    runs : profiles that differ in their target class
    failures : the end of the log of each failed class
    """
    page = run_folder(runs[0]).parent / "index.html"
    sections = "\n".join(_section(run, page.parent, failures.get(run.target_class)) for run in runs)
    title = f"unitnb: {html.escape(runs[0].name)}, {len(runs)} classes"
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head = f"<head>{meta}<title>{title}</title><style>{STYLE}</style></head>"
    body = f"<body><h1>{title}</h1>\n{sections}\n</body>"
    store.write_text(page, f'<!doctype html>\n<html lang="en">{head}{body}</html>\n')
    return page


def _section(run: Profile, start: Path, failure: str | None) -> str:
    name = html.escape(run.target_class)
    lines = [f'<h2 id="{name}">{name}</h2>']
    if failure is not None:
        lines.append(f'<p class="failed">This run failed:</p><pre>{html.escape(failure)}</pre>')
    links = [_link(path, start, path.stem) for path in sorted(run_folder(run).glob("*.ipynb"))]
    links += [_link(path, start, path.stem) for path in sorted(run.figures_folder.glob("*.md"))]
    lines.append(f"<p>{' · '.join(links) or 'Nothing was made.'}</p>")
    for path in sorted(run.figures_folder.glob("*.png")):
        text = f"{html.escape(path.stem)} of {name}"
        lines.append(f'<img src="{_relative(path, start)}" alt="{text}" loading="lazy">')
    return "\n".join(lines)


def _link(path: Path, start: Path, words: str) -> str:
    return f'<a href="{_relative(path, start)}">{html.escape(words)}</a>'


def _relative(path: Path, start: Path) -> str:
    from urllib.parse import quote

    return quote(os.path.relpath(path, start).replace(os.sep, "/"))

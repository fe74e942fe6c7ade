"""The committed halves of the notebook pairs: refresh them from a default run, check them."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from .rules import pair_sources

WIDGET = "application/vnd.jupyter.widget-view+json"


def normalise(notebook) -> None:
    """Keep of an executed notebook only what a rerun repeats: no timings, no stderr, no widgets, counts 1..n.

    Raises
    ------
    ValueError
        If it was run with parameters.
    """
    kept = ("jupytext", "kernelspec", "language_info")  # what JupyterLab writes, too
    notebook.metadata = {name: notebook.metadata[name] for name in kept if name in notebook.metadata}
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in notebook.cells:
        tags = cell.metadata.get("tags") or []
        if "injected-parameters" in tags:
            raise ValueError("a run with parameters cannot be committed; run the notebook with its defaults")
        cell.metadata = {"tags": tags} if tags else {}
    for count, cell in enumerate(code, start=1):
        cell.execution_count = count
        cell.outputs = [
            output
            for output in cell.outputs
            if output.get("name") != "stderr" and WIDGET not in output.get("data", {})
        ]
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count


def refresh(runs: Path) -> list[Path]:
    """Write each executed notebook of a default run, normalised, as the committed half of its pair.

    ``runs`` is the folder of the executed notebooks. Returns the paths of the committed halves. They are
    written by jupytext, as JupyterLab's server writes them, so that saving one there changes nothing.
    """
    import jupytext
    import nbformat

    from ..files import store

    written = []
    for source in pair_sources():
        notebook = nbformat.read(runs / f"{source.stem}.ipynb", as_version=4)
        normalise(notebook)
        committed = source.with_suffix(".ipynb")
        store.write_text(committed, jupytext.writes(notebook, fmt="ipynb") + "\n")
        written.append(committed)
    return written


def problems() -> Iterator[str]:
    """The faults of the pairs and of the committed outputs, a sentence each."""
    import nbformat

    for source in pair_sources():
        committed = source.with_suffix(".ipynb")
        if not committed.exists():
            yield f"{committed.name} is missing; make it with: make refresh"
            continue
        notebook = nbformat.read(committed, as_version=4)
        yield from _differences(source, notebook, committed.name)
        yield from _bad_outputs(notebook, committed.name)


def _differences(source: Path, notebook, name: str) -> Iterator[str]:
    """A sentence and the first lines of a diff if the halves of a pair differ."""
    import jupytext

    expected = source.read_text(encoding="utf-8")
    text = jupytext.writes(notebook, fmt="py:percent")
    if text.strip() != expected.strip():
        lines = expected.splitlines(), text.splitlines()
        diff = difflib.unified_diff(*lines, source.name, name, lineterm="", n=0)
        first = f"{name} differs from {source.name}; bring it up to date with: make refresh"
        yield "\n".join([first, *list(diff)[:12]])


def _bad_outputs(notebook, name: str) -> Iterator[str]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield f"{name}: cells were not executed once each, in order; make refresh"
    if any(output.get("name") == "stderr" for cell in code for output in cell.outputs):
        yield f"{name} holds stderr; make refresh"
    if any("injected-parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
        yield f"{name} holds injected parameters; make refresh"

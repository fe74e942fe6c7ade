"""The committed halves of the notebook pairs: refreshed from a default run, and checked against their sources."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from .rules import pair_sources

WIDGET = "application/vnd.jupyter.widget-view+json"


def normalise(notebook) -> None:
    """Leave in an executed notebook only what a rerun repeats: no timings, no stderr, no widgets (they live in a kernel), counts 1..n."""
    notebook.metadata = {
        name: notebook.metadata[name] for name in ("jupytext", "kernelspec") if name in notebook.metadata
    }
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
    """Write each executed notebook of a default run, normalised, as the committed half of its pair."""
    import nbformat

    from ..files import store

    written = []
    for source in pair_sources():
        notebook = nbformat.read(runs / f"{source.stem}.ipynb", as_version=4)
        normalise(notebook)
        committed = source.with_suffix(".ipynb")
        store.write_text(committed, nbformat.writes(notebook) + "\n")
        written.append(committed)
    return written


def problems() -> Iterator[str]:
    """What is wrong with the pairs and the committed outputs, a sentence each."""
    import jupytext
    import nbformat

    for source in pair_sources():
        committed = source.with_suffix(".ipynb")
        if not committed.exists():
            yield f"{committed.name} is missing; make it with: make refresh"
            continue
        notebook = nbformat.read(committed, as_version=4)
        text = jupytext.writes(notebook, fmt="py:percent")
        if text.strip() != source.read_text(encoding="utf-8").strip():
            diff = difflib.unified_diff(
                source.read_text(encoding="utf-8").splitlines(),
                text.splitlines(),
                source.name,
                committed.name,
                lineterm="",
                n=0,
            )
            yield "\n".join(
                [
                    f"{committed.name} differs from {source.name}; bring it up to date with: make refresh",
                    *list(diff)[:12],
                ]
            )
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
            yield f"{committed.name}: cells were not executed once each, in order; make refresh"
        if any(output.get("name") == "stderr" for cell in code for output in cell.outputs):
            yield f"{committed.name} holds stderr; make refresh"
        if any("injected-parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
            yield f"{committed.name} holds injected parameters; make refresh"

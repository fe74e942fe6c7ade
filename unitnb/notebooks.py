"""The notebooks: run them headlessly, refresh what is committed, check the pairs, and tell make what each depends on."""

import ast
import contextlib
import difflib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import _MODULE_OF, ONEDNN
from .profiles import PARAMETERS, Profile, nearest, notebook_parameters, project_root

CELL_SECONDS = 1800  # a cell that runs longer is stopped, but for the nights that pretrained networks of full size take
WIDGET = "application/vnd.jupyter.widget-view+json"


def sources() -> list[Path]:
    """The notebooks' sources in the order of the paper, ``notebooks/NN_*.py``: the one list of them."""
    return sorted((project_root() / "notebooks").glob("[0-9][0-9]_*.py"))


def pairs() -> list[Path]:
    """The sources of all notebook pairs: those of the paper, and the explorer, which makes no figure of it."""
    return [*sources(), *(project_root() / "notebooks").glob("explore.py")]


# ---- what a notebook depends on (standard library only: make asks before the environment is there) ----


PACKAGE = Path(__file__).parent


def _attributes(tree: ast.AST) -> set[str]:
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "unitnb"}


def _modules(name: str) -> set[Path]:
    """The files that a dotted name below ``unitnb`` stands for: a module, the module of a public name, or every module of a package."""
    path = PACKAGE.joinpath(*name.split("."))
    if path.with_suffix(".py").is_file():
        return {path.with_suffix(".py")}
    if path.is_dir():
        return set(path.rglob("*.py"))
    public, above = _MODULE_OF.get(path.name), PACKAGE.joinpath(*name.split(".")[:-1])
    if public and PACKAGE.joinpath(*public.split(".")).is_relative_to(above):
        return _modules(public)
    return {file for file in (above.with_suffix(".py"), above / "__init__.py") if file.is_file()}


def _imports(tree: ast.AST, package: tuple[str, ...]) -> set[Path]:
    """The files of the package that are imported from by ``from . import`` or ``from unitnb import``, seen from ``package``."""
    found: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "unitnb"):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            base = [*above, *(node.module or "").split(".")[0 if node.level else 1 :]]
            found |= {file for alias in node.names for file in _modules(".".join([*filter(None, base), alias.name]))}
    return found


def imported_modules(module: Path) -> set[Path]:
    """The files of the package that one of its files imports from."""
    return _imports(ast.parse(module.read_text(encoding="utf-8")), module.parent.relative_to(PACKAGE).parts) - {module}


def dependencies(source: Path) -> list[Path]:
    """The files of the package that a notebook uses, by the names it calls and what their modules import."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    waiting = {file for name in _attributes(tree) for file in _modules(name)} | _imports(tree, ())
    found: set[Path] = set()
    while waiting:
        found.add(module := waiting.pop())
        waiting |= imported_modules(module) - found
    return sorted(found)


def saved_files(source: Path) -> list[str]:
    """The figures and tables that a notebook writes, by the literal names in its ``unitnb.save_*`` calls."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith("save_")]
    endings = {"save_figure": ".png", "save_table": ".md"}
    return [call.args[1].value + endings[call.func.attr] for call in calls if call.func.attr in endings]


def make_rules() -> str:
    """Two variables a notebook for the Makefile: what it depends on, and what it writes."""
    lines = []
    for source in sources():
        files = [PACKAGE / "__init__.py", *dependencies(source)]
        modules = " ".join((Path("unitnb") / file.relative_to(PACKAGE)).as_posix() for file in files)
        lines += [f"DEPENDS_{source.stem} := {modules}", f"WRITES_{source.stem} := {' '.join(saved_files(source))}"]
    return "\n".join([f"NOTEBOOKS := {' '.join(source.stem for source in sources())}", *lines, ""])


# ---- running ----


def _read(path: Path):
    import jupytext

    notebook = jupytext.read(path)
    seen: dict[str, int] = {}
    for cell in notebook.cells:  # an id that depends on the text alone, so that a refresh changes only what has changed
        key = hashlib.sha256(cell.source.encode()).hexdigest()[:12]
        seen[key] = seen.get(key, 0) + 1
        cell.id = key if seen[key] == 1 else f"{key}-{seen[key]}"
    return notebook


def check_parameters(parameters: Mapping[str, Any]) -> Profile:
    """The profile that the parameters give; ValueError for a parameter that the notebooks do not have, or whose value they refuse."""
    for name in parameters:
        if name not in PARAMETERS:
            raise ValueError(f"unknown parameter '{name}': {nearest(name, PARAMETERS)}")
    defaults = {"profile": "shapes", "target_class": None, "seed": 0, "overrides": {}}
    return notebook_parameters({**defaults, **parameters})


def run(source: Path, target: Path, parameters: Mapping[str, Any]) -> str:
    """Execute a notebook with papermill and write it to ``target`` if every cell succeeds.

    A run that fails leaves no target; the executed copy goes to ``build/failed/`` and the error names it, the cell and the reason.
    Where the profile's first network is there, pretrained, shipped or trained, a notebook that needs more is no failure: it ends with the
    cell that says so, its claims are recorded as not measured, and ``<target>.needs`` holds the sentence (make asks no more until it goes).

    Returns
    -------
    str
        Empty, or what is needed.

    Raises
    ------
    RuntimeError
        If a cell fails.
    """
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    from .files import progress, store

    profile, needed = check_parameters(parameters), ""
    with (
        store.atomic_path(target) as executed,
        tempfile.TemporaryDirectory(prefix="unitnb-") as sockets,
        progress.from_kernels(source.stem),
        _kernel_settings(profile),
    ):
        plain = Path(sockets) / source.with_suffix(".ipynb").name
        nbformat.write(_read(source), plain)
        # Sockets in a folder of their own: runs side by side neither race for ports nor meet in one file name.
        kernel = {"transport": "ipc", "ip": str(Path(sockets) / "kernel")}
        try:
            papermill.execute_notebook(
                plain, executed, parameters=dict(parameters), cwd=str(project_root()), kernel_name="python3",
                progress_bar=sys.stderr.isatty(), record_timing=False, store_widget_state=False, coalesce_streams=True,
                execution_timeout=None if profile.weights else CELL_SECONDS, config=Config({"KernelManager": kernel}),
            )  # fmt: skip
        except PapermillExecutionError as error:
            if not (error.ename == "NotTrainedError" and _has_network(profile)):
                failed = _failed_copy(executed, target)
                raise RuntimeError(
                    f"{source.name} failed in cell {error.exec_count}: {error.ename}: {error.evalue}\nThe executed copy is {failed}"
                ) from None
            needed = error.evalue
    _record_needed(profile, source, target.with_suffix(".needs"), needed)
    return needed


@contextlib.contextmanager
def _kernel_settings(profile: Profile) -> Iterator[None]:
    """What TensorFlow reads at its start, in the environment that the kernel inherits."""
    before = os.environ[ONEDNN]
    os.environ[ONEDNN] = "1" if profile.onednn else before
    try:
        yield
    finally:
        os.environ[ONEDNN] = before


def _has_network(profile: Profile) -> bool:
    from .networks.trained import is_there

    return is_there(profile, next(iter(profile.models)))


def _record_needed(profile: Profile, source: Path, marker: Path, needed: str) -> None:
    from .claims import criteria, verdicts
    from .files import store

    marker.unlink(missing_ok=True)
    if needed:
        measured_there = [claim.id for claim in criteria.CLAIMS if claim.notebook == source.stem]
        verdicts.record_claims(profile, source.stem, dict.fromkeys(measured_there, {"reason": needed}))
        store.write_text(marker, needed + "\n")


def _failed_copy(executed: Path, target: Path) -> Path:
    build = project_root() / "build"
    inside = target.resolve().relative_to(build / "runs") if target.resolve().is_relative_to(build / "runs") else Path(target.name)
    failed = build / "failed" / inside
    failed.parent.mkdir(parents=True, exist_ok=True)
    os.replace(executed, failed)
    executed.touch()  # atomic_path still expects its temporary file
    return failed


# ---- what is committed ----


def normalise(notebook) -> None:
    """Leave in an executed notebook only what a rerun repeats: no timings, no stderr, no widgets (they live in a kernel), counts 1..n."""
    notebook.metadata = {name: notebook.metadata[name] for name in ("jupytext", "kernelspec") if name in notebook.metadata}
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in notebook.cells:
        tags = cell.metadata.get("tags") or []
        if "injected-parameters" in tags:
            raise ValueError("a run with parameters cannot be committed; run the notebook with its defaults")
        cell.metadata = {"tags": tags} if tags else {}
    for count, cell in enumerate(code, start=1):
        cell.execution_count = count
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr" and WIDGET not in output.get("data", {})]
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count


def refresh(runs: Path) -> list[Path]:
    """Write each executed notebook of a default run, normalised, as the committed half of its pair."""
    import nbformat

    from .files import store

    written = []
    for source in pairs():
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

    for source in pairs():
        committed = source.with_suffix(".ipynb")
        if not committed.exists():
            yield f"{committed.name} is missing; make it with: make refresh"
            continue
        notebook = nbformat.read(committed, as_version=4)
        text = jupytext.writes(notebook, fmt="py:percent")
        if text.strip() != source.read_text(encoding="utf-8").strip():
            diff = difflib.unified_diff(
                source.read_text(encoding="utf-8").splitlines(), text.splitlines(), source.name, committed.name, lineterm="", n=0
            )
            yield "\n".join([f"{committed.name} differs from {source.name}; bring it up to date with: make refresh", *list(diff)[:12]])
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
            yield f"{committed.name}: cells were not executed once each, in order; make refresh"
        if any(output.get("name") == "stderr" for cell in code for output in cell.outputs):
            yield f"{committed.name} holds stderr; make refresh"
        if any("injected-parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
            yield f"{committed.name} holds injected parameters; make refresh"


if __name__ == "__main__":
    sys.stdout.write(make_rules())

"""Headless runs of the notebooks through papermill, with checked parameters."""

import ast
import contextlib
import hashlib
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import ONEDNN
from ..files.limits import too_few_files
from ..files.processor import common_arithmetic, environment
from ..files.settings import nearest
from ..files.sockets import connection, hangup_as_termination, kernel_folder
from ..images.parameters import notebook_parameters
from ..profiles import PARAMETERS, Profile, project_root
from .opening import COUNT

DEFAULTS: dict[str, Any] = {"profile": "shapes", "target_class": None, "seed": 0, "overrides": {}}
# A kernel is interrupted before it is shut down, and would log that as an error.
QUIET = ["--IPKernelApp.log_level=CRITICAL"]
CELL_SECONDS = 1800  # the limit of a cell; pretrained networks of full size have none, as they take nights


def read_source(path: Path):
    """A notebook from its source. Ids of cells depend on their text alone, so a refresh changes no others."""
    import jupytext

    notebook = jupytext.read(path)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        key = hashlib.sha256(cell.source.encode()).hexdigest()[:12]
        seen[key] = seen.get(key, 0) + 1
        cell.id = key if seen[key] == 1 else f"{key}-{seen[key]}"
    return notebook


def check_parameters(parameters: Mapping[str, Any]) -> Profile:
    """The profile of a notebook's parameters; ValueError for an unknown parameter or a bad value."""
    for name in parameters:
        if name not in PARAMETERS:
            raise ValueError(f"unknown parameter '{name}': {nearest(name, PARAMETERS)}")
    return notebook_parameters({**DEFAULTS, **parameters}, quiet=True)  # the notebook prints it


def run(source: Path, target: Path, parameters: Mapping[str, Any]) -> str:
    """Execute a notebook with papermill and write it to ``target`` if every cell succeeds.

    A failed run leaves no target. Its executed copy goes to ``build/failed/``.

    A notebook that needs networks which are not trained has not failed, provided that the profile's first
    network exists. It ends at the cell that raises ``NotTrainedError``. Its claims are recorded as not
    measured, its figures of other images are removed, and ``<target>.needs`` holds the reason; while that
    file exists, make does not run it again.

    Returns
    -------
    str
        Empty, or what is needed.

    Raises
    ------
    ValueError
        For an unknown parameter or a bad value.
    RuntimeError
        If a cell fails. The text names the cell, the reason and the executed copy. Also if a process may
        have too few files open.
    """
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    from ..files import progress, store

    profile, needed = check_parameters(parameters), ""
    if few := too_few_files():  # the kernel inherits the limit
        raise RuntimeError(few)
    with (
        store.atomic_path(target) as executed,
        hangup_as_termination(),
        kernel_folder() as folder,
        progress.from_kernels(source.stem),
        _kernel_settings(profile),
    ):
        plain, notebook = folder / source.with_suffix(".ipynb").name, read_source(source)
        nbformat.write(notebook, plain)
        try:
            papermill.execute_notebook(
                plain,
                executed,
                parameters=_passed(source, notebook, parameters, profile),
                cwd=str(project_root()),
                kernel_name="python3",
                progress_bar=sys.stderr.isatty() and COUNT not in os.environ,
                record_timing=False,
                store_widget_state=False,
                coalesce_streams=True,
                execution_timeout=None if profile.is_given else CELL_SECONDS,
                config=Config({"KernelManager": connection(folder)}),
                extra_arguments=QUIET,
            )
        except PapermillExecutionError as error:
            if not (error.ename == "NotTrainedError" and _has_network(profile)):
                failed = _failed_copy(executed, target)
                reason = f"failed in cell {error.exec_count}: {error.ename}: {error.evalue}"
                raise RuntimeError(f"{source.name} {reason}\nThe executed copy is {failed}") from None
            needed = error.evalue
    _record_needed(profile, source, target.with_suffix(".needs"), needed)
    return needed


@contextlib.contextmanager
def _kernel_settings(profile: Profile) -> Iterator[None]:
    """Set TensorFlow's environment variables for the kernel, which inherits them."""
    fixed = common_arithmetic() if profile.source == "shapes" else {}
    with environment({ONEDNN: "1" if profile.onednn else os.environ[ONEDNN], **fixed}):
        yield


def _passed(source: Path, notebook, parameters: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    """The parameters for papermill: those given, or all where the notebook's own are no defaults."""
    cell = next((c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])), None)
    lines = [line for line in ast.parse(cell.source).body if isinstance(line, ast.Assign)] if cell else []
    own = {ast.unparse(line.targets[0]): ast.unparse(line.value) for line in lines}
    plain = {name: repr(value) for name, value in DEFAULTS.items()}
    changed = [f"{name} = {own[name]}" for name in plain if own.get(name, plain[name]) != plain[name]]
    if not changed:
        return dict(parameters)
    warnings.warn(
        f"{source.name} has {', '.join(changed)} in its parameters cell; this run has the class "
        f"'{profile.target_class}' of profile '{parameters.get('profile', 'shapes')}'",
        stacklevel=3,
    )
    return {**DEFAULTS, "target_class": profile.target_class, **parameters}


def _has_network(profile: Profile) -> bool:
    from ..networks.trained import is_there

    return is_there(profile, next(iter(profile.models)))


def _record_needed(profile: Profile, source: Path, marker: Path, needed: str) -> None:
    from ..claims import criteria, verdicts
    from ..figures.provenance import images_origin
    from ..figures.published import remove_of_other_images
    from ..figures.saving import recording
    from ..files import store

    marker.unlink(missing_ok=True)
    if needed:
        measured_there = [claim.id for claim in criteria.CLAIMS if claim.notebook == source.stem]
        verdicts.record_claims(profile, source.stem, dict.fromkeys(measured_there, {"reason": needed}))
        store.write_text(marker, needed + "\n")
        with recording(profile):
            others = remove_of_other_images(profile.figures_folder, source.stem, images_origin(profile))
        if others:
            print(f"{source.stem}: removed {', '.join(others)}, which were of other images", file=sys.stderr)


def _failed_copy(executed: Path, target: Path) -> Path:
    """Move the executed copy to ``build/failed``, at the target's place in ``build/runs``."""
    build, whole = project_root() / "build", target.resolve()
    inside = whole.relative_to(build / "runs") if whole.is_relative_to(build / "runs") else Path(target.name)
    failed = build / "failed" / inside
    failed.parent.mkdir(parents=True, exist_ok=True)
    os.replace(executed, failed)
    executed.touch()  # atomic_path still expects its temporary file
    return failed

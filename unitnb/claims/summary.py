"""What `make figures` says at its end: where the results lie, the counts of verdicts, and what to do next."""

from collections.abc import Mapping, Sequence

from ..profiles import Profile, load_profile, project_root
from .documents import DOCUMENT, counts
from .verdicts import make_command


def summary(profile: Profile, entries: Sequence[Mapping]) -> str:
    """Three lines on a run; ``entries`` are those of ``claims.json``."""
    folder = profile.figures_folder
    tables = [path for path in folder.glob("*.md") if path.name != DOCUMENT]
    shown = folder.relative_to(project_root()) if folder.is_relative_to(project_root()) else folder
    lines = [
        f"{shown}/: {len([*folder.glob('*.png')])} figures, {len(tables)} tables, and {DOCUMENT}",
        f"the paper's claims: {counts(entries)}",
        f"next: {_command(profile, 'open')} (read the results in a browser), make lab (in JupyterLab)",
    ]
    return "\n".join(lines)


def _command(profile, goal):
    words = make_command(profile).replace("make figures", f"make {goal}").split()
    default = f"PROFILE={load_profile().name}"
    return " ".join(word for word in words if word != default and not word.endswith("=..."))

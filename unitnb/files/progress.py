"""Progress bars with the remaining time, on the terminal, also from inside a notebook's kernel."""

import contextlib
import functools
import os
import sys
from collections.abc import Iterator

from tqdm import tqdm

TERMINAL = "UNITNB_TERMINAL"  # the terminal of the process that runs a notebook
LABEL = "UNITNB_LABEL"  # the text in front of the notebook's bars
DELAY = 2.0  # seconds before a bar appears: short work has none


def show_progress() -> bool:
    """Whether bars are shown: in a terminal by default; ``UNITNB_PROGRESS`` = 1 or 0 overrides that."""
    terminal = sys.stderr.isatty() or TERMINAL in os.environ
    return os.environ.get("UNITNB_PROGRESS", str(int(terminal))) == "1"


def progress_bar(items=None, desc: str = "", **settings) -> tqdm:
    """A bar with rate and remaining time that disappears at the end.

    It counts ``items``, or calls of ``update`` up to ``total=...``; ``settings`` are those of ``tqdm``.
    """
    words = " ".join(part for part in (os.environ.get(LABEL, ""), desc) if part)
    known = {
        "leave": False,
        "delay": DELAY,
        "mininterval": 0.5,
        "file": _terminal(),
        "disable": not show_progress(),
    }
    return tqdm(items, words, **(known | settings))


def _terminal():
    """The stream for bars. In a kernel stderr would become an output of the notebook."""
    return _opened(os.environ[TERMINAL]) or sys.stderr if TERMINAL in os.environ else sys.stderr


@functools.cache
def _opened(terminal: str):
    """A terminal, open until the process ends; None if it no longer exists."""
    with contextlib.suppress(OSError):
        return open(terminal, "w")
    return None


@contextlib.contextmanager
def from_kernels(label: str) -> Iterator[None]:
    """Kernels that start in this block show their progress on this process's terminal, if it has one."""
    variables = {TERMINAL: os.ttyname(sys.stderr.fileno()), LABEL: label} if sys.stderr.isatty() else {}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]

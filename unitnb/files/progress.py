"""Progress bars with the remaining time: on the terminal, from inside a notebook's kernel, too."""

import contextlib
import functools
import os
import sys
from collections.abc import Iterator

from tqdm import tqdm

TERMINAL = "UNITNB_TERMINAL"  # the terminal of who runs a notebook, and what stands before its bars
LABEL = "UNITNB_LABEL"
DELAY = 2.0  # seconds that work takes before there is a bar: short work has none


def show_progress() -> bool:
    """Whether progress is shown: in a terminal, or where ``UNITNB_PROGRESS=1`` asks for it (and nowhere where it is 0)."""
    return os.environ.get("UNITNB_PROGRESS", str(int(sys.stderr.isatty() or TERMINAL in os.environ))) == "1"


def progress_bar(items=None, desc: str = "", **settings) -> tqdm:
    """A bar over ``items``, or of ``total=...`` to be moved by ``update``, with rate and remaining time; it goes when the work is done."""
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
    """Where bars go: a kernel's own stderr would be an output of the notebook."""
    return _opened(os.environ[TERMINAL]) or sys.stderr if TERMINAL in os.environ else sys.stderr


@functools.cache
def _opened(terminal: str):
    """A terminal to write to, for as long as the process lives; None where it is gone."""
    with contextlib.suppress(OSError):
        return open(terminal, "w")


@contextlib.contextmanager
def from_kernels(label: str) -> Iterator[None]:
    """What starts in this block, a notebook's kernel, shows its progress on this process's terminal, if it has one."""
    told = {TERMINAL: os.ttyname(sys.stderr.fileno()), LABEL: label} if sys.stderr.isatty() else {}
    os.environ.update(told)
    try:
        yield
    finally:
        for name in told:
            del os.environ[name]

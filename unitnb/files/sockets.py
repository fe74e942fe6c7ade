"""A short-lived folder for the sockets and the connection file of a notebook's kernel.

A killed process leaves its folder behind; the next one removes it. Which are in use is told by locks that the
system frees, not by process numbers, which mean nothing in another container.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .atomic import locked

PREFIX = "unitnb-kernel-"
LONGEST = 107 - len(f"/{PREFIX}12345678/socket-1")  # of the folder above: a socket's path has 107 characters
FALLBACK = "/tmp"


@contextmanager
def kernel_folder() -> Iterator[Path]:
    """A new folder, removed at the end; in /tmp where the path of TMPDIR is too long for sockets."""
    wanted = tempfile.gettempdir()
    place = FALLBACK if len(os.fsencode(wanted)) > LONGEST and os.access(FALLBACK, os.W_OK) else wanted
    remove_left_behind(Path(place))
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        with locked(folder):
            if not folder.exists():  # another process took it for one left behind, before it was locked
                continue
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


def remove_left_behind(place: Path) -> None:
    """Remove the folders of killed processes."""
    for folder in place.glob(f"{PREFIX}*"):
        try:
            with locked(folder, alone=True) as unused:
                if unused:
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # of another user, or gone
            continue


def connection(folder: Path) -> dict[str, str]:
    """Settings of Jupyter's KernelManager: sockets in the folder, or TCP where its path is too long."""
    file = {"connection_file": str(folder / "kernel.json")}
    if len(os.fsencode(folder.parent)) > LONGEST:
        return file
    return {**file, "transport": "ipc", "ip": str(folder / "socket")}


@contextmanager
def hangup_as_termination() -> Iterator[None]:
    """SIGHUP, of a closed terminal, ends the block as SIGTERM does, at which Jupyter ends the kernel."""
    if not hasattr(signal, "SIGHUP") or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)

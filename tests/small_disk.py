"""A real file system of a few kilobytes, for tests of a full disk: a tmpfs in its own mount namespace."""

import functools
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WAYS = (["unshare", "-m"], ["unshare", "-Urm"])  # as root, or as whoever may have a namespace of users


@functools.cache
def _way(folder) -> list[str]:
    for way in WAYS:
        try:
            subprocess.run(
                [*way, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder],
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return way
    pytest.skip(
        "no small disk: neither 'unshare -m' nor 'unshare -Urm' may mount a tmpfs here; "
        "a limit on file sizes stands in for it"
    )


def on_small_disk(folder: Path, size: int, script: str, **settings) -> subprocess.CompletedProcess:
    """Run a shell script with ``folder`` as a disk of ``size`` bytes; skip if none can be made."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = f"set -e; mount -t tmpfs -o size={size} tmpfs '{folder}'\n"
    line = [*_way(str(folder)), "sh", "-c", mount + script]
    return subprocess.run(
        line, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, **settings
    )

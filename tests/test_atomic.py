"""Writing whole or not at all: on a full disk, by a killed process, beside others, with a wrong clock."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_disk import on_small_disk

from unitnb.files import atomic, store

ROOT = Path(__file__).resolve().parents[1]
WRITER = """
import sys, time
from pathlib import Path
from unitnb.files.atomic import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(600)
"""
FILLER = """
import sys
from pathlib import Path
import numpy as np
from unitnb.files import store
from unitnb.files.atomic import DiskFullError
path = Path(sys.argv[1])
small, large = ({"a": np.random.default_rng(0).random(n)} for n in (100, 30_000))
store.write_npz(path / "deep" / "result.npz", small)
before = (path / "deep" / "result.npz").read_bytes()
for write in (
    lambda: store.write_npz(path / "deep" / "result.npz", large),
    lambda: store.write_text(path / "table.md", "x" * 99_000),
):
    try:
        write()
    except DiskFullError as error:
        print(error)
assert (path / "deep" / "result.npz").read_bytes() == before
print(*sorted(str(found.relative_to(path)) for found in path.rglob("*")))
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of writing ``result.npz``."""
    line = [sys.executable, "-c", WRITER, str(tmp_path / "result.npz")]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert process.stdout.readline() == b"writing\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def hidden(folder):
    return list(folder.glob(".*"))


def test_what_a_killed_writer_leaves_is_removed_by_the_next(tmp_path, writer):
    store.write_text(tmp_path / "result.npz", "whole")
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert len(hidden(tmp_path)) == 1 and (tmp_path / "result.npz").read_text() == "whole"
    atomic._tidied_once.cache_clear()  # as in a new process
    store.write_text(tmp_path / "other.txt", "x")
    assert hidden(tmp_path) == [] and {path.name for path in tmp_path.iterdir()} == {
        "result.npz",
        "other.txt",
    }


@pytest.mark.parametrize("moment", [0, 4e9])
def test_a_living_writers_file_stays_whatever_the_clock_says(tmp_path, writer, moment):
    (half,) = hidden(tmp_path)
    for path in (half, tmp_path):
        os.utime(path, (moment, moment))
    assert atomic.remove_leftovers(tmp_path) == [] and half.read_bytes() == b"half"
    store.write_text(tmp_path / "other.txt", "writers do not wait for each other")
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert atomic.remove_leftovers(tmp_path) == [half] and not half.exists()


def test_what_is_not_a_leftover_of_this_machine_stays(tmp_path, monkeypatch):
    for name in (".DS_Store", ".sweep.lock", ".writing-another-machine-result-abc.npz", "writing.npz"):
        (tmp_path / name).touch()
    assert atomic.remove_leftovers(tmp_path) == [] and len(list(tmp_path.iterdir())) == 4
    monkeypatch.setattr("platform.node", lambda: "another.machine")
    assert [path.name for path in atomic.remove_leftovers(tmp_path)] == [
        ".writing-another-machine-result-abc.npz"
    ]


def test_where_there_are_no_locks_nothing_is_removed_and_writing_goes_on(tmp_path, monkeypatch):
    left = tmp_path / f"{atomic._mark()}result-abc.npz"
    left.touch()

    def refuse(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", refuse)
    store.write_text(tmp_path / "result.txt", "whole")
    assert left.exists() and (tmp_path / "result.txt").read_text() == "whole"


def test_a_full_disk_is_one_error_that_names_it_and_leaves_what_was_there(tmp_path):
    disk = tmp_path / "disk"
    done = on_small_disk(disk, 100_000, f"'{sys.executable}' -c '{FILLER}' '{disk}'")
    *errors, left = done.stdout.splitlines()
    assert done.returncode == 0 and len(errors) == 2, done
    for path, error in zip(("deep/result.npz", "table.md"), errors, strict=True):
        assert error.startswith(
            f"{disk / path} could not be written (No space left on device); "
            f"the disk at {disk} has 0.0 MB free of 0.1 MB"
        )
    assert left == "deep deep/result.npz"


def test_other_errors_are_left_as_they_are(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError), atomic.atomic_path(tmp_path / "file" / "result.npz"):
        pass

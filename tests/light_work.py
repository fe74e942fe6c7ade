"""Work for test_sweep that needs no network: in a module of its own, so that a worker loads nothing else."""

import os
import signal
import time
from pathlib import Path


def die_once(task):
    """The first worker that meets an even task is killed by it, with whatever else it was asked for."""
    folder, number = task
    if number % 2 == 0 and not (mark := Path(folder) / str(number)).exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def always_die(task):
    os.kill(os.getpid(), signal.SIGKILL)


def no_room(task):
    """Count the call by a file, and find the disk full."""
    from unitnb.files.atomic import DiskFullError

    folder, number = task
    (Path(folder) / str(number)).touch()
    raise DiskFullError(f"no room for {number}")


def tell_and_sleep(seconds):
    print(os.getpid(), flush=True)
    time.sleep(60 * seconds)


def refuse_three(number):
    if number == 3:
        raise KeyError("three is not wanted")
    return number * 2


def own_gpu(task):
    """What the worker may see, once as many workers as asked for have been asked."""
    folder, workers = task
    (Path(folder) / str(os.getpid())).touch()
    end = time.monotonic() + 60
    while len(list(Path(folder).iterdir())) < workers and time.monotonic() < end:
        time.sleep(0.05)
    return os.environ.get("CUDA_VISIBLE_DEVICES")

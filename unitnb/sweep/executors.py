"""Running tasks on an executor: processes of this machine, or the workers of a Dask cluster."""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager
from functools import partial

from ..files.atomic import DiskFullError
from ..files.progress import progress_bar

RESTARTS = 5  # of the workers without a finished task in between: then the tasks kill them
# One thread a worker: this is faster than one worker with all cores, and sums do not depend on the number.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
ONE_THREAD = dict.fromkeys(THREADS, "1")


def workers_of(
    jobs: int | None = None, gpus: str | None = None, scheduler: str | None = None
) -> Callable[[], AbstractContextManager[Executor]]:
    """What opens the workers of a sweep: a Dask scheduler's, or processes of this machine.

    Parameters
    ----------
    jobs : processes, by default one for each of ``gpus``, or else for each core
    gpus : names as in ``CUDA_VISIBLE_DEVICES``, such as "0,1", of which each process takes one
    scheduler : ``tcp://host:port``

    Raises
    ------
    ValueError
        For fewer GPUs than processes, or GPUs for the workers of a scheduler.
    """
    names = [] if gpus is None else [name.strip() for name in gpus.split(",")]
    if len(set(filter(None, names))) < len(names):
        raise ValueError(f"gpus are '{gpus}'; expected different names, such as 0,1")
    if names and scheduler:
        raise ValueError(
            "--gpus is for processes of this machine; start each Dask worker with a GPU of its own: "
            f"CUDA_VISIBLE_DEVICES={names[0]} dask worker {scheduler} --nworkers 1 --nthreads 1"
        )
    jobs = (len(names) or os.cpu_count() or 1) if jobs is None else jobs
    if names and jobs > len(names):
        raise ValueError(f"jobs is {jobs} for {len(names)} GPUs; expected a GPU for each: leave --jobs out")
    return partial(dask_workers, scheduler) if scheduler else partial(processes, jobs, names)


@contextlib.contextmanager
def processes(jobs: int, gpus: Sequence[str] = ()) -> Iterator[Executor]:
    """``jobs`` spawned processes of this machine, with one thread each, and one of ``gpus`` if there are any.

    ValueError if ``jobs`` is below 1.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; expected the number of processes, from 1 up")
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        spawn = multiprocessing.get_context("spawn")
        free = spawn.SimpleQueue()
        for name in gpus:
            free.put(name)
        with ProcessPoolExecutor(jobs, spawn, _begin_worker, (free if gpus else None,)) as pool:
            yield pool
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _begin_worker(gpus) -> None:
    """A worker takes a GPU from a queue, before anything looks for one. It ignores Ctrl-C, which reaches the
    terminal's whole process group, and finishes its task.

    It ends when the main process is killed; otherwise it would wait for its next task forever.
    """
    if gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus.get()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_main, daemon=True).start()


def _end_with_main() -> None:
    if (main := multiprocessing.parent_process()) is not None:
        main.join()
        os._exit(1)


@contextlib.contextmanager
def dask_workers(scheduler: str) -> Iterator[Executor]:
    """The workers of a Dask scheduler at ``tcp://host:port``; prints the address of its dashboard.

    Raises
    ------
    RuntimeError
        Without the package distributed, or if nothing answers. The text says what to do.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise RuntimeError(
            "a Dask scheduler needs the package 'distributed'; install it with: pip install 'unitnb[cluster]'"
        ) from error
    try:
        client = Client(scheduler, timeout=15, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise RuntimeError(
            f"no Dask scheduler answers at {scheduler} ({error}); start one with: "
            "dask scheduler --host 127.0.0.1 (whoever reaches its port runs code as you)"
        ) from error
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # this module reports lost connections itself
    with client:
        print(f"dashboard: {client.dashboard_link}", flush=True)
        yield client.get_executor(pure=False, retries=3)


def run_all(
    tasks: Sequence, work: Callable, open_workers: Callable[[], AbstractContextManager[Executor]]
) -> tuple[dict, dict]:
    """``work(task)`` for all tasks: by task, the results, and the reasons of failures.

    A failed task does not stop the others. When workers die, new ones are started and get the unfinished
    tasks. Tasks keep their results themselves, so a finished task is never computed twice.

    Raises
    ------
    DiskFullError
        At the first task without room for its result: the others would be computed in vain.
    RuntimeError
        If the scheduler of the workers is gone.
    """
    done: dict = {}
    failed: dict = {}
    waiting, lost = list(tasks), 0
    with progress_bar(total=len(tasks), unit="task", leave=True, delay=0) as bar:
        while waiting and lost < RESTARTS:
            before = len(done)
            with open_workers() as executor:
                for task, result, error in _finished(executor, work, waiting):
                    (done if error is None else failed)[task] = result if error is None else error
                    bar.update()
            lost = 0 if len(done) > before else lost + 1
            waiting = [task for task in tasks if task not in done and task not in failed]
    died = f"its worker died {RESTARTS} times; is there enough memory?"
    return done, failed | dict.fromkeys(waiting, died)


def _outcome(future) -> BaseException | None:
    """The error of a future, or None; RuntimeError if it was cancelled: then its scheduler is gone."""
    try:
        return future.exception()
    except CancelledError:
        raise RuntimeError(
            "the scheduler of the workers is gone; finished results are kept: "
            "start it again and run this again"
        ) from None


def _finished(executor, work, tasks):
    """Yield (task, result, None) or (task, None, reason) as tasks end, except those whose worker died."""
    futures = {executor.submit(work, task): task for task in tasks}
    try:
        for future in as_completed(futures):
            error = _outcome(future)
            if isinstance(error, DiskFullError):
                raise error
            if error is None:
                yield futures[future], future.result(), None
            elif not isinstance(error, BrokenExecutor) and type(error).__name__ != "KilledWorker":
                text = error.args[0] if isinstance(error, KeyError) else error
                yield futures[future], None, f"{type(error).__name__}: {text}"
    except (KeyboardInterrupt, GeneratorExit, DiskFullError) as error:
        if isinstance(error, KeyboardInterrupt):
            text = "interrupted: running tasks are finished first; Ctrl-\\ ends them, too"
            print(text, file=sys.stderr, flush=True)
        for future in futures:
            future.cancel()
        executor.shutdown(wait=True)  # Dask's has no cancel_futures
        raise

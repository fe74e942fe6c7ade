"""The sweep: repeatable tasks, dying workers, two executors with the same bytes, figures of many classes."""

import contextlib
import itertools
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from light_work import always_die, die_once, no_room, own_gpu, refuse_three
from small_disk import on_small_disk

from unitnb import profiles
from unitnb.ablation.cumulative import ablation_curve
from unitnb.files import store
from unitnb.files.atomic import DiskFullError
from unitnb.images.samples import sample_others, sample_set
from unitnb.images.sources import open_images
from unitnb.networks import trained
from unitnb.networks.split import split_model
from unitnb.networks.trained import load_model
from unitnb.profiles import load_profile
from unitnb.sweep import executors, summary, work
from unitnb.sweep.tasks import METRICS, ORDERS, SAMPLES, Task, tasks_of

SMALL = {"n_rank": 12, "n_validation": 6, "n_others": 2}
ROOT = Path(profiles.__file__).parents[1]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project with results and figures in a temporary folder and the repository's profiles."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    (tmp_path / "build").mkdir()
    if (ROOT / "build" / "cache").exists():
        (tmp_path / "build" / "cache").symlink_to(ROOT / "build" / "cache")
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    monkeypatch.delenv("UNITNB_FIGURES", raising=False)
    return tmp_path


def tasks(classes=("ring", "star"), models=("A", "B")):
    return tasks_of(load_profile("shapes", SMALL), classes, models, overrides=SMALL)


def contents(folder):
    """Results by name; what a killed worker was just writing has a hidden name, which nobody reads."""
    return {path.name: path.read_bytes() for path in sorted(Path(folder).rglob("[!.]*.npz"))}


# ---- tasks ----
def test_a_task_gives_the_numbers_of_the_notebooks(root):
    task = tasks(["ring"], ["A"])[0]
    found = store.read_npz(work.run_task(task))[0]
    profile = load_profile("shapes", SMALL | {"target_class": "ring"})
    images, split = open_images(profile), split_model(load_model(profile, "A"), profile.layer)
    for kind in SAMPLES:
        sample, others = sample_set(images, profile, kind), sample_others(images, profile, kind)
        maps = [split.feature_maps(drawn.images) for drawn in (sample, others)]
        curve = ablation_curve(split, maps[0], sample.labels, found["rank"][::-1], negatives=maps[1])
        np.testing.assert_allclose(found[f"{kind}/worst first/balanced_accuracy"], curve.balanced_accuracy)
        assert found[f"{kind}/facts"][-1] == curve.collapse_width() / split.n_units
    assert found["births"].shape == (12, 128) and found["births"].dtype.kind == "i"


def test_a_task_is_computed_once_and_a_damaged_result_anew_with_the_same_bytes(root, monkeypatch):
    task = tasks(["ring"], ["A"])[0]
    path = work.run_task(task)
    whole = path.read_bytes()
    monkeypatch.setattr(work, "_measure", lambda *_: pytest.fail("computed twice"))
    for moment in (0, 4e9):  # the clock may jump: nothing asks it
        os.utime(path, (moment, moment))
        assert work.run_task(task) == path
    monkeypatch.undo()
    monkeypatch.setenv("UNITNB_ROOT", str(root))
    for damaged in (whole[:-100], whole[:200] + bytes(50) + whole[250:], b""):
        path.write_bytes(damaged)
        with pytest.warns(UserWarning, match="computed anew"):
            work.run_task(task)
        assert path.read_bytes() == whole and path.with_suffix(".corrupt").read_bytes() == damaged


def test_what_a_result_depends_on_changes_its_name(root, monkeypatch):
    names = [
        work.run_task(task).name
        for task in (tasks(["ring"], ["A"])[0], tasks(["ring"], ["B"])[0], tasks(["star"], ["A"])[0])
    ]
    other = Task("shapes", "A", "block2_conv3", "ring", 1, tasks()[0].overrides)
    monkeypatch.setattr(work, "VERSION", 99)
    names += [work.run_task(other).name, work.run_task(tasks(["ring"], ["A"])[0]).name]
    assert len(set(names)) == 5


@pytest.mark.parametrize("wrong", [{"classes": ["sqare"]}, {"models": ["Z"]}, {"layers": ["block9"]}])
def test_what_is_not_there_is_refused_before_anything_runs(root, wrong):
    with pytest.raises((ValueError, KeyError), match="(?i)square|no model|no layer"):
        tasks_of(load_profile("shapes"), **wrong)


def test_with_many_classes_the_others_are_those_of_a_few(root, monkeypatch):
    monkeypatch.setattr(work, "MOST_OTHERS", 6)
    work._others.cache_clear()
    others = work._others("shapes", 0, tasks()[0].overrides, "A").images
    work._others.cache_clear()
    assert [len(group) for group in others.values()] == [3, 3] and all(
        len(images) == 2 for images in others["S_100"].values()
    )


# ---- photographs, some of which cannot be read ----
PHOTOS = """source: folder
data: photos
target_class: cat
widths: [4, 4, 8]
dense: 8
n_rank: 8
n_validation: 4
n_others: 2
models: {A: {epochs: 1}}
"""


@pytest.fixture
def photos(root):
    """The folder of a profile with three classes of JPEGs, 12 and 5 each, and a random network."""
    from PIL import Image

    (root / "notebooks").unlink()
    store.write_text(root / "notebooks" / "profiles" / "photos.yaml", PHOTOS)
    rng = np.random.default_rng(0)
    for name, split, number in itertools.product(("cat", "dog", "owl"), ("train", "test"), range(12)):
        if split == "train" or number < 5:
            file = root / "photos" / split / name / f"{number:02d}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).resize((40, 36)).save(file)
    profile = load_profile("photos")
    network = trained.untrained_network(profile, profile.recipe("A"), 3)
    store.write_npz(
        trained.weights_file(profile, "A"), trained.arrays_of(network), trained.architecture_of(profile, 3)
    )
    for kept in (work._images, work._network, work._others, work._layer):
        kept.cache_clear()
    yield root / "photos"
    for kept in (work._images, work._network, work._others, work._layer):
        kept.cache_clear()


def drawn(name, kind="S_100"):
    """The files of a class's sample."""
    profile = load_profile("photos")
    images = open_images(profile)
    sample = sample_set(images, profile, kind, "A", name)
    return [profile.data_folder / images.name(sample.split, index) for index in sample.indices]


def sweep_here(**overrides):
    """A new sweep over the photographs in this process: its tasks, failures, and the bytes of its results."""
    for kept in (work._images, work._others, work._layer):
        kept.cache_clear()
    given = tasks_of(load_profile("photos", overrides), overrides=overrides)
    done, failed = executors.run_all(given, work.run_task, lambda: ThreadPoolExecutor(1))
    return (
        done,
        {task.target_class: why for task, why in failed.items()},
        {task.target_class: done[task].read_bytes() for task in done},
    )


def test_an_unreadable_image_is_skipped_named_and_counted_and_a_rerun_gives_the_same_bytes(photos, root):
    done, failed, whole = sweep_here()
    assert failed == {} and len(whole) == 3
    broken = drawn("dog")[3]
    content = broken.read_bytes()
    broken.write_bytes(content[:200])
    name = f"train/dog/{broken.name}"
    done, failed, found = sweep_here()
    assert failed == {} and found.keys() == whole.keys() and found["dog"] != whole["dog"]
    results = summary.read_results(done)
    skipped = {task.target_class: results[task]["S_100/skipped"].tolist() for task in done}
    assert [len(names) for names in skipped.values()] == [0, 1, 0] and skipped["dog"][0].startswith(
        f"{name} ("
    )
    assert (
        len(
            store.read_npz(next(path for task, path in done.items() if task.target_class == "dog"))[0][
                "births"
            ]
        )
        == 8
    )
    assert (
        summary.summary_table(results).splitlines()[2].endswith("| 1 |")
        and summary.skipped_images(results) == skipped["dog"]
    )
    line = (summary.save_summary(load_profile("photos"), results) / "classes.csv").read_text().splitlines()[3]
    assert line.startswith("A,block2_conv3,dog,S_100,") and f",1,{name} (" in line
    os.rename(root / "build" / "sweep", root / "first")
    assert sweep_here()[2] == found
    broken.write_bytes(content)
    assert sweep_here()[2] == whole


def test_early_layers_at_a_few_points_say_which_and_agree_with_all_points(photos):
    """The same rank and its curves at the points: 0, 2, 4 of four units; 0, 4, 8 of eight."""
    given = tasks_of(load_profile("photos"), ["cat"], layers=["all"])
    assert [task.layer for task in given] == [
        "block1_conv1",
        "block1_conv2",
        "block2_conv1",
        "block2_conv2",
        "block2_conv3",
    ]
    for task in given[::3] + given[-1:]:
        whole, few = (
            store.read_npz(work.run_task(replace(task, overrides=points)))[0]
            for points in ("{}", '{"points": 3}')
        )
        last = len(whole["rank"]) == 8
        assert few["points"].tolist() == ([0, 4, 8] if last else [0, 2, 4]) and np.array_equal(
            few["rank"], whole["rank"]
        )
        for part in (name for name in few if "first/" in name):
            np.testing.assert_allclose(few[part], whole[part][few["points"]], atol=1e-5)


def test_with_strict_the_class_of_an_unreadable_image_fails_alone(photos):
    files = drawn("dog")
    files[0].write_bytes(b"no image")
    done, failed, found = sweep_here(strict=True)
    assert failed == {"dog": f"UnreadableImageError: train/dog/{files[0].name} (no image)"}
    assert found.keys() == {"cat", "owl"}
    others = [store.read_npz(path)[0]["others/skipped"].tolist() for path in done.values()]
    assert others == [[f"train/dog/{files[0].name} (no image)"]] * 2
    assert list(work._others(*next(iter(done)).run, "A").images["S_100"]) == ["cat", "dog", "owl"]


def test_other_weights_under_the_same_name_make_all_anew(photos):
    done, _, _ = sweep_here()
    path = trained.weights_file(load_profile("photos"), "A")
    arrays, meta = store.read_npz(path)
    store.write_npz(path, {name: array * 2 for name, array in arrays.items()}, meta)
    work._network.cache_clear()
    again, failed, _ = sweep_here()
    assert failed == {} and not {path.name for path in done.values()} & {path.name for path in again.values()}


def test_a_picture_that_was_exchanged_makes_its_class_anew(photos):
    """Its own, of which none is among those that stand for other classes."""
    whole, files = sweep_here()[2], drawn("dog")
    files[-1].write_bytes(drawn("owl")[-1].read_bytes())
    found = sweep_here()[2]
    assert found["dog"] != whole["dog"] and (found["cat"], found["owl"]) == (whole["cat"], whole["owl"])


def test_a_class_with_too_few_images_fails_alone(photos):
    for file in drawn("dog", "S_val"):
        file.unlink()
    done, failed, found = sweep_here()
    assert (
        found.keys() == {"cat", "owl"}
        and "S_val of class 'dog': 1 test images found where 4" in failed["dog"]
    )
    assert (
        "where 2 are asked for" in store.read_npz(next(iter(done.values())))[0]["others/skipped"].tolist()[0]
    )


# ---- executors: work that needs no network ----
def test_workers_that_are_killed_are_replaced_and_no_task_is_lost(tmp_path):
    given = [(str(tmp_path), number) for number in range(5)]
    done, failed = executors.run_all(given, die_once, lambda: executors.processes(2))
    assert failed == {} and done == {task: task[1] for task in given}


def test_a_task_that_kills_every_worker_ends_with_words(monkeypatch):
    monkeypatch.setattr(executors, "RESTARTS", 2)
    done, failed = executors.run_all(["poison"], always_die, lambda: executors.processes(1))
    assert done == {} and "its worker died" in failed["poison"]


def test_a_task_that_fails_does_not_stop_the_others():
    done, failed = executors.run_all([1, 2, 3, 4], refuse_three, lambda: ThreadPoolExecutor(2))
    assert done == {1: 2, 2: 4, 4: 8} and failed == {3: "KeyError: three is not wanted"}


def test_a_full_disk_ends_a_sweep_at_once(tmp_path):
    given = [(str(tmp_path), number) for number in range(200)]
    with pytest.raises(DiskFullError, match="no room for 0"):
        executors.run_all(given, no_room, lambda: executors.processes(1))
    assert len(list(tmp_path.iterdir())) < 60  # of 100; how many depends on the load of the machine


ORPHANS = """
import time
from light_work import tell_and_sleep
from unitnb.sweep import executors
if __name__ == "__main__":
    executors.run_all([1, 2], tell_and_sleep, lambda: executors.processes(2))
"""


def test_workers_end_with_a_main_process_that_is_killed(tmp_path):
    (tmp_path / "main.py").write_text(ORPHANS)
    settings = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    with subprocess.Popen(
        [sys.executable, tmp_path / "main.py"], env=settings, stdout=subprocess.PIPE, text=True
    ) as main:
        workers = [main.stdout.readline().strip() for _ in range(2)]
        main.kill()
        assert main.communicate(timeout=30)[0] == "" and all(
            workers
        )  # the end comes when nobody holds the pipe any more


def test_what_ends_a_sweep_on_dask_leaves_its_scheduler_with_nothing_to_do(tmp_path, monkeypatch):
    """A full disk, and Ctrl-C at the first result; make test-faults sends the real signal."""
    from distributed import LocalCluster

    def interrupted(futures):
        yield next(as_completed(futures))
        raise KeyboardInterrupt

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
    with LocalCluster(n_workers=1, threads_per_worker=1, silence_logs=50, dashboard_address=":0") as cluster:

        def run(doing, given):
            with pytest.raises((DiskFullError, KeyboardInterrupt)) as caught:
                executors.run_all(given, doing, lambda: executors.dask_workers(cluster.scheduler_address))
            assert not any(worker.processing for worker in cluster.scheduler.workers.values())
            return caught.type

        assert run(no_room, [(str(tmp_path), number) for number in range(100)]) is DiskFullError
        monkeypatch.setattr(executors, "as_completed", interrupted)
        assert run(time.sleep, [0.1 + number / 1e6 for number in range(100)]) is KeyboardInterrupt
    assert len(list(tmp_path.iterdir())) < 60  # of 100; how many depends on the load of the machine


def test_workers_have_one_thread_each_and_this_process_its_own_again():
    before = os.environ.get("OMP_NUM_THREADS")
    with executors.processes(1) as pool:
        assert pool.submit(os.getenv, "TF_NUM_INTRAOP_THREADS").result() == "1"
    assert os.environ.get("OMP_NUM_THREADS") == before
    with pytest.raises(ValueError, match="jobs is 0"), executors.processes(0):
        pass


def test_each_worker_has_a_gpu_of_its_own(tmp_path, monkeypatch):
    """Names of two GPUs that need not be there; this process keeps what it may see."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    with executors.workers_of(gpus="3, GPU-a1")() as pool:
        futures = [pool.submit(own_gpu, (str(tmp_path), 2)) for _ in range(2)]
        assert {future.result() for future in futures} == {"3", "GPU-a1"}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "7"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gpus": "0,1", "jobs": 3}, "jobs is 3 for 2 GPUs"),
        ({"gpus": "0,0"}, "expected different names"),
        ({"gpus": ""}, "expected different names"),
        ({"gpus": "2,3", "scheduler": "tcp://h:1"}, "CUDA_VISIBLE_DEVICES=2 dask worker tcp://h:1"),
    ],
)
def test_gpus_that_do_not_go_round_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        executors.workers_of(**given)


@pytest.mark.parametrize(("given", "expected"), [("1", "1 1"), (None, "2 None")])
def test_threads_follow_what_dask_gives_its_workers(given, expected):
    code = (
        "import os, unitnb; print(os.environ['TF_NUM_INTRAOP_THREADS'], os.environ.get('NUMBA_NUM_THREADS'))"
    )
    settings = {name: value for name, value in os.environ.items() if name not in executors.THREADS} | {
        "PYTHONPATH": str(ROOT)
    }
    settings |= {"OMP_NUM_THREADS": given} if given else {}
    done = subprocess.run([sys.executable, "-c", code], env=settings, capture_output=True, text=True)
    assert done.stdout.strip() == expected


def test_a_scheduler_that_is_not_there_is_named():
    with (
        pytest.raises(RuntimeError, match="no Dask scheduler answers at nonsense"),
        executors.dask_workers("nonsense"),
    ):
        pass


# ---- the real thing: processes, a Dask cluster, and what happens to them ----
def kill_workers(folder, pids, moments):
    """SIGKILL a worker whenever as many results as ``moments`` says have come; how many were killed."""
    killed = 0
    for moment in moments:
        while len(contents(folder)) < moment:
            time.sleep(0.05)
        os.kill(pids()[0], signal.SIGKILL)
        killed += 1
    return killed


@pytest.fixture
def serial(root):
    """The bytes of a sweep by one undisturbed process, set aside."""

    def bytes_of(given):
        done, failed = executors.run_all(given, work.run_task, lambda: executors.processes(1))
        assert failed == {} and len(done) == len(given)
        found = contents(root / "build" / "sweep")
        os.rename(root / "build" / "sweep", root / "serial")
        return found

    return bytes_of


def on_dask(given, root, moments):
    """Run on two worker processes of a local cluster, killing one at each of the moments."""
    from distributed import LocalCluster

    quiet = {"silence_logs": 50, "dashboard_address": ":0", "env": executors.ONE_THREAD}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **quiet) as cluster,
        ThreadPoolExecutor(1) as killer,
    ):
        killed = killer.submit(kill_workers, root / "build" / "sweep", lambda: worker_pids(cluster), moments)
        done, failed = executors.run_all(
            given, work.run_task, lambda: executors.dask_workers(cluster.scheduler_address)
        )
        assert killed.result() == len(moments)
    return done, failed


def worker_pids(cluster):
    return [nanny.pid for nanny in cluster.workers.values() if nanny.pid]


@pytest.mark.long
def test_a_dask_cluster_with_a_killed_worker_gives_the_bytes_of_one_process(root, serial):
    given = tasks(["ring", "star"], ["A", "B"])
    alone = serial(given)
    done, failed = on_dask(given, root, [1])
    assert failed == {} and set(done) == set(given) and contents(root / "build" / "sweep") == alone


FULL = pytest.mark.skipif(not os.environ.get("UNITNB_FULL"), reason="long; run by: make test-faults")


@FULL
def test_all_classes_and_models_with_three_kills(root, serial):
    given = tasks([], [])
    assert len(given) == 40
    alone = serial(given)
    done, failed = on_dask(given, root, [3, 14, 27])
    assert failed == {} and contents(root / "build" / "sweep") == alone


def command(root, *more, **settings):
    """``unitnb sweep`` as a user starts it, on two classes."""
    line = [sys.executable, "-m", "unitnb.cli", "sweep", "--classes", "ring,star", "--models", "A,B", *more]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(line, cwd=root, env=os.environ | {"PYTHONPATH": str(ROOT)}, **pipes, **settings)


def hear_ctrl_c():
    """Also where the tests run in the background, whose processes are born deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(process):
    out = process.communicate()[0]
    return process.returncode, out


@FULL
def test_ctrl_c_and_two_sweeps_at_once_lose_nothing(root):
    first = command(
        root,
        "--classes",
        "all",
        "--models",
        "A",
        "--jobs",
        "1",
        preexec_fn=hear_ctrl_c,
        start_new_session=True,
    )
    while len(contents(root / "build" / "sweep")) < 1:
        assert first.poll() is None
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGINT)  # a terminal's Ctrl-C reaches the workers, too
    code, out = ended(first)
    assert code == 130 and "run it again and it continues" in out and "Traceback" not in out, out
    kept = contents(root / "build" / "sweep")
    assert 1 <= len(kept) < 10 and not list((root / "build" / "sweep").rglob(".*"))
    both = [command(root, "--classes", "all", "--models", "A", "--jobs", "1") for _ in range(2)]
    assert [ended(process)[0] for process in both] == [0, 0]
    together = contents(root / "build" / "sweep")
    assert len(together) == 10 and kept.items() <= together.items()
    os.rename(root / "build" / "sweep", root / "first")
    assert ended(command(root, "--classes", "all", "--models", "A", "--jobs", "2"))[0] == 0
    assert contents(root / "build" / "sweep") == together


@contextlib.contextmanager
def cluster_of_processes(root, port):
    """A Dask scheduler and two workers, as a user starts them by hand."""
    dask, address = [sys.executable, "-m", "distributed.cli.dask_scheduler"], f"tcp://127.0.0.1:{port}"
    worker = [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
        address,
        "--nthreads",
        "1",
        "--no-dashboard",
    ]
    lines = [[*dask, "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], worker, worker]
    settings = {
        "cwd": root,
        "env": os.environ | {"PYTHONPATH": str(ROOT)},
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    started = [subprocess.Popen(line, **settings) for line in lines]
    try:
        yield started[0], address
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


@FULL
def test_a_scheduler_that_dies_is_one_error_and_a_new_one_goes_on(root, serial):
    alone = serial(tasks_of(load_profile("shapes"), ["ring", "star"], ["A", "B"]))
    with cluster_of_processes(root, 8991) as (scheduler, address):
        running = command(root, "--scheduler", address)
        while len(contents(root / "build" / "sweep")) < 1:
            assert running.poll() is None, ended(running)
            time.sleep(0.1)
        scheduler.kill()
        code, out = ended(running)
    assert code == 1 and "the scheduler of the workers is gone" in out and "Traceback" not in out
    kept = contents(root / "build" / "sweep")
    with cluster_of_processes(root, 8992) as (_, address):
        code, out = ended(command(root, "--scheduler", address))
    assert code == 0 and "dashboard: http" in out
    assert contents(root / "build" / "sweep") == alone and kept.items() <= alone.items()


@FULL
def test_ctrl_c_on_a_dask_cluster_leaves_the_workers_free_and_loses_nothing(root, serial):
    alone = serial(tasks_of(load_profile("shapes"), ["ring", "star"], ["A", "B"]))
    with cluster_of_processes(root, 8993) as (_, address):
        running = command(root, "--classes", "all", "--scheduler", address, preexec_fn=hear_ctrl_c)
        while len(contents(root / "build" / "sweep")) < 1:
            assert running.poll() is None, ended(running)
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        code, out = ended(running)
        assert code == 130 and "run it again and it continues" in out and "Traceback" not in out, out
        assert len(contents(root / "build" / "sweep")) < 20
        assert ended(command(root, "--scheduler", address))[0] == 0
    found = contents(root / "build" / "sweep")
    assert alone.items() <= found.items() and not list((root / "build" / "sweep").rglob(".*"))


SWEEP = f"'{sys.executable}' -m unitnb.cli sweep --classes ring,star --models A,B --jobs 2"


@FULL
def test_a_disk_that_fills_up_is_one_error_and_a_rerun_with_room_gives_the_same_bytes(root, serial):
    """On a real file system with room for two and a half of four results."""
    alone = serial(tasks_of(load_profile("shapes"), ["ring", "star"], ["A", "B"]))
    store_folder, room = root / "build" / "sweep", 5 * len(next(iter(alone.values()))) // 2
    script = f"""cd '{root}'
    {SWEEP} 2> first.txt > first.out || echo $? > code.txt
    cp -r '{store_folder}' first
    mount -o remount,size=100m '{store_folder}'
    {SWEEP} && cp -r '{store_folder}' second"""
    done = on_small_disk(store_folder, room, script)
    assert done.returncode == 0, done
    error, found = (root / "first.txt").read_text(), contents(root / "first")
    assert (
        (root / "code.txt").read_text() == "1\n" and error.count("unitnb: ") == 1 and "Traceback" not in error
    ), error
    assert (
        f"No space left on device); the disk at {store_folder} has 0.0 MB free of 0." in error
        and "make room and run it again" in error
    )
    assert 1 <= len(found) < 4 and found.items() <= alone.items() and not list((root / "first").rglob(".*"))
    assert contents(root / "second") == alone


def at_most_2000_bytes_a_file():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


@FULL
def test_a_limit_on_file_sizes_fails_with_words_and_a_rerun_goes_on(root):
    """What can be tried where no small disk can be had."""
    code, out = ended(command(root, "--jobs", "1", preexec_fn=at_most_2000_bytes_a_file))
    assert (
        code == 1
        and "File too large" in out
        and "run it again" in out
        and out.count("unitnb: ") == 1
        and "Traceback" not in out
    )
    assert not list((root / "build" / "sweep").rglob("*npz"))
    assert ended(command(root, "--jobs", "1"))[0] == 0 and len(contents(root / "build" / "sweep")) == 4


@FULL
def test_a_figures_folder_that_cannot_be_written_is_one_error_and_keeps_the_results(root, monkeypatch):
    monkeypatch.setenv("UNITNB_FIGURES", "/proc/figures")
    code, out = ended(command(root, "--jobs", "2"))
    assert (
        code == 1
        and out.strip().splitlines()[-1].startswith("unitnb: ")
        and "/proc/figures" in out
        and "Traceback" not in out
    )
    assert len(contents(root / "build" / "sweep")) == 4


# ---- what is shown ----
def made_up(n_classes):
    rng, results = np.random.default_rng(0), {}
    for number in range(n_classes):
        for model in "AB":
            lines = {
                f"{k}/{o}/{m}": np.sort(rng.random(11))[::-1]
                for k in SAMPLES
                for o in ORDERS
                for m in METRICS
            }
            facts = {
                f"{kind}/facts": np.array([0.9, np.inf, 0.1, 0.0, number / n_classes]) for kind in SAMPLES
            }
            facts |= {
                f"{kind}/skipped": np.array([f"class{number:04d}/1.jpg (no image)"] * (number == 1), str)
                for kind in SAMPLES
            }
            facts |= {"points": np.arange(11), "others/skipped": np.array(["x/bad\udcff\n.jpg (cut)"])}
            results[Task("shapes", model, "conv", f"class{number:04d}")] = lines | facts
    return results


def test_a_thousand_classes_are_drawn_as_bands_and_told_in_a_row_a_network(root):
    results = made_up(1000)
    figure = summary.many_classes_figure(results)
    assert len(figure.axes) == 4 and all(
        len(axes.lines) == 1 and len(axes.collections) == 2 for axes in figure.axes
    )
    share, median = figure.axes[0].lines[0].get_data()
    curves = [result["S_100/best first/accuracy"] for task, result in results.items() if task.model == "A"]
    assert share[-1] == 1 and np.array_equal(median, np.median(curves, axis=0))
    rows = summary.summary_table(results).splitlines()
    assert (
        len(rows) == 4
        and "| A | conv | 1000 | 11 | 0.90 (0.90 to 0.90) | never (never to never) | +0.10" in rows[2]
    )
    assert "50% (25% to 75%)" in rows[2] and rows[2].endswith("| 1 |")


def test_curves_of_few_points_are_drawn_where_their_points_are(root):
    results = {task: found | {"points": np.r_[0:10, 40]} for task, found in made_up(3).items()}
    share = summary.many_classes_figure(results).axes[0].lines[0].get_xdata()
    assert share.tolist() == (np.r_[0:10, 40] / 40).tolist()


def test_the_summary_is_written_whole_and_missing_results_are_named(root):
    folder = summary.save_summary(load_profile("shapes"), made_up(2))
    assert {path.name for path in folder.glob("*")} >= {
        "fig3c.png",
        "sweep.md",
        "classes.csv",
        "manifest.json",
    }
    lines = (folder / "classes.csv").read_text().splitlines()
    assert (
        len(lines) == 1 + 2 * 2 * 2
        and lines[1] == "A,conv,class0000,S_100,0.9000,inf,0.1000,0.0000,0.0000,11,0,"
    )
    assert lines[3].endswith(",11,1,class0001/1.jpg (no image)")
    assert summary.skipped_images(made_up(2)) == ["class0001/1.jpg (no image)", "x/bad\\udcff\\n.jpg (cut)"]
    with pytest.raises(FileNotFoundError, match="1 results, such as .*gone.npz, are not here"):
        summary.read_results({tasks()[0]: root / "gone.npz"})

"""What a sweep costs: a class by stage for every convolution of VGG16 (random weights), two processes against
one, and a thousand classes.

    python tests/benchmarks/bench_sweep.py

Everything is measured in workers as a sweep has them, with one thread each.
"""

import itertools
import os
import tempfile
import time
from pathlib import Path

import numpy as np

import unitnb
from unitnb import profiles
from unitnb.files import store
from unitnb.sweep import executors, tasks, work

LAYER, POINTS = "block5_conv3", 33
OWN, ALL = (
    150,
    150 + 2 * work.MOST_OTHERS,
)  # images of a class (S_100 and S_val), and with those of other classes beside each
CLASSES, MODELS, WORKERS = 1000, 4, (1, 16, 128)
FORWARD, JOBS = 4, 2  # images that the forward pass is timed on; processes
PROFILE = """source: folder
data: photographs
weights: vgg16.weights.h5
architecture: vgg16
image_size: 224
layer: block5_conv3
target_class: class0
n_rank: 4
n_validation: 2
n_others: 1
models: {A: {epochs: 1}}
"""


def seconds(action):
    start = time.perf_counter()
    found = action()
    return time.perf_counter() - start, found


def write_project(folder, n_classes=4, n=8):
    """Photographs of a few classes, Keras's VGG16 with random weights, and a profile of them."""
    from bench_scale import write_photographs

    from unitnb.networks.pretrained import keras_vgg16

    write_photographs(folder / "noise", n)
    for number, split in itertools.product(range(n_classes), ("train", "test")):
        (folder / "photographs" / split).mkdir(parents=True, exist_ok=True)
        (folder / "photographs" / split / f"class{number}").symlink_to(folder / "noise" / "train" / "noise")
    store.write_text(folder / "notebooks" / "profiles" / "bench.yaml", PROFILE)
    keras_vgg16().save_weights(folder / "vgg16.weights.h5")


# ---- in a worker ----


def decode_seconds():
    """Of one photograph of 500x375."""
    images = work._images("bench", 0, "{}")
    return seconds(lambda: [images.read("train", i) for i in range(8)])[0] / 8


def layer_row(layer):
    """Of one convolution: shape of its maps, births, and seconds of an image: forward, births, curves of
    ``POINTS`` and of all points.
    """
    from unitnb import birth_points, split_model
    from unitnb.ablation.cumulative import ablation_curve
    from unitnb.ablation.engines import open_engine

    split, images = (
        split_model(work._network("bench", 0, "{}", "A")[0], layer),
        work._images("bench", 0, "{}"),
    )
    pixels = np.array([images.read("train", i) for i in range(FORWARD)])
    (
        split.feature_maps(pixels[:1]),
        birth_points(np.zeros((1, 14, 14, 1), np.float32)),
    )  # compiled before the clock starts
    forward, maps = seconds(lambda: split.feature_maps(pixels))
    births, found = seconds(lambda: birth_points(maps))
    masked = split.engine != "running-sum"
    rows = open_engine(split, np.zeros(split.map_shape, np.float32)).rows if masked else 8
    many, order = (
        np.resize(maps + np.float32(1e-3), (rows, *split.map_shape)),
        np.arange(split.n_units),
    )  # no unit dead: none is left out
    ablation_curve(split, many, 0, order, points=2)  # compiles

    def curve(points):
        measured = 2 if masked else points  # a tail that is run again takes as long for each state
        taken = seconds(lambda: ablation_curve(split, many, 0, order, points=measured))[0]
        return taken / rows * points / measured

    curves = {points: curve(points) for points in (min(POINTS, split.n_units + 1), split.n_units + 1)}
    return layer, split.map_shape, found, forward / FORWARD, births / FORWARD, list(curves.values())


def start_up():
    """Seconds of what a worker does before its first task."""
    imports = seconds(lambda: __import__("keras"))[0]
    opened = seconds(lambda: work._images("bench", 0, "{}"))[0]
    network = seconds(lambda: work._network("bench", 0, "{}", "A"))[0]
    others = seconds(lambda: work._layer("bench", 0, "{}", "A", LAYER))[0]
    return {
        "import Keras and TensorFlow": imports,
        "open images": opened,
        "load network, digest weights": network,
        "others' maps": others,
    }


# ---- tables ----


def class_seconds(row, decode, which=0):
    """A worker's seconds for one class in one layer, by stage; ``which`` curves: 0 of ``POINTS``, -1 of all
    points.
    """
    *_, forward, births, curves = row
    return {
        "decode": OWN * decode,
        "forward": OWN * forward,
        "births": 100 * births,
        "curves": 2 * ALL * curves[which],
    }


def layer_table(rows, decode):
    print(
        f"| an image, one thread | units, maps | forward | births | curve of {POINTS} points | a class: so | "
        "with all points |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        layer, (side, _, units), _, forward, births, curves = row
        few, every = (sum(class_seconds(row, decode, which).values()) for which in (0, -1))
        times = [f"{1000 * forward:.3g} ms", f"{1000 * births:.3g} ms", f"{curves[0]:.2g} s"]
        cells = [layer, f"{units}, {side}x{side}", *times, told(few), told(every)]
        print("| " + " | ".join(cells) + " |", flush=True)


UNITS = ((3.156e7, "years"), (86400, "days"), (3600, "h"), (60, "min"), (1, "s"))


def told(taken):
    """Seconds in the largest unit of which they are two or more."""
    size, unit = next((size, unit) for size, unit in UNITS if taken >= 2 * size or unit == "s")
    return f"{taken / size:.3g} {unit}"


def result_bytes(row, points, folder):
    """A result's size in the store: births like the measured ones, and curves of numbers that do not repeat."""
    _, (*_, units), births, *_ = row
    rng, p = np.random.default_rng(0), min(points, units + 1)
    lines = itertools.product(tasks.SAMPLES, tasks.ORDERS, tasks.METRICS)
    curves = {
        f"{k}/{o}/{m}": rng.random(p) if m == "loss" else rng.integers(0, 101, p) / 100 for k, o, m in lines
    }
    store.write_npz(
        folder / "size.npz",
        {"births": rng.choice(births.ravel(), (100, units)), "rank": rng.permutation(units), **curves},
    )
    return (folder / "size.npz").stat().st_size


def scale_table(rows, decode, folder):
    per_layer = [class_seconds(row, decode) for row in rows]
    stages = {stage: sum(layer[stage] for layer in per_layer) for stage in per_layer[0]}
    whole, last = sum(stages.values()), class_seconds(rows[-1], decode)
    print(
        f"\n| {CLASSES:,} classes | processor time | "
        + " | ".join(f"{n} worker{'s' * (n > 1)}" for n in WORKERS)
        + " | store |"
    )
    print("|---|---|---|---|---|---|")
    sizes = [result_bytes(row, POINTS, folder) for row in rows]
    for name, taken, count, size in (
        (f"{LAYER}, one model", sum(last.values()), 1, sizes[-1]),
        (f"{LAYER}, {MODELS} models", sum(last.values()), MODELS, sizes[-1]),
        (f"{len(rows)} layers, {MODELS} models, {POINTS} points", whole, MODELS, sum(sizes)),
        (f"{len(rows)} layers, {MODELS} models, births alone", whole - stages["curves"], MODELS, sum(sizes)),
    ):
        total = taken * count * CLASSES
        cells = [
            name,
            f"{total / 3600:,.0f} h",
            *(told(total / n) for n in WORKERS),
            f"{count * CLASSES * size / 1e9:.2g} GB",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)
    share = ", ".join(f"{stage} {taken / whole:.1%}" for stage, taken in stages.items())
    print(
        f"\n- All layers, by stage: {share}; of {LAYER} alone: curves "
        f"{last['curves'] / sum(last.values()):.0%}."
    )
    once = per_layer[-1]["forward"]
    saved = stages["forward"] - once
    print(
        f"- One forward pass for all {len(rows)} layers in place of one each: {saved:.0f} s a class less, "
        f"{saved / whole:.2%} of it."
    )


def timed_sweep(folder, jobs):
    """Seconds until all workers are ready, what each did meanwhile, and seconds of the tasks after that."""
    given = tasks.tasks_of(profiles.load_profile("bench"))
    with executors.processes(jobs) as pool:
        ready, stages = seconds(
            lambda: [future.result() for future in [pool.submit(start_up) for _ in range(jobs)]]
        )
        taken, _ = seconds(
            lambda: [future.result() for future in [pool.submit(work.run_task, task) for task in given]]
        )
    os.rename(folder / "build" / "sweep", folder / "build" / f"sweep-{jobs}")
    return ready, stages[0], taken, len(given)


def parallel_table(folder):
    ready, stages, alone, n = timed_sweep(folder, 1)
    ready_two, _, together, _ = timed_sweep(folder, JOBS)
    print(f"\n| {n} tasks ({LAYER}, few images) | start-up | tasks | efficiency |\n|---|---|---|---|")
    print(f"| one process | {ready:.1f} s | {alone:.1f} s, {alone / n:.1f} s each | 1 |")
    print(
        f"| {JOBS} processes | {ready_two:.1f} s | {together:.1f} s | {alone / together / JOBS:.2f} (0.9) |"
    )
    print(
        "\n- Start-up of one process: "
        + ", ".join(f"{stage} {taken:.1f} s" for stage, taken in stages.items())
        + ".",
        flush=True,
    )


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"UNITNB_ROOT": name, unitnb.ONEDNN: "1"}  # as a sweep of the profile imagenet has it
        with executors.processes(1) as pool:
            pool.submit(write_project, folder).result()
            decode, layers = pool.submit(decode_seconds).result(), pool.submit(convolution_names).result()
            rows = [pool.submit(layer_row, layer).result() for layer in layers]
        layer_table(rows, decode)
        scale_table(rows, decode, folder)
        parallel_table(folder)


def convolution_names():
    from unitnb.networks.depth import convolutions

    return convolutions(work._network("bench", 0, "{}", "A")[0])


if __name__ == "__main__":
    main()

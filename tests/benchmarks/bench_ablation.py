"""Ablation curves against re-running the tail and against the matrix products that remain; ratios are from
one run.

python tests/benchmarks/bench_ablation.py
"""

import threading
import time
from pathlib import Path

import keras
import numpy as np

import unitnb
from unitnb.ablation.engines import Engine

N_IMAGES, RERUN_STEPS, FLOOR_BLOCKS = 100, 20, 6
GENERAL_IMAGES, STATES = 40, 1000


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def peak_bytes(work, every=0.02):
    """Largest resident size of this process while ``work`` runs."""
    seen, done = [resident_bytes()], threading.Event()

    def watch():
        while not done.wait(every):
            seen.append(resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return max(seen)


def rectified_noise(rng, shape):
    return np.maximum(rng.standard_normal(shape, dtype=np.float32), 0)


def product_seconds(rng, states, sizes, rows=2048):
    """Time of the plain products of ``states`` rows through dense layers of these sizes, from
    ``FLOOR_BLOCKS`` blocks.
    """
    kernels = [rng.standard_normal(pair, dtype=np.float32) for pair in zip(sizes, sizes[1:], strict=False)]
    blocks = [rng.standard_normal((rows, size), dtype=np.float32) for size in sizes[:-1]]

    def products():
        for block, kernel in zip(blocks, kernels, strict=True):
            block @ kernel

    products()
    return min(seconds(products) for _ in range(FLOOR_BLOCKS)) * states / rows


def vgg16_rows():
    rng = np.random.default_rng(0)
    split = unitnb.split_model(keras.applications.VGG16(weights=None), "block5_conv3")
    maps = rectified_noise(rng, (N_IMAGES, *split.map_shape))
    labels, order, steps = rng.integers(0, 1000, N_IMAGES), rng.permutation(split.n_units), split.n_units + 1
    floor = product_seconds(rng, N_IMAGES * steps, (4096, 4096, 1000))
    before, times = resident_bytes(), []
    peak = peak_bytes(
        lambda: times.append(seconds(lambda: unitnb.ablation_curve(split, maps, labels, order)))
    )
    split.tail.predict_on_batch(maps)
    rerun = (
        seconds(lambda: [split.tail.predict_on_batch(maps) for _ in range(RERUN_STEPS)]) * steps / RERUN_STEPS
    )
    default = (
        seconds(lambda: [split.tail.predict(maps, verbose=0) for _ in range(RERUN_STEPS // 4)])
        * steps
        / (RERUN_STEPS // 4)
    )
    curve = times[0]
    yield "VGG16 tail, 100 images, 512 units: one curve", f"{curve:.1f} s", ""
    yield (
        f"re-running the tail, one batch ({RERUN_STEPS} of {steps})",
        f"{rerun:.0f} s",
        f"{rerun / curve:.1f} times the curve (12)",
    )
    yield (
        "the same by `predict` with Keras's batches of 32",
        f"{default:.0f} s",
        f"{default / curve:.1f} times the curve",
    )
    yield (
        "products that remain (fc2, predictions)",
        f"{floor:.1f} s",
        f"the curve is {curve / floor:.2f} times this (2)",
    )
    yield (
        "peak memory",
        f"{peak / 1e9:.2f} GB",
        f"of which {(peak - before) / 1e9:.2f} GB for the curve (2 in all)",
    )


def small_vgg_rows():
    rng = np.random.default_rng(0)
    split = unitnb.split_model(unitnb.small_vgg(), "block2_conv3")
    maps = rectified_noise(rng, (10, N_IMAGES, *split.map_shape))
    orders = [rng.permutation(split.n_units) for _ in range(10)]
    one = seconds(lambda: unitnb.ablation_curve(split, maps[0], 0, orders[0]))
    ten = seconds(
        lambda: [unitnb.ablation_curves(split, maps[c], c, [orders[c], orders[c][::-1]]) for c in range(10)]
    )
    split.tail.predict_on_batch(maps[0])
    rerun = seconds(lambda: [split.tail.predict_on_batch(maps[0]) for _ in range(split.n_units + 1)])
    yield "small VGG, 100 images, 128 units: one curve", f"{one:.2f} s", "(0.5 s)"
    yield "re-running its tail", f"{rerun:.2f} s", f"{rerun / one:.1f} times the curve"
    yield "ten classes, both directions", f"{ten:.2f} s", "(10 s)"


def general_rows():
    """Tails that are run again for each state, against the bare predictions of these states in one batch."""
    resnet = keras.applications.ResNet50(weights=None, classes=10)
    lite = unitnb.efficientnet_lite0(224, 10)
    for name, model, layer in (
        ("EfficientNet-Lite0, block6a_expand_activation", lite, "block6a_expand_activation"),
        ("ResNet50, conv4_block6_out", resnet, "conv4_block6_out"),
    ):
        curve, bare, guard = general_seconds(unitnb.split_model(model, layer))
        yield f"{name}: curve of {STATES} states", f"{curve:.2f} s", ""
        yield "the tail alone on them", f"{bare:.2f} s", f"the curve is {curve / bare:.2f} times this (1.2)"
        share = f"{guard / curve:.1%} of the curve (1%)"
        yield "its guard", f"{guard:.2f} s", share


def general_seconds(split):
    """Best of three, taken in turn: a curve, the bare predictions, and what the curve's guard takes."""
    rng, guards = np.random.default_rng(0), []
    maps, order = rectified_noise(rng, (GENERAL_IMAGES, *split.map_shape)), rng.permutation(split.n_units)
    original = Engine._guard

    def timed(self, *given):
        guards.append(seconds(lambda: original(self, *given)))

    def curve():
        unitnb.ablation_curve(split, maps, 0, order, points=STATES // GENERAL_IMAGES)

    def bare():
        for _ in range(STATES // GENERAL_IMAGES):
            split.tail.predict_on_batch(maps)

    Engine._guard = timed
    try:
        curve(), bare()  # both graphs are compiled here
        rounds = [(seconds(curve), guards[-1], seconds(bare)) for _ in range(3)]
    finally:
        Engine._guard = original
    curves, guarded, bares = zip(*rounds, strict=True)
    return min(curves), min(bares), min(guarded)


def main():
    print("| ablation | time or size | beside (to reach) |\n|---|---|---|")
    for rows in (small_vgg_rows, vgg16_rows, general_rows):
        for row in rows():
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()

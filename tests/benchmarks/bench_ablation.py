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

N_IMAGES, RERUN_STEPS, FLOOR_BLOCKS = 100, 20, 6


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


def main():
    print("| ablation | time or size | beside (to reach) |\n|---|---|---|")
    for rows in (small_vgg_rows, vgg16_rows):
        for row in rows():
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()

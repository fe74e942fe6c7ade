"""Stages of a class on VGG16 where the backend has an accelerator: forward pass, births, curve; and the curve in
NumPy on the processor, in the same run. Says so where there is none.

python tests/benchmarks/bench_device.py
KERAS_BACKEND=jax python tests/benchmarks/bench_device.py
"""

import os
import time

import numpy as np

# isort: off
import unitnb  # before Keras, whose backend it quietens
import keras
from unitnb.files.settings import ENGINE_DEVICE
from unitnb.networks.devices import accelerator
# isort: on

N_IMAGES, TIMES = 100, 3
REACH = 30  # times as fast as two cores
MASKED = "block5_conv2"  # a tail that is run again for each state
MASKED_POINTS = 33


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def least(work):
    """The first call, which compiles, and the least of the calls after it."""
    return seconds(work), min(seconds(work) for _ in range(TIMES))


def rows():
    rng = np.random.default_rng(0)
    model = keras.applications.VGG16(weights=None)
    images = rng.uniform(0, 255, (N_IMAGES, 224, 224, 3)).astype(np.float32)
    split = unitnb.split_model(model, "block5_conv3")
    maps, labels, order = split.feature_maps(images), rng.integers(0, 1000, N_IMAGES), rng.permutation(512)
    forward, births = least(lambda: split.feature_maps(images)), least(lambda: unitnb.birth_points(maps))
    yield "forward", *forward, f"{forward[1] / N_IMAGES * 1e3:.2f} ms an image"
    yield "births (on the processor)", *births, f"{births[1] / N_IMAGES * 1e3:.2f} ms an image"

    def curve(where, split=split, maps=maps, **asked):
        os.environ[ENGINE_DEVICE] = where
        return unitnb.ablation_curve(split, maps, labels, order, **asked)

    device, start = least(lambda: curve("device")), time.perf_counter()
    expected = curve("cpu")
    cpu, apart = time.perf_counter() - start, np.abs(curve("device").losses - expected.losses).max()
    yield "curve, 513 points, on the device", *device, f"losses within {apart:.1g} of the processor's"
    yield "the same in NumPy on the processor", cpu, cpu, f"{cpu / device[1]:.1f} times the device ({REACH})"
    earlier = unitnb.split_model(model, MASKED)
    given = {"split": earlier, "maps": earlier.feature_maps(images), "points": MASKED_POINTS}
    general = least(lambda: curve("device", **given))
    yield f"curve of {MASKED}, {MASKED_POINTS} points, on the device", *general, ""
    single = least(lambda: unitnb.single_ablation(split, maps, labels))
    yield "single_ablation", *single, ""


def main():
    kind = accelerator()
    if kind is None:
        print(
            f"On a device: skipped. Keras's backend, {keras.backend.backend()}, has no accelerator here, so the "
            "speed of its engines has not been measured; the tests compare their numbers."
        )
        return
    print(f"On a device: {kind}, {keras.backend.backend()}; VGG16, block5_conv3, {N_IMAGES} images.\n")
    print("| stage | first call | then | beside (to reach) |\n|---|---|---|---|")
    for name, first, then, beside in rows():
        print(f"| {name} | {first:.2f} s | {then:.3f} s | {beside} |", flush=True)


if __name__ == "__main__":
    main()

"""The paper's scale: photographs of 500x375 pixels through VGG16 to births and a curve, time by stage and peak memory, all from one run.

    python tests/benchmarks/bench_scale.py                  # 100 photographs
    UNITNB_FULL=1 python tests/benchmarks/bench_scale.py    # 1,000
"""

import os
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from bench_ablation import peak_bytes, resident_bytes
from PIL import Image

import unitnb
from unitnb import data, models, sources, streaming

N_IMAGES = 1000 if os.environ.get("UNITNB_FULL") == "1" else 100
N_CURVE, LARGE = 100, 1000  # images of S_100 and of S_1000


def write_photographs(folder, n):
    """JPEGs of 500x375 with detail at several scales, about as large in bytes as ImageNet's; one class, both splits."""
    rng = np.random.default_rng(0)
    (folder / "test" / "noise").mkdir(parents=True)
    (folder / "train" / "noise").mkdir(parents=True)
    for number in range(n):
        scales = [Image.fromarray(rng.integers(0, 256, (side * 3, side * 4, 3), np.uint8)).resize((500, 375)) for side in (4, 16, 64)]
        Image.fromarray(np.mean(scales, axis=0).astype(np.uint8)).save(folder / "train" / "noise" / f"{number:04d}.JPEG", quality=95)


class Stages:
    """Seconds that functions have taken, by stage."""

    def __init__(self):
        self.seconds = {}

    def of(self, stage, work):
        def timed(*args, **kwargs):
            start = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

        return timed


def measure(folder):
    """Stages of streaming and of one curve, and peak bytes above what the network alone takes."""
    stages, images = Stages(), sources.folder_images(folder, 224)
    split = unitnb.split_model(unitnb.vgg16(), "block5_conv3")
    photographs = data.LazyImages(stages.of("decode", partial(images.read, "train")), range(N_IMAGES))
    models.SplitModel.feature_maps = stages.of("forward", models.SplitModel.feature_maps)
    unitnb.birth_points(np.zeros((1, 14, 14, 1), np.float32))  # compiled before the clock starts
    streaming.birth_points = stages.of("births", streaming.birth_points)
    found, before = [], resident_bytes()

    def work():
        streamed = stages.of("stream", streaming.stream)(split, photographs, folder / "cache")
        order = unitnb.importance_rank(unitnb.effectiveness(streamed.births))
        stages.of("one curve", unitnb.ablation_curve)(streamed.split, streamed.maps[:N_CURVE], 0, order)
        found.append(streamed)

    peak = peak_bytes(work)
    return stages.seconds, before, peak, sum(path.stat().st_size for path in (folder / "cache").iterdir()), found[0]


def rows(seconds, before, peak, stored, streamed):
    curve, streaming_time = seconds.pop("one curve"), seconds.pop("stream")
    seconds["pooling, store and the rest"] = streaming_time - sum(seconds.values())
    for stage, taken in seconds.items():
        yield stage, f"{taken:.1f} s", f"{1000 * taken / N_IMAGES:.1f} ms an image, {taken / streaming_time:.1%} of streaming"
    yield f"one curve, {N_CURVE} images", f"{curve:.1f} s", f"{1000 * curve / N_CURVE:.0f} ms an image"
    forward = seconds["forward"] / N_IMAGES * LARGE
    share = forward / (streaming_time / N_IMAGES * LARGE + curve)
    yield f"a class: S_{LARGE} and one curve, from these", f"{forward / share / 60:.1f} min", f"forward is {share:.0%} of it (80%)"
    yield "peak memory above the network", f"{(peak - before) / 1e9:.2f} GB", f"{peak / 1e9:.2f} GB in all (3 GB plus the network)"
    born = (streamed.births > 0).mean()
    yield "kept in the store", f"{stored / 1e6:.0f} MB", f"{stored / 1e3 / N_IMAGES:.0f} kB an image; {born:.0%} of the maps have a birth"


def main():
    print(f"| VGG16, 512 units of block5_conv3, photographs of 500x375 | {N_IMAGES} images | beside (to reach) |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        write_photographs(Path(folder), N_IMAGES)
        for row in rows(*measure(Path(folder))):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()

"""The paper's scale: photographs of 500x375 pixels through VGG16 to births and a curve, time by stage and
peak memory, all from one run.
"""

import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # as the profile imagenet has it; read when TensorFlow is imported

import contextlib
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from bench_ablation import peak_bytes, resident_bytes
from PIL import Image

import unitnb
from unitnb.images import samples, sources
from unitnb.networks.split import SplitModel
from unitnb.units import streaming

SIZES = (100, 1000)  # images of S_100 and of S_1000
N_CURVE = 100  # of them, for one curve


def write_photographs(folder, n):
    """JPEGs of 500x375 with detail at several scales, about as large in bytes as ImageNet's; one class, both
    splits.
    """
    rng = np.random.default_rng(0)
    (folder / "test" / "noise").mkdir(parents=True)
    (folder / "train" / "noise").mkdir(parents=True)
    for number in range(n):
        scales = [
            Image.fromarray(rng.integers(0, 256, (side * 3, side * 4, 3), np.uint8)).resize((500, 375))
            for side in (4, 16, 64)
        ]
        Image.fromarray(np.mean(scales, axis=0).astype(np.uint8)).save(
            folder / "train" / "noise" / f"{number:04d}.JPEG", quality=95
        )


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

    @contextlib.contextmanager
    def replaced(self, owner, name, stage):
        """``owner.name`` takes its time for ``stage``."""
        before = getattr(owner, name)
        setattr(owner, name, self.of(stage, before))
        yield
        setattr(owner, name, before)


def measure(folder, n):
    """Stages of streaming ``n`` photographs and of one curve on the first of them, bytes before and at the
    peak, and what was found.
    """
    stages, images = Stages(), sources.folder_images(folder, 224, "nearest")
    split = unitnb.split_model(unitnb.vgg16(), "block5_conv3")
    photographs = samples.LazyImages(stages.of("decode", partial(images.read, "train")), range(n))
    unitnb.birth_points(np.zeros((1, 14, 14, 1), np.float32))  # compiled before the clock starts
    split.feature_maps(photographs[:1])
    before, cache = resident_bytes(), folder / f"cache-{n}"
    found = []

    def work():
        streamed = stages.of("stream", streaming.births_in_blocks)(split, photographs, cache)
        order = unitnb.importance_rank(unitnb.effectiveness(streamed.births))
        stages.of("one curve", unitnb.ablation_curve)(streamed.split, streamed.maps[:N_CURVE], 0, order)
        found.append((streamed.births > 0).mean())

    with (
        stages.replaced(SplitModel, "feature_maps", "forward"),
        stages.replaced(streaming, "birth_points", "births"),
    ):
        peak = peak_bytes(work)
    return stages.seconds, (before, peak), sum(path.stat().st_size for path in cache.iterdir()), found[0]


def columns(n, seconds, memory, stored, born):
    """What a run of ``n`` photographs gives, by row of the table."""
    curve, streaming_time = seconds.pop("one curve"), seconds.pop("stream")
    seconds["pooling, store and the rest"] = streaming_time - sum(seconds.values())
    yield from (
        (stage, f"{t:.1f} s ({1000 * t / n:.1f} ms an image, {t / streaming_time:.1%})")
        for stage, t in seconds.items()
    )
    yield f"one curve, {N_CURVE} images", f"{curve:.1f} s ({1000 * curve / N_CURVE:.0f} ms an image)"
    share = seconds["forward"] / (streaming_time + curve)
    yield "streaming and one curve", f"{streaming_time + curve:.0f} s, {share:.0%} of it forward (80%)"
    yield (
        "peak memory above the network",
        f"{(memory[1] - memory[0]) / 1e9:.2f} GB of {memory[1] / 1e9:.2f} GB (3 GB plus the network)",
    )
    yield (
        "kept in the store",
        f"{stored / 1e6:.0f} MB ({stored / 1e3 / n:.0f} kB an image; {born:.0%} of the maps have a birth)",
    )


def main():
    with tempfile.TemporaryDirectory() as folder:
        write_photographs(Path(folder), max(SIZES))
        found = [dict(columns(n, *measure(Path(folder), n))) for n in SIZES]
    print(
        "| VGG16, 512 units of block5_conv3, photographs of 500x375 (to reach) | "
        + " | ".join(f"{n} images" for n in SIZES)
        + " |"
    )
    print("|---|" + "---|" * len(SIZES))
    for row in found[0]:
        print("| " + " | ".join([row, *(column[row] for column in found)]) + " |", flush=True)


if __name__ == "__main__":
    main()

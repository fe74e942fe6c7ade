"""Streaming: the same numbers as with all maps in memory, and the same after a run was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from test_split import residual

import unitnb
from unitnb.ablation import engines
from unitnb.images import samples
from unitnb.networks import vgg
from unitnb.networks.split import SplitModel, graph_digest, split_model
from unitnb.units import streaming

L = keras.layers
# Decodes slowly, so that it is killed while it works; the same images and network as the test's.
KILLED = """
import sys, time
import test_streaming
from unitnb.images import samples
from unitnb.units import streaming
images = samples.LazyImages(lambda i: time.sleep(0.05) or test_streaming.pixels(i), range(24))
streaming.births_in_blocks(test_streaming.small_split(), images, sys.argv[1], block=4)
"""


def pixels(index):
    return np.random.default_rng(index).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def small_split():
    keras.utils.set_random_seed(1)
    return split_model(vgg.small_vgg(n_classes=3, widths=(4, 4, 6), dense=5), "block2_conv3")


@pytest.fixture(scope="module")
def split():
    return small_split()


@pytest.fixture
def lazy():
    return samples.LazyImages(pixels, range(24))


def unstreamed(split, images):
    maps = split.feature_maps(np.stack(images))
    return unitnb.birth_points(maps), maps.reshape(len(maps), 7, 2, 7, 2, -1).max(axis=(2, 4))


@pytest.mark.parametrize(
    ("block", "atol"), [(5, 1e-6), (24, 0), (100, 0)]
)  # the same batches give the same bits
def test_streamed_births_and_pooled_maps_are_those_of_all_maps_at_once(split, lazy, block, atol):
    births, pooled = unstreamed(split, lazy)
    streamed = streaming.births_in_blocks(split, lazy, block=block)
    np.testing.assert_array_equal(streamed.births, births)
    np.testing.assert_allclose(streamed.maps, pooled, rtol=0, atol=atol)
    assert streamed.births.dtype == np.int16 and streamed.split.layer == "block2_pool" and births.any()


def test_curves_of_pooled_maps_are_those_of_the_maps_to_the_bit(split, lazy):
    streamed = streaming.births_in_blocks(split, lazy)
    order, labels = np.random.default_rng(0).permutation(6), np.arange(24) % 3
    whole = unitnb.ablation_curve(split, split.feature_maps(lazy), labels, order)
    pooled = unitnb.ablation_curve(streamed.split, streamed.maps, labels, order)
    np.testing.assert_array_equal(pooled.losses, whole.losses)
    assert whole.losses.std() > 0


def test_no_more_than_a_block_is_decoded_or_mapped_at_a_time(split, monkeypatch):
    seen = []
    run = SplitModel.feature_maps
    monkeypatch.setattr(
        SplitModel, "feature_maps", lambda self, images: seen.append(images.shape) or run(self, images)
    )
    asked = []
    images = samples.LazyImages(lambda i: asked.append((i, len(seen))) or pixels(i), range(10))
    streaming.births_in_blocks(split, images, block=4)
    assert seen == [(4, 32, 32, 3), (4, 32, 32, 3), (2, 32, 32, 3)]
    assert asked == [(i, i // 4) for i in range(10)]


@pytest.mark.parametrize("engine", ["masked-tail", "masked-model"])
def test_lazy_maps_give_the_curve_and_births_of_the_maps_with_few_in_memory(lazy, engine, monkeypatch):
    keras.utils.set_random_seed(1)
    net = residual() if engine == "masked-model" else vgg.small_vgg(n_classes=3, widths=(4, 4, 6), dense=5)
    split = split_model(net, "inner_relu" if engine == "masked-model" else "block2_conv2")
    images = np.stack(lazy)[:, : net.inputs[0].shape[1], : net.inputs[0].shape[2]] / np.float32(255)
    maps, order = split.feature_maps(images), np.random.default_rng(0).permutation(split.n_units)
    monkeypatch.setattr(engines, "MAPS_BYTES", 5 * 4 * maps[0].size)
    whole = unitnb.ablation_curve(split, maps, 1, order, negatives=maps[:7], points=3)
    seen, run = [], SplitModel.feature_maps
    monkeypatch.setattr(
        SplitModel, "feature_maps", lambda self, images: seen.append(len(images)) or run(self, images)
    )
    lazily = streaming.LazyMaps(split, images)
    curve = unitnb.ablation_curve(
        split, lazily, 1, order, negatives=streaming.LazyMaps(split, images[:7]), points=3
    )
    np.testing.assert_allclose(curve.losses, whole.losses, atol=1e-5)
    assert (
        np.array_equal(curve.chosen, whole.chosen) and curve.engine == engine and np.ptp(whole.losses) > 0.01
    )
    assert np.array_equal(streaming.births_by_block(lazily, block=5), unitnb.birth_points(maps))
    assert max(seen) == 5 and sum(seen) == 24 + 7 + 24


def test_lazy_maps_that_are_not_finite_are_named():
    split = small_split()
    split.model.get_layer("block2_conv3").kernel.assign(np.full((3, 3, 4, 6), np.nan))
    images = np.full((6, 32, 32, 3), 7.0)
    with pytest.raises(ValueError, match="maps of one of the images 3 to 5 are not finite"):
        streaming.LazyMaps(split, images)[3:6]


def test_the_key_of_a_block_does_not_depend_on_what_else_a_process_has_built():
    """Keras counts its automatic names up: another process, or another order of cells, has others."""
    graphs = []
    for _ in range(2):
        entry = keras.Input((8, 8, 3))
        branch = keras.layers.Conv2D(2, 3, padding="same")(entry)
        graphs.append(
            graph_digest(keras.Model(entry, keras.layers.add([branch, keras.layers.Conv2D(2, 1)(entry)])))
        )
    assert graphs[0] == graphs[1]
    other = keras.Model(entry, keras.layers.add([branch, branch]))
    assert graph_digest(other) != graphs[0]


def test_blocks_are_found_again_and_anything_that_matters_makes_new_ones(split, lazy, tmp_path, monkeypatch):
    first = streaming.births_in_blocks(split, lazy, tmp_path, block=8)
    assert len(list(tmp_path.glob("stream-*.npz"))) == 3
    run, runs = SplitModel.feature_maps, []
    monkeypatch.setattr(
        SplitModel, "feature_maps", lambda self, images: runs.append(len(images)) or run(self, images)
    )
    beginning = streaming.births_in_blocks(
        split, lazy[:16], tmp_path, block=8
    )  # as S_100 is the beginning of S_1000
    assert runs == []
    np.testing.assert_array_equal(beginning.births, first.births[:16])
    streaming.births_in_blocks(split, lazy[:8], tmp_path, b_max=9, block=8)
    kernel = split.model.get_layer("block1_conv1").kernel
    before = kernel.numpy()
    kernel.assign(before * 1.5)
    streaming.births_in_blocks(split, lazy[:8], tmp_path, block=8)
    kernel.assign(before)
    streaming.births_in_blocks(split_model(split.model, "block2_conv2"), lazy[:8], tmp_path, block=8)
    streaming.births_in_blocks(split, lazy[1:9], tmp_path, block=8)
    assert runs == [8] * 4


def test_a_killed_run_goes_on_where_it_stopped(split, lazy, tmp_path):
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}
    run = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], env=environment)
    deadline = time.monotonic() + 600
    while (
        len(done := list(tmp_path.glob("stream-*.npz"))) < 2
        and time.monotonic() < deadline
        and run.poll() is None
    ):
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL and 2 <= len(done) < 6
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("stream-*.npz")}
    streamed = streaming.births_in_blocks(split, lazy, tmp_path, block=4)
    births, pooled = unstreamed(split, lazy)
    np.testing.assert_array_equal(streamed.births, births)
    np.testing.assert_allclose(streamed.maps, pooled, atol=1e-6)
    assert len(list(tmp_path.glob("stream-*.npz"))) == 6
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in written.items())


def test_the_pooling_is_passed_only_where_zero_stays_zero(split):
    assert streaming.pooled_split(split).layer == "block2_pool"
    for between in (L.BatchNormalization(), L.Activation("sigmoid"), L.Rescaling(1.0, offset=1.0)):
        layers = [
            L.Conv2D(4, 3, activation="relu", name="conv"),
            between,
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(2),
        ]
        assert (
            streaming.pooled_split(
                split_model(keras.Sequential([keras.Input((8, 8, 3)), *layers]), "conv")
            ).layer
            == "conv"
        )
    masked = split_model(split.model, "block2_conv1")
    assert streaming.pooled_split(masked) is masked


def test_a_layer_without_pooling_keeps_its_maps(split, lazy):
    masked = split_model(split.model, "block2_conv1")
    streamed = streaming.births_in_blocks(masked, lazy, block=7)
    np.testing.assert_allclose(streamed.maps, masked.feature_maps(lazy), atol=1e-6)


def test_maps_that_are_not_finite_are_named_with_their_block(split, lazy):
    kernel = split.model.get_layer("block2_conv3").kernel
    before = kernel.numpy()
    kernel.assign(before * np.nan)
    with pytest.raises(ValueError, match="images 0 to 3: the map of image 0, unit 0 holds NaN"):
        streaming.births_in_blocks(split, lazy, block=4)
    kernel.assign(before)
    with pytest.raises(ValueError, match="no images to stream"):
        streaming.births_in_blocks(split, lazy[:0])


def test_a_lazy_sample_is_the_sample():
    broken = {3, 11}

    def read(split, index):
        if index in broken:
            raise samples.UnreadableImageError(f"{split}/{index} (cut short)")
        return pixels(index)

    labels = np.zeros(30, np.int64)
    images = samples.Images(
        ("a",), {"train": labels, "test": labels}, read, lambda split, index: f"{split}/{index}"
    )
    profile = unitnb.load_profile(
        "cifar10", {"target_class": "a", "n_rank": 25, "models": {"A": {"fraction": 1.0}}}
    )
    with pytest.warns(UserWarning, match="skipped"):
        whole, lazy = (samples.sample_set(images, profile, "S_100", lazy=lazy) for lazy in (False, True))
    assert isinstance(lazy.images, samples.LazyImages) and len(lazy) == 25 and lazy.skipped == whole.skipped
    np.testing.assert_array_equal(np.asarray(lazy.images), whole.images)
    np.testing.assert_array_equal(lazy.images[7], whole.images[7])
    np.testing.assert_array_equal(lazy.indices, whole.indices)

"""Streamed training: the same as from memory, on two devices, in mixed precision, resumed, with a log."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from test_training import TINY, images, root  # noqa: F401

from unitnb.images import samples
from unitnb.networks import feeds, trained, training
from unitnb.profiles import Recipe, load_profile

STREAMED = {**TINY, "streamed": True}
# In a process of its own, since logical devices are set before TensorFlow starts: train whole, then break off
# after epoch 2 and go on.
TWO_DEVICES = """
import json, sys
from pathlib import Path
import unitnb, keras, numpy as np, tensorflow as tf
from test_training import images
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from unitnb.networks import training
from unitnb.profiles import load_profile
profile = load_profile("cifar10", json.loads(sys.argv[1]))
source = images.__wrapped__()
training.train_model(profile, "A", source, Path("whole"))
Path("build").rename("build-whole")
checkpoint = training._checkpoint
def interrupted(network, work, rows, head):
    checkpoint(network, work, rows, head)
    if rows[-1]["epoch"] == 2:
        replicas = network.distribute_strategy.num_replicas_in_sync
        print("replicas", replicas, type(network.weights[0].value).__name__)
        raise KeyboardInterrupt
training._checkpoint = interrupted
try:
    training.train_model(profile, "A", source, Path("resumed"))
except KeyboardInterrupt:
    training._checkpoint = checkpoint
training.train_model(profile, "A", source, Path("resumed"))
"""


def log_of(folder):
    return trained.read_log(Path(folder) / "A.csv")


def losses(folder):
    return [
        [row[name] for name in ("loss", "accuracy", "test_loss", "test_accuracy")] for row in log_of(folder)
    ]


def feed_of(profile, source, indices):
    labels, test = source.labels["train"][indices], (np.arange(4), source.labels["test"][:4])
    return feeds.StreamedFeed(profile, source, (indices, labels), test, indices, labels)


def test_streamed_training_is_training_from_memory(root, images):  # noqa: F811
    for streamed in (False, True):
        training.train_model(
            load_profile("cifar10", {**TINY, "streamed": streamed}), "A", images, root / str(streamed)
        )
    assert np.allclose(losses(root / "True"), losses(root / "False"), atol=2e-4)  # logs have four digits
    assert losses(root / "True")[-1][0] < losses(root / "True")[0][0]


@pytest.mark.long
def test_two_devices_train_together_and_a_resumed_run_gives_the_same_losses(root, images):  # noqa: F811
    settings = {**STREAMED, "models": {"A": {**TINY["models"]["A"], "dropout": 0.5}}}
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}
    run = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, json.dumps(settings)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "replicas 2 MirroredVariable" in run.stdout
    told = [run.stdout.count(f"epoch {epoch}/3") for epoch in (1, 2, 3)]
    assert told == [2, 1, 2]  # broken off before it could tell of epoch 2, which was not trained again
    assert np.allclose(losses(root / "resumed"), losses(root / "whole"), atol=2e-4)
    assert losses(root / "whole")[-1][0] < losses(root / "whole")[0][0]


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_computes_in_halves_and_keeps_weights_and_logits_whole(root, images, precision):  # noqa: F811
    profile = load_profile(
        "cifar10",
        {**STREAMED, "precision": precision, "architecture": "vgg16", "width": 0.05, "layer": "block5_conv3"},
    )
    indices = np.arange(16)
    feed = feed_of(profile, images, indices)
    with feed.scope():
        network = training._compiled(profile, profile.recipe("A"), 2)
    assert keras.config.dtype_policy().name == "float32"
    conv = network.get_layer("block3_conv1")
    assert conv.compute_dtype == precision.removeprefix("mixed_") and conv.kernel.dtype == "float32"
    assert (
        network.get_layer("standardize").compute_dtype
        == network.get_layer("predictions").compute_dtype
        == "float32"
    )
    before = conv.kernel.numpy()
    feed.fit(network, np.arange(16), 8, verbose=0)
    logits, labels = feed.logits(network, "test_")
    assert logits.dtype == np.float32 and np.isfinite(logits).all() and labels.tolist() == [0, 1, 0, 1]
    assert not np.allclose(conv.kernel.numpy(), before)
    with pytest.raises(ValueError, match="unknown precision 'float8'"):
        feed_of(replace(profile, precision="float8"), images, indices)


def test_batches_come_in_order_and_an_unreadable_image_counts_for_nothing(images):  # noqa: F811
    def read(split, index):
        if index == 5:
            raise samples.UnreadableImageError("train/5 (cut short)")
        return images.read(split, index)

    source = replace(images, read=read)
    profile = load_profile("cifar10", STREAMED)
    indices = np.array([9, 5, 2, 7, 3])
    feed = feed_of(profile, source, indices)
    batches = list(feed.batches("train", (indices, np.arange(5)), 2).as_numpy_iterator())
    assert [labels.tolist() for _, labels, _ in batches] == [[0, 1], [2, 3], [4]]
    assert [weights.tolist() for *_, weights in batches] == [[1, 0], [1, 1], [1]]
    np.testing.assert_array_equal(batches[1][0], np.stack([images.read("train", 2), images.read("train", 7)]))
    assert len(list(feed.batches("train", (indices, np.arange(5)), 2, whole=True))) == 2

    network = training._compiled(profile, profile.recipe("A"), 2)
    feed.skipped.clear()
    with pytest.warns(UserWarning, match="skipped 1 unreadable image.*train/5"):
        logits, labels = feed.logits(network, "")
    assert labels.tolist() == [1, 0, 1, 1]
    assert np.allclose(logits[0], network(images.read("train", 9)[None])[0], atol=1e-5)
    strict = feed_of(replace(profile, strict=True), source, indices)
    with pytest.raises(samples.UnreadableImageError, match="train/5"):
        strict.fit(network, np.arange(5), 5, verbose=0)


def test_the_log_is_written_for_tensorboard(tmp_path):
    import tensorflow as tf

    for epoch, loss in ((1, 2.5), (2, 1.5)):
        feeds.write_scalars(tmp_path, {"epoch": epoch, "loss": loss})
    records = [
        record.numpy()
        for path in sorted(tmp_path.glob("events*"))
        for record in tf.data.TFRecordDataset(str(path))
    ]
    events = [tf.compat.v1.Event.FromString(record) for record in records]
    values = [(event.step, value) for event in events for value in event.summary.value]
    assert sorted((step, value.tag, float(tf.make_ndarray(value.tensor))) for step, value in values) == [
        (1, "loss", 2.5),
        (2, "loss", 1.5),
    ]
    assert {value.metadata.plugin_data.plugin_name for _, value in values} == {"scalars"}


def test_the_step_size_falls_where_the_test_accuracy_stands_still():
    recipe = Recipe(74, learning_rate=0.01, drops=3, patience=2)
    stands = [0.1, 0.3, 0.3, 0.2]  # no new best for two epochs
    assert recipe.step_size(5, stands[:3]) == 0.01 and recipe.step_size(5, stands) == pytest.approx(0.001)
    assert recipe.step_size(9, [*stands, 0.4, 0.3, 0.3]) == pytest.approx(0.0001)
    assert recipe.step_size(40, [0.1] * 30) == pytest.approx(0.00001)  # three times, not more
    assert Recipe(74).step_size(40, [0.1] * 30) == 0.01

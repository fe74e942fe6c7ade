"""The end of a VGG on frozen features: made-up photographs, and a front with random weights."""

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from test_imagenette import write_imagenette

import unitnb
from unitnb.controls import smaller_networks
from unitnb.files import store
from unitnb.images import samples, sources
from unitnb.networks import frozen, trained, training
from unitnb.networks.efficientnet_lite import efficientnet_lite0
from unitnb.profiles import load_profile

SIZE = 64  # pixels; maps of 8x8 behind block 3
RECIPE = {"epochs": 2, "batch_size": 4, "learning_rate": 0.002, "fraction": 1.0, "parts": 2, "dropout": 0.5}
SMALL = {
    "image_size": SIZE,
    "widths": [6, 6, 5],
    "dense": 8,
    "held_out": 0.25,
    "n_evaluated": 9,
    "models": {"A": RECIPE},
}


def front_of_random_weights(image_size):
    """The same at every call, as a pretrained network is; features of a standard deviation near 3."""
    keras.utils.set_random_seed(0)
    network = efficientnet_lite0(image_size)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(layer.moving_variance * 0.1)
    return network


def use_root(patch, root):
    (root / "notebooks").symlink_to(Path(unitnb.__file__).parents[1] / "notebooks")
    patch.setenv("UNITNB_ROOT", str(root))
    patch.delenv("UNITNB_DATA", raising=False)
    patch.setattr(frozen, "load_efficientnet_lite0", front_of_random_weights)
    frozen._known_features.cache_clear()
    return root


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return write_imagenette(tmp_path_factory.mktemp("photographs"))


@pytest.fixture(scope="module")
def done(photographs, tmp_path_factory):
    """Profile, images and root of a training that was not interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        root = use_root(patch, tmp_path_factory.mktemp("root"))
        frozen.frozen_front.cache_clear()
        profile = load_profile("imagenette-vgg-block", {**SMALL, "data": str(photographs)})
        images = unitnb.open_images(profile)
        training.train_model(profile, "A", images)
        yield profile, images, root
    frozen.frozen_front.cache_clear()


def some_images(images, count=4):
    return np.stack([images.read("train", index) for index in range(count)])


def test_validation_images_and_a_share_of_the_others_are_test_images(photographs):
    profile = load_profile("imagenette-vgg-block", {"data": str(photographs), "held_out": 0.25})
    images = unitnb.open_images(profile)
    assert images.classes == ("tench", "cassette_player", "garbage_truck") == sources.class_names(profile)
    assert (images.class_labels, images.n_outputs) == ((0, 1, 2), 3)
    names = {
        split: [images.name(split, index) for index in range(len(labels))]
        for split, labels in images.labels.items()
    }
    assert np.bincount(images.labels["train"]).tolist() == [6, 6, 6]
    assert np.bincount(images.labels["test"]).tolist() == [7, 7, 7]
    assert not set(names["train"]) & set(names["test"]) and len({*names["train"], *names["test"]}) == 39
    assert all("ILSVRC2012_val" not in name for name in names["train"])
    assert sum("ILSVRC2012_val" in name for name in names["test"]) == 15
    wnids = ["n01440764", "n02979186", "n03417042"]
    assert all(
        wnids[label] in name
        for label, name in zip(images.labels["test"], names["test"], strict=True)
        if "ILSVRC2012_val" not in name
    )
    again = unitnb.open_images(
        load_profile("imagenette-vgg-block", {"data": str(photographs), "held_out": 0.25})
    )
    assert [again.name("test", index) for index in range(21)] == names["test"]


def test_a_given_network_still_has_imagenets_thousand_labels(photographs):
    images = unitnb.open_images(load_profile("imagenette", {"data": str(photographs)}))
    assert (images.class_labels, images.n_outputs) == ((0, 482, 569), 1000)
    assert {split: len(labels) for split, labels in images.labels.items()} == {"train": 24, "test": 15}


def test_only_the_block_is_trained_and_stored_and_the_whole_network_takes_photographs(done):
    profile, images, root = done
    arrays, meta = store.read_npz(trained.weights_folder(profile) / "A.npz")
    assert {name.split("/")[0] for name in arrays} == {
        "block5_conv1", "block5_conv2", "block5_conv3", "fc1", "logits",
    }  # fmt: skip
    assert (meta["cut"], meta["n_classes"]) == ("block3b_add", 3)
    network = trained.load_model(profile)
    front = front_of_random_weights(SIZE)
    for name in ("stem_conv", "stem_bn", "block2a_dwconv", "block3b_project_bn"):
        mine, its = (net.get_layer(name).get_weights() for net in (network, front))
        assert len(mine) > 0 and all(np.array_equal(a, b) for a, b in zip(mine, its, strict=True))
    assert network.output_shape == (None, 3) and network.input_shape == (None, SIZE, SIZE, 3)
    test = np.stack([images.read("test", index) for index in range(len(images.labels["test"]))])
    drawn = np.random.default_rng(3).permutation(len(test))[:9]  # as training draws them
    answers = network.predict(test[drawn], verbose=0).argmax(axis=1)
    accuracy = (answers == images.labels["test"][drawn]).mean()
    assert accuracy == pytest.approx(trained.training_log(profile)["test_accuracy"][-1], abs=1 / 9 + 1e-3)


def test_parts_of_the_first_epoch_are_kept_beside_whole_epochs(done):
    profile, images, _ = done
    log = trained.training_log(profile)
    assert log["epoch"].tolist() == [0, 0.5, 1, 2]
    some = some_images(images)
    maps = [trained.epoch_maps(profile, epoch, some) for epoch in log["epoch"]]
    assert all(not np.array_equal(a, b) for a, b in zip(maps, maps[1:], strict=False))
    split = unitnb.open_layer(profile)
    assert (split.layer, split.map_shape, split.engine) == ("block5_conv3", (8, 8, 5), "running-sum")
    np.testing.assert_allclose(maps[-1], split.feature_maps(some), atol=1e-3)
    with pytest.raises(ValueError, match=r"no epoch 0.25: did you mean '.*'\? known: 0, 0.5, 1, 2"):
        trained.epoch_maps(profile, 0.25, some)


def test_a_run_interrupted_within_the_first_epoch_goes_on_with_the_same_losses(
    done, tmp_path, monkeypatch, interrupted_after
):
    profile, images, root = done
    whole = trained.weights_folder(profile) / "A.csv"
    use_root(monkeypatch, tmp_path)
    shutil.copytree(root / "build" / "cache", tmp_path / "build" / "cache")
    with interrupted_after(0.5):
        training.train_model(profile, "A", images)
    training.train_model(profile, "A", images)
    lines = [path.read_text().splitlines() for path in (whole, trained.weights_folder(profile) / "A.csv")]
    assert [line.rpartition(",")[0] for line in lines[0]] == [line.rpartition(",")[0] for line in lines[1]]


def test_features_are_computed_once(done, tmp_path, monkeypatch):
    profile, images, root = done
    use_root(monkeypatch, tmp_path)
    shutil.copytree(root / "build", tmp_path / "build")
    monkeypatch.setattr(frozen, "_features", lambda *_: pytest.fail("computed again"))
    training._feed(profile, images, *samples.training_set(images, profile, "A"))
    others = np.stack([images.read("train", index) for index in range(8, 12)])  # only training has seen them
    assert unitnb.open_layer(profile).feature_maps(others).shape == (4, 8, 8, 5)
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        unitnb.open_layer(profile).feature_maps(np.flip(others, axis=2))


def test_kept_features_give_the_maps_that_the_whole_head_gives(done, tmp_path):
    profile, images, _ = done
    split, some = unitnb.open_layer(profile), some_images(images, 6)
    expected = np.asarray(split.head(some, training=False))
    for _ in range(2):  # computed and kept, then found again
        frozen._known_features.cache_clear()
        np.testing.assert_allclose(frozen.head_maps(split.head, some, tmp_path), expected, atol=2e-3)
    assert len(list(tmp_path.glob("features-*.npz"))) == 1
    other = np.flip(some, axis=2)
    assert not np.allclose(frozen.head_maps(split.head, other, tmp_path), expected, atol=2e-3)
    assert len(list(tmp_path.glob("features-*.npz"))) == 2


def test_features_of_another_front_are_not_taken_for_these(done, tmp_path, monkeypatch):
    profile, images, _ = done
    some = some_images(images)
    first = frozen.head_maps(unitnb.open_layer(profile).head, some, tmp_path)

    def other(image_size):
        network = front_of_random_weights(image_size)
        network.set_weights([weight * 1.1 for weight in network.get_weights()])
        return network

    monkeypatch.setattr(frozen, "load_efficientnet_lite0", other)
    frozen.frozen_front.cache_clear()
    assert not np.allclose(
        frozen.head_maps(unitnb.open_layer(profile).head, some, tmp_path), first, atol=1e-3
    )


def test_a_network_from_nothing_keeps_the_frozen_front(done):
    profile, images, _ = done
    model, some = trained.load_model(profile), some_images(images, 8)
    fresh = smaller_networks.from_nothing(model, some, images.labels["train"][:8], epochs=1)
    fronts = [frozen.front_and_rest(network)[0].get_weights() for network in (model, fresh)]
    assert all(np.array_equal(mine, its) for mine, its in zip(*fronts, strict=True))
    kernels = [np.asarray(network.get_layer("block5_conv1").kernel) for network in (model, fresh)]
    assert not np.allclose(*kernels, atol=1e-2)
    outputs = smaller_networks.outputs_of(fresh, some)
    assert outputs.shape == (8, 3) and not np.allclose(outputs, smaller_networks.outputs_of(model, some))


def test_a_cut_that_is_no_layer_is_named(done, monkeypatch):
    monkeypatch.setattr(frozen, "load_efficientnet_lite0", front_of_random_weights)
    with pytest.raises(ValueError, match="no layer 'block3b_ad' with maps: did you mean 'block3b_add'"):
        frozen.vgg_block(cut="block3b_ad", image_size=SIZE)

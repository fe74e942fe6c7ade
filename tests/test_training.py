import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unitnb.files import store
from unitnb.images import samples, sources
from unitnb.networks import trained as networks
from unitnb.networks import training
from unitnb.profiles import load_profile

TINY = {
    "source": "folder", "target_class": "a", "widths": [8, 8, 6], "dense": 16,
    "models": {"A": {"epochs": 3, "fraction": 1.0, "learning_rate": 0.02, "batch_size": 16, "cosine": False}},
}  # fmt: skip


def use_root(patch, folder):
    (folder / "notebooks").symlink_to(Path(training.__file__).parents[2] / "notebooks")
    patch.setenv("UNITNB_ROOT", str(folder))


@pytest.fixture
def root(monkeypatch, tmp_path):
    use_root(monkeypatch, tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def images():
    """Two classes that differ in how bright the left half is."""
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    pixels = rng.integers(0, 60, (80, 32, 32, 3), dtype=np.uint8)
    pixels[labels == 1, :, :16] += 150
    return samples.from_arrays("ab", {"train": (pixels, labels), "test": (pixels[:20], labels[:20])})


@pytest.fixture(scope="module")
def trained(images, tmp_path_factory):
    """A profile whose model A has been trained, and the project's root."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        use_root(patch, folder)
        profile = load_profile("cifar10", TINY)
        training.train_model(profile, "A", images)
        yield profile, folder


def test_training_learns_and_what_is_written_loads(trained, images):
    profile, root = trained
    path = networks.weights_folder(profile) / "A.npz"
    log = networks.training_log(profile)
    assert path == root / "build" / "weights" / "cifar10" / "A.npz" and log["epoch"].tolist() == [0, 1, 2, 3]
    assert log["loss"][-1] < log["loss"][0] and log["accuracy"][-1] > 0.9
    logits = networks.load_model(profile).predict(
        np.stack([images.read("test", i) for i in range(20)]), verbose=0
    )
    assert np.mean(logits.argmax(1) == images.labels["test"]) == pytest.approx(
        log["test_accuracy"][-1], abs=0.051
    )


def test_the_maps_of_the_last_epoch_are_the_models_and_of_the_first_are_not(trained, images):
    profile, _ = trained
    some = np.stack([images.read("train", i) for i in range(4)])
    import keras

    model = networks.load_model(profile)
    maps = keras.Model(model.inputs[0], model.get_layer(profile.layer).output).predict(some, verbose=0)
    assert maps.shape == (4, 14, 14, 6)
    assert np.allclose(networks.epoch_maps(profile, 3, some), maps, atol=1e-5)
    assert not np.allclose(networks.epoch_maps(profile, 0, some), maps, atol=1e-2)
    with pytest.raises(ValueError, match="no epoch 7: known: 0, 1, 2, 3"):
        networks.epoch_maps(profile, 7, some)


@pytest.mark.parametrize(
    "damage", [pytest.param("none", marks=pytest.mark.long), "last checkpoint cut short"]
)
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    root, images, monkeypatch, interrupted_after, damage
):
    profile = load_profile("cifar10", {**TINY, "models": {"A": {**TINY["models"]["A"], "dropout": 0.5}}})
    whole = store.read_npz(training.train_model(profile, "A", images, root / "whole"))[0]
    shutil.rmtree(root / "build")
    with interrupted_after(2):
        training.train_model(profile, "A", images, root / "resumed")
    assert not (root / "resumed").exists()
    assert {path.name for path in (root / "build" / "training").glob("*/*.h5")} == {
        f"epoch-00{n}.weights.h5" for n in (1, 2)
    }
    if damage != "none":
        last = next((root / "build" / "training").glob("*/epoch-002.weights.h5"))
        last.write_bytes(last.read_bytes()[:3000])
        with pytest.warns(UserWarning, match="epoch-002.weights.h5 cannot be read.*going back one epoch"):
            training.train_model(profile, "A", images, root / "resumed")
    fits = []
    fit = training._fit_one
    monkeypatch.setattr(training, "_fit_one", lambda *args: (fits.append(args[3]), fit(*args)))
    resumed = store.read_npz(training.train_model(profile, "A", images, root / "resumed"))[0]
    assert fits == ([3] if damage == "none" else [])
    assert all(np.allclose(resumed[name], whole[name], atol=1e-3) for name in whole)


def test_a_finished_model_is_not_trained_again(trained, images, monkeypatch, capsys):
    profile, _ = trained
    monkeypatch.setattr(training, "_fit_one", lambda *_: pytest.fail("trained again"))
    training.train_model(profile, "A", images)
    assert "trained already" in capsys.readouterr().out


def test_weights_that_are_missing_cut_short_or_of_another_size_are_named(trained, root):
    profile, folder = trained
    with pytest.raises(FileNotFoundError, match="make train PROFILE=cifar10 DATA="):
        networks.load_model(profile)
    shutil.copytree(folder / "build" / "weights", root / "build" / "weights")
    path = networks.weights_folder(profile) / "A.npz"
    with pytest.raises(ValueError, match="the profile asks for"):
        networks.load_model(load_profile("cifar10", {**TINY, "dense": 9}))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(store.DamagedFileError, match="A.npz is damaged"):
        networks.load_model(profile)


def as_shipped(profile, folder, monkeypatch, root, classes="ab"):
    """A model A that is shipped in the package, not trained here, and images in folders of its classes."""
    arrays, meta = store.read_npz(folder / "build" / "weights" / "cifar10" / "A.npz")
    store.write_npz(root / "package" / "cifar10" / "A.npz", arrays, meta)
    shutil.copy(folder / "build" / "weights" / "cifar10" / "A.csv", root / "package" / "cifar10")
    monkeypatch.setattr(networks, "SHIPPED", root / "package")
    for name in classes:
        (root / "images" / "train" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(root / "images" / "train" / name / "0.png")
    return replace(profile, data="images")


def test_shipped_weights_are_read_where_none_were_trained_and_their_epoch_0_is_where_training_starts(
    trained, root, monkeypatch
):
    profile, folder = trained
    some = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNITNB_ROOT", str(folder))
        expected, logits = (
            networks.epoch_maps(profile, 0, some),
            networks.load_model(profile).predict(some, verbose=0),
        )
    profile = as_shipped(profile, folder, monkeypatch, root)
    assert np.array_equal(networks.load_model(profile).predict(some, verbose=0), logits)
    assert np.array_equal(networks.epoch_maps(profile, 0, some), expected)
    assert networks.training_log(profile)["epoch"].tolist() == [0, 1, 2, 3]
    with pytest.raises(
        networks.NotTrainedError, match="A-epochs.npz; make them with: make train PROFILE=cifar10"
    ):
        networks.epoch_maps(profile, 2, some)
    trained_here = networks.weights_folder(profile) / "A.npz"
    store.write_npz(trained_here, {}, {})
    assert networks.weights_file(profile, "A") == trained_here


def test_shipped_weights_are_not_for_images_of_other_classes(trained, root, monkeypatch):
    profile, folder = trained
    profile = as_shipped(profile, folder, monkeypatch, root, classes="abc")
    with pytest.raises(
        networks.NotTrainedError, match="build/weights/cifar10/A.npz; make them with: make train"
    ):
        networks.load_model(profile)
    assert networks.trained_models(profile) == (list("ABCD"), "") and not networks.is_there(profile, "A")


def shipped(model):
    profile = load_profile("shapes")
    return profile, store.read_npz(networks.weights_folder(profile) / f"{model}.npz")[1]


@pytest.mark.parametrize("model", ["A", "B", "C", "D"])
def test_shipped_weights_were_made_by_the_recipe_that_the_profile_states(model):
    profile, meta = shipped(model)
    assert training.Recipe(**meta["recipe"]) == profile.recipe(model) and meta["model"] == model
    assert len(networks.training_log(profile, model)["epoch"]) == profile.recipe(model).epochs + 1


def test_shipped_weights_are_small_and_reach_what_the_log_says():
    profile, _ = shipped("A")
    assert sum(path.stat().st_size for path in networks.SHIPPED.glob("*/*")) < 10e6
    images = sources.open_images(profile)
    some = np.random.default_rng(0).permutation(len(images.labels["test"]))[:1000]
    logits = networks.load_model(profile).predict(
        np.stack([images.read("test", i) for i in some]), batch_size=250, verbose=0
    )
    assert np.mean(logits.argmax(1) == images.labels["test"][some]) == pytest.approx(
        networks.training_log(profile)["test_accuracy"][-1], abs=0.04
    )


@pytest.mark.long
def test_a_first_stretch_trained_anew_follows_the_shipped_log(root):
    profile, _ = shipped("D")
    profile = replace(profile, n_evaluated=1000)
    log = networks.training_log(profile, "D")
    images = sources.open_images(profile)
    recipe = profile.recipe("D")
    indices, assigned_labels = samples.training_set(images, profile, "D")
    feed = training._feed(profile, images, indices, assigned_labels)
    network = training._compiled(profile, recipe, images.n_outputs)
    start = training._evaluate(network, feed)["loss"]
    training._fit_one(network, feed, recipe, 1, len(assigned_labels))
    assert start == pytest.approx(log["loss"][0], rel=0.05)
    assert training._evaluate(network, feed)["loss"] == pytest.approx(log["loss"][1], rel=0.1)

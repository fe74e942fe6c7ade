import pickle
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

import unitnb
from unitnb.figures import provenance
from unitnb.files.store import DamagedFileError
from unitnb.networks import pretrained, trained
from unitnb.notebooks.run import run
from unitnb.profiles import load_profile

SMALL = {
    "image_size": 32,
    "layer": "block3_conv3",
}  # the true architecture on small images: a quarter of the weights


@pytest.fixture(scope="module")
def network():
    """Keras's own VGG16 for small images, with biases that differ."""
    keras.utils.set_random_seed(3)
    made = keras.applications.VGG16(
        weights=None, input_shape=(32, 32, 3), classes=1000, classifier_activation=None
    )
    for number, layer in enumerate(layer for layer in made.layers if layer.weights):
        layer.bias.assign(np.full(layer.bias.shape, 0.01 * number, "float32"))
    return made


@pytest.fixture(scope="module")
def files(network, tmp_path_factory):
    """Its weights in both of Keras's formats."""
    folder = tmp_path_factory.mktemp("weights")
    with h5py.File(folder / "old.h5", "w") as file:
        save_weights_to_hdf5_group(file, network)
    network.save_weights(folder / "new.weights.h5")
    return folder


@pytest.fixture(scope="module")
def empty():
    """A network to load into."""
    return pretrained.keras_vgg16(32)


@pytest.fixture
def root(monkeypatch, tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "profiles").symlink_to(
        unitnb.profiles.Path(unitnb.__file__).parents[1] / "notebooks" / "profiles"
    )
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("UNITNB_WEIGHTS", raising=False)
    return tmp_path


def no_network(*arguments, **settings):
    raise OSError("URL fetch failure")


# ---- preprocessing ----


def test_preprocessing_is_keras_caffe_mode_and_leaves_the_images_alone():
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    for given in (images, images.astype("float32")):
        before = given.copy()
        found = np.asarray(pretrained.CaffePreprocessing()(given))
        assert np.array_equal(given, before)
        assert np.allclose(
            found, keras.applications.vgg16.preprocess_input(images.astype("float32")), atol=1e-4
        )
    assert np.allclose(
        pretrained.CaffePreprocessing()(np.array([[[[10.0, 20.0, 30.0]]]])),
        [30 - 103.939, 20 - 116.779, 10 - 123.68],
    )


def test_weights_ported_from_torchvision_have_their_scaling_and_kerass_do_not(root, files, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    monkeypatch.setenv("UNITNB_WEIGHTS", str(files / "new.weights.h5"))
    loaded = unitnb.load_model(load_profile("imagenet", {**SMALL, "scaling": "torch"}), "A")
    expected = keras.applications.densenet.preprocess_input(images.astype("float32"))
    np.testing.assert_allclose(loaded.get_layer("preprocess")(images), expected, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(pretrained, "weights_path", lambda named: files / pretrained.FILE)
    with pytest.raises(ValueError, match="'torch' is not that of Keras's weights, which take 'caffe'"):
        unitnb.load_model(load_profile("imagenet", {**SMALL, "scaling": "torch"}), "A")


# ---- loading ----


@pytest.mark.parametrize("file", ["old.h5", "new.weights.h5"])
def test_both_formats_give_keras_network_on_grey_levels(root, network, files, file, monkeypatch):
    monkeypatch.setenv("UNITNB_WEIGHTS", str(files / file))
    loaded = unitnb.load_model(load_profile("imagenet", SMALL), "A")
    images = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    expected = network(keras.applications.vgg16.preprocess_input(images.astype("float32")), training=False)
    assert (
        np.allclose(loaded(images, training=False), expected, rtol=1e-4, atol=1e-5) and np.ptp(expected) > 0
    )
    split = unitnb.split_model(loaded, "block5_conv3")
    assert (split.n_units, split.n_classes, split.engine) == (512, 1000, "running-sum")


def test_layers_are_matched_by_order_not_by_name(network, empty, files, tmp_path):
    with h5py.File(files / "old.h5") as old, h5py.File(tmp_path / "renamed.h5", "w") as new:
        names = [name.decode() if isinstance(name, bytes) else name for name in old.attrs["layer_names"]]
        new.attrs["layer_names"] = [f"x{number}".encode() for number in range(len(names))]
        for number, name in enumerate(names):
            old.copy(name, new, f"x{number}")
    pretrained.load_weights(empty, tmp_path / "renamed.h5")
    assert all(np.array_equal(*pair) for pair in zip(empty.get_weights(), network.get_weights(), strict=True))


def test_a_profile_setting_or_the_environment_names_the_file(root, files, monkeypatch):
    named = load_profile("imagenet", {"weights": str(files / "old.h5")})
    assert pretrained.weights_path(named.pretrained) == files / "old.h5"
    monkeypatch.setenv("UNITNB_WEIGHTS", str(files / "new.weights.h5"))
    assert pretrained.weights_path(named.pretrained) == files / "new.weights.h5"
    assert (
        load_profile("shapes").pretrained == ""
    )  # a network trained here stays that, whatever the environment says


# ---- files that are missing or not what they should be ----


def test_offline_without_the_file_one_message_says_file_hash_and_folder(root, monkeypatch):
    monkeypatch.setattr(keras.utils, "get_file", no_network)
    with pytest.raises(FileNotFoundError) as caught:
        unitnb.load_model(load_profile("imagenet"), "A")
    said = str(caught.value)
    assert all(
        part in said
        for part in (
            pretrained.FILE,
            pretrained.MD5,
            str(root / "keras" / "models"),
            "URL fetch failure",
            "WEIGHTS=",
        )
    )


def test_keras_own_cache_is_used_when_its_hash_is_right_and_not_else(root, monkeypatch):
    kept = root / "keras" / "models" / pretrained.FILE
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"half of it")
    monkeypatch.setattr(keras.utils, "get_file", no_network)
    with pytest.raises(FileNotFoundError, match="has md5 .* and cannot be replaced"):
        pretrained.weights_path("imagenet")
    monkeypatch.setattr(pretrained, "MD5", pretrained.md5_of(kept))
    assert pretrained.weights_path("imagenet") == kept


def test_keras_downloads_into_its_cache_by_its_own_hash(root, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        keras.utils,
        "get_file",
        lambda *arguments, **settings: asked.update(settings, name=arguments[0]) or "/there",
    )
    assert str(pretrained.weights_path("imagenet")) == "/there"
    assert (asked["name"], asked["file_hash"], asked["cache_subdir"]) == (
        pretrained.FILE,
        pretrained.MD5,
        "models",
    )


def test_a_file_called_as_keras_must_have_its_hash(root, files):
    (root / pretrained.FILE).write_bytes((files / "old.h5").read_bytes()[:1000])
    with pytest.raises(
        DamagedFileError,
        match=f"expected {pretrained.MD5}.*if the weights are your own, give the file another name",
    ):
        pretrained.weights_path(str(root / pretrained.FILE))


def test_a_missing_path_is_named(root):
    with pytest.raises(FileNotFoundError, match="no weights at .*nowhere.h5"):
        pretrained.weights_path("nowhere.h5")


def first_kernel(file):
    return file["block1_conv1"]["block1_conv1"]


def external_link(file, folder):
    del file["block1_conv1"]
    file["block1_conv1"] = h5py.ExternalLink(str(folder / "old.h5"), "block1_conv1")


def soft_link(file, folder):
    file["again"] = h5py.SoftLink("/block1_conv1")


def external_data(file, folder):
    (folder / "raw").write_bytes(bytes(1728 * 4))
    del first_kernel(file)["kernel"]
    first_kernel(file).create_dataset(
        "kernel", (3, 3, 3, 64), "float32", external=[(str(folder / "raw"), 0, 1728 * 4)]
    )


def virtual_data(file, folder):
    del first_kernel(file)["kernel"]
    layout = h5py.VirtualLayout((3, 3, 3, 64), "float32")
    layout[:] = h5py.VirtualSource(str(folder / "old.h5"), "block1_conv1/block1_conv1/kernel", (3, 3, 3, 64))
    first_kernel(file).create_virtual_dataset("kernel", layout)


def terabyte(file, folder):
    del first_kernel(file)["kernel"]
    first_kernel(file).create_dataset("kernel", (10**6, 10**6), "uint8", chunks=(1000, 1000))


def other_shape(file, folder):
    del first_kernel(file)["kernel"]
    first_kernel(file)["kernel"] = np.zeros((5, 5, 3, 64), "float32")


def one_layer_less(file, folder):
    file.attrs["layer_names"] = file.attrs["layer_names"][:-1]


def not_a_number(file, folder):
    first_kernel(file)["kernel"][0, 0, 0, 0] = np.nan


def no_names(file, folder):
    del file.attrs["layer_names"]


def group_in_itself(file, folder):
    file["block1_conv1"]["again"] = file["/"]
    external_link(file, folder)


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (external_link, "is a link"), (soft_link, "is a link"), (external_data, "lie in other files"),
        (virtual_data, "lie in other files"), (no_names, "does not hold weights"),
        (group_in_itself, "is a link"),
        (other_shape, "does not hold weights"), (one_layer_less, "Layer count mismatch"),
        (not_a_number, "not finite, in .*block1_conv1"),
        (terabyte, "1,000,000,000,000 bytes is larger than the file"),
    ],
)  # fmt: skip
def test_a_hostile_or_foreign_file_is_refused(empty, files, tmp_path, alter, said):
    path = tmp_path / "altered.h5"
    path.write_bytes((files / "old.h5").read_bytes())
    with h5py.File(path, "a") as file:
        alter(file, files)
    with pytest.raises(DamagedFileError, match=said) as caught:
        pretrained.load_weights(empty, path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("file", ["old.h5", "new.weights.h5"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5])
def test_a_file_cut_short_is_damaged(empty, files, tmp_path, file, share):
    content = (files / file).read_bytes()
    (tmp_path / file).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DamagedFileError, match=file):
        pretrained.load_weights(empty, tmp_path / file)


class Touch:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_files_that_hold_code_are_refused_and_run_none(empty, tmp_path, monkeypatch):
    """Pickles called weights, and whole models with a lambda layer, in Keras's old format and its new one."""
    mark = tmp_path / "touched"
    for name in ("pickle.h5", "pickle.weights.h5", "pickle.npz", "pickle.pkl"):
        (tmp_path / name).write_bytes(pickle.dumps(Touch(mark)))
    monkeypatch.setenv("MARK", str(mark))  # what the file keeps is the code alone
    touch = keras.layers.Lambda(lambda images: open(__import__("os").environ["MARK"], "w").close() or images)
    touching = keras.Sequential([keras.Input((32, 32, 3)), touch])
    for name in ("lambda.h5", "lambda.keras"):
        touching.save(tmp_path / name)
    mark.unlink()  # it has run when the model was made
    for path in sorted(path for path in tmp_path.iterdir() if path.name != "touched"):
        with pytest.raises(DamagedFileError, match=path.name):
            pretrained.load_weights(empty, path)
        assert not mark.exists(), path


def test_another_ending_is_refused(empty, tmp_path):
    (tmp_path / "model.keras").write_bytes(b"x")
    with pytest.raises(DamagedFileError, match=r"expected .weights.h5"):
        pretrained.load_weights(empty, tmp_path / "model.keras")


# ---- what has to be trained first ----


def test_other_models_and_epochs_say_what_they_need(root):
    profile = load_profile("imagenet", SMALL)
    assert trained.trained_models(profile)[0] == ["A"]
    needed = trained.trained_models(profile)[1]
    assert "models B, C, D" in needed and "unitnb train --profile imagenet --models B C D" in needed
    for call in (
        lambda: unitnb.load_model(profile, "B"),
        lambda: unitnb.epoch_maps(profile, 1, np.zeros((1, 32, 32, 3), "uint8")),
        lambda: unitnb.training_log(profile),
    ):
        with pytest.raises(trained.NotTrainedError, match="unitnb train --profile imagenet --models [AB]$"):
            call()
    with pytest.raises(trained.NotTrainedError, match="VGG16 came without its training"):
        unitnb.training_log(load_profile("imagenette-vgg16"))  # whose only recipe has no epochs
    shapes = load_profile("shapes")
    assert trained.trained_models(shapes) == (["A", "B", "C", "D"], "")


def test_epoch_0_of_a_pretrained_network_is_the_architecture_with_random_weights(root):
    profile = load_profile("imagenet", SMALL)
    images = np.random.default_rng(2).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    first, again = (unitnb.epoch_maps(profile, 0, images) for _ in range(2))
    assert first.shape == (2, 8, 8, 256) and np.array_equal(first, again) and (first > 0).any()


def test_figures_record_the_weights_and_the_filter(root, files):
    profile = load_profile("imagenet", {"weights": str(files / "old.h5")})
    found = provenance.origin(profile)
    assert found["images"]["interpolation"] == "nearest" and "settings" in found
    assert found["networks"] == {"A": pretrained.describe_weights(profile)}
    assert (
        pretrained.describe_weights(profile)
        == f"old.h5, md5 {pretrained.md5_of(files / 'old.h5')}, of your own"
    )


HEADER = (
    (unitnb.profiles.Path(unitnb.__file__).parents[1] / "notebooks" / "02_training.py")
    .read_text()
    .split("# %%")[0]
)
NEEDS = """# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
if profile == "imagenet":
    raise type("NotTrainedError", (FileNotFoundError,), {})("no log of A: unitnb train")
"""


def test_a_notebook_that_needs_training_first_is_not_measured_and_no_failure(root, capsys):
    from unitnb import cli
    from unitnb.claims import verdicts

    source = root / "notebooks" / "02_training.py"
    source.write_text(HEADER + NEEDS)
    target = root / "build" / "runs" / "imagenet" / "hognose_snake" / "02_training.ipynb"
    assert cli.main(["run", str(source), str(target), "--profile", "imagenet"]) == 0
    assert "s; not measured: no log of A: unitnb train" in capsys.readouterr().out
    assert (
        "NotTrainedError" in target.read_text() and "unitnb train" in target.with_suffix(".needs").read_text()
    )
    entries = {entry["id"]: entry for entry in verdicts.load_claims(load_profile("imagenet"))}
    assert (
        entries["C10"]["verdict"] == "not measured" and entries["C10"]["why"] == "no log of A: unitnb train"
    )
    assert run(source, target, {}) == "" and not target.with_suffix(".needs").exists()


def test_the_same_error_of_a_profile_whose_first_network_is_not_there_is_a_failure(root):
    source = root / "notebooks" / "02_training.py"
    source.write_text(HEADER + NEEDS.replace('== "imagenet"', '== "cifar10"'))
    with pytest.raises(RuntimeError, match="02_training.py failed in cell 3: NotTrainedError"):
        run(source, root / "x.ipynb", {"profile": "cifar10"})
    assert not (root / "x.ipynb").exists() and not (root / "x.needs").exists()

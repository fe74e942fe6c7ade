"""A model of one's own: read from Keras's files, fitted to a folder of images, analysed in one call."""

import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import unitnb
from unitnb import cli
from unitnb.figures.fig3_ablation import ablation_figure
from unitnb.files.model_files import image_shape, output_count
from unitnb.files.store import DamagedFileError
from unitnb.images.parameters import notebook_parameters
from unitnb.networks.given import opening_words
from unitnb.networks.saved import load_saved, scaled
from unitnb.notebooks import preflight
from unitnb.profiles import load_profile

L = keras.layers
# An untrained network is at chance.
pytestmark = pytest.mark.filterwarnings("ignore:accuracy on", "ignore:the network gives")
CLASSES = ("cat", "frog", "ship")


def network(n_classes=3, side=16):
    keras.utils.set_random_seed(3)
    layers = [
        L.RandomFlip(),
        L.Rescaling(1 / 255),
        L.Conv2D(6, 3, activation="relu", name="conv5"),
        L.GlobalMaxPooling2D(),
    ]
    return keras.Sequential([keras.Input((side, side, 3)), *layers, L.Dense(n_classes, activation="softmax")])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model's file beside a folder of photographs, brighter from class to class."""
    folder = tmp_path_factory.mktemp("own")
    network().save(folder / "my.keras")
    rng = np.random.default_rng(0)
    for split, count in (("train", 34), ("test", 12)):
        for number, name in enumerate(CLASSES):
            (folder / "photos" / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 60, (16, 16, 3)) + 90 * number
                Image.fromarray(pixels.astype(np.uint8)).save(folder / "photos" / split / name / f"{i}.png")
    return folder


def asked(place, **overrides):
    settings = {"network": str(place / "my.keras"), "data": str(place / "photos"), **overrides}
    return {"profile": "own", "target_class": "frog", "seed": 0, "overrides": settings}


# ---- files ----


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_saved_model_is_read_with_the_size_of_its_images_and_its_outputs(tmp_path, ending):
    path = tmp_path / f"model{ending}"
    network().save(path)
    images = np.random.default_rng(1).integers(0, 256, (4, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(
        load_saved(path)(images, training=False), network()(images, training=False), atol=1e-6
    )
    assert image_shape(path) == (16, 16, 3) and output_count(path) == 3


def test_a_file_of_keras_2_is_read():
    """Made by tf-keras 2.21: Rescaling, Conv2D, MaxPooling2D, Flatten, Dense; with what it gave for one
    image.
    """
    path = Path(__file__).parent / "keras2.h5"
    image = np.arange(12 * 12 * 3, dtype="float32").reshape(1, 12, 12, 3) % 256
    model = load_saved(path)
    np.testing.assert_allclose(model(image), [[0.12080703, 0.04177161, 0.83742136]], atol=1e-5)
    assert image_shape(path) == (12, 12, 3) and unitnb.split_model(model, "conv").map_shape == (10, 10, 4)


def test_what_is_no_model_is_refused_in_a_sentence(tmp_path):
    model = network()
    model.save_weights(tmp_path / "a.weights.h5")
    (tmp_path / "a.weights.h5").rename(tmp_path / "only.h5")
    model.save_weights(tmp_path / "a.weights.h5")
    (tmp_path / "text.keras").write_text("no model")
    (tmp_path / "text.h5").write_text("no model")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    (tmp_path / "model.pt").write_bytes(b"")
    for name, words in {
        "a.weights.h5": "weights alone",
        "only.h5": "weights alone",
        "text.keras": "cannot be read as a Keras model",
        "text.h5": "cannot be read as a Keras model",
        "saved": "a SavedModel, which Keras 3 does not read",
        "model.pt": "no model by its ending",
    }.items():
        with pytest.raises(DamagedFileError, match=words):
            load_saved(tmp_path / name)
    with pytest.raises(
        FileNotFoundError, match="no model at .*; it holds the models a.weights.h5, only.h5, text"
    ):
        load_saved(tmp_path / "none.keras")


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_code_in_a_file_is_not_run(tmp_path, ending):
    path, ran = tmp_path / f"model{ending}", tmp_path / "ran"
    code = f"lambda x: (__import__('pathlib').Path({str(ran)!r}).touch(), x)[1]"
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), L.Lambda(eval(code), name="sly"), L.Flatten(), L.Dense(2)]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    ran.unlink()
    with pytest.raises(
        DamagedFileError, match="the Lambda layer 'sly', which is code from the file and is not run"
    ):
        load_saved(path)
    assert not ran.exists()


@pytest.mark.parametrize("scaling", ["none", "unit", "tf", "torch", "caffe"])
def test_scaling_is_that_of_keras_applications(scaling):
    images = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 3)).astype("float32")
    model = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(2, 3, name="conv"), L.Flatten()])
    if scaling in ("none", "unit"):
        expected = images / (255 if scaling == "unit" else 1)
    else:
        preprocess = {"tf": "mobilenet_v2", "torch": "densenet", "caffe": "vgg16"}[scaling]
        expected = getattr(keras.applications, preprocess).preprocess_input(images.copy())
    np.testing.assert_allclose(scaled(model, scaling)(images), model(expected), rtol=1e-4, atol=1e-4)


# ---- with a folder of images ----


def test_the_profile_takes_name_size_and_sample_sets_from_what_there_is(place, capsys):
    p = notebook_parameters(asked(place))
    assert (p.name, p.target_class, p.image_size, list(p.models), p.layer) == ("my", "frog", 16, ["A"], "")
    assert (p.n_rank, p.n_large, p.n_validation) == (17, 34, 12)
    assert p.set_sizes == (5, 8, 17)  # Fig. 4C shows three
    assert (
        "sample sets as photos fills them: S_100 17 images, S_1000 34 images, S_val 12 images"
        in capsys.readouterr().out
    )
    split = unitnb.open_layer(p, "A")
    assert split.layer == "conv5" and "my.keras: layer conv5, 6 units of 14x14" in capsys.readouterr().out


def test_a_figure_says_how_large_the_sample_sets_are(place, monkeypatch, tmp_path):
    from unitnb.figures import panels

    monkeypatch.setenv("UNITNB_FIGURES", str(tmp_path))
    figure, _ = panels.new_figure([["one"]])
    unitnb.save_figure(notebook_parameters(asked(place)), "fig3", figure, notebook="03_ablation")
    assert [text.get_text() for text in figure.texts] == [
        "S_100 17 images, S_1000 34 images, S_val 12 images"
    ]


def test_a_scaling_that_would_be_ignored_is_refused():
    for name in ("shapes", "cifar10", "imagenette"):
        with pytest.raises(ValueError, match="scaling: 'torch' is for weights of your own"):
            load_profile(name, {"scaling": "torch"})


def test_a_layer_and_a_scaling_are_found_inside(place):
    p = notebook_parameters(asked(place, layer="conv5", scaling="unit"))
    images = np.full((1, 16, 16, 3), 255, np.uint8)
    split = unitnb.open_layer(p, "A")
    plain = unitnb.split_model(load_saved(p.network), "conv5")
    np.testing.assert_allclose(split.feature_maps(images), plain.feature_maps(images / 255.0), atol=1e-5)


def test_the_layer_that_is_found_is_no_padding(place, tmp_path):
    layers = [L.Conv2D(6, 3, name="conv5"), L.ZeroPadding2D(), L.GlobalMaxPooling2D(), L.Dense(3)]
    keras.Sequential([keras.Input((16, 16, 3)), *layers]).save(tmp_path / "padded.keras")
    p = notebook_parameters(asked(place, network=str(tmp_path / "padded.keras")))
    assert unitnb.open_layer(p, "A").layer == "conv5"


def test_too_few_images_are_listed(place, tmp_path):
    for split, count in (("train", 29), ("test", 12)):
        for name in CLASSES:
            (tmp_path / split / name).mkdir(parents=True)
            for i in range(count):
                source = place / "photos" / "train" / name / f"{i}.png"
                (tmp_path / split / name / f"{i}.png").write_bytes(source.read_bytes())
    with pytest.raises(ValueError, match="has 29 training images; expected 30 or more .*cat 29 \\+ 12, frog"):
        notebook_parameters(asked(place, data=str(tmp_path)))


def test_classes_that_do_not_fit_are_an_error_with_both_lists(place, tmp_path):
    network(n_classes=4).save(tmp_path / "four.keras")
    with pytest.raises(
        ValueError,
        match=r"four.keras tells 4 classes apart, .*photos has 3: cat, frog, ship. Name the classes",
    ):
        unitnb.open_layer(notebook_parameters(asked(place, network=str(tmp_path / "four.keras"))), "A")
    names = tmp_path / "names.txt"
    names.write_text("ship\ncat\ndog\nfrog\n")
    p = notebook_parameters(asked(place, network=str(tmp_path / "four.keras"), class_names=str(names)))
    images = unitnb.open_images(p)
    assert images.class_labels == (1, 3, 0) and images.n_outputs == 4
    assert set(images.labels["train"]) == {0, 1, 3} and unitnb.open_layer(p, "A").n_classes == 4
    names.write_text("boat\ncat\ndog\nfrog\n")
    with pytest.raises(
        ValueError, match="has 4 classes and no class 'ship': .*The folders of images are: cat, frog, ship"
    ):
        unitnb.open_images(
            load_profile("own", asked(place, class_names=str(names))["overrides"] | {"target_class": "cat"})
        )


def test_a_tail_that_is_run_again_has_the_points_of_the_profile_and_says_so(tmp_path, place):
    """A convolution comes behind the layer, so its tail is no running sum."""
    first, *rest = (L.Conv2D(6, 3, activation="relu", name=name) for name in ("first", "second"))
    head = [L.GlobalMaxPooling2D(), L.Dense(3, activation="softmax")]
    keras.Sequential([keras.Input((16, 16, 3)), first, *rest, *head]).save(tmp_path / "two.keras")
    p = notebook_parameters(asked(place, network=str(tmp_path / "two.keras"), layer="first", points=3))
    split, sample = unitnb.open_layer(p, "A"), unitnb.sample_set(unitnb.open_images(p), p, "S_100")
    assert unitnb.curve_knots(p, split) == 3
    assert opening_words(p, split).endswith(
        "; curves have 3 points, with straight lines between (SET='points=')"
    )
    maps = split.feature_maps(sample.images)
    orders, negatives = [np.arange(6), np.arange(6)[::-1]], maps[::-1]
    both = unitnb.ablation_curves(split, maps, sample.labels, orders, negatives=negatives, knots=3)
    note = "Each curve was evaluated at 3 of its 7 points; between them it is read off straight lines."
    assert unitnb.classes_table({"frog": both}).endswith(note)
    figure = ablation_figure(*both, both, *both, {"frog": both})
    assert figure.axes[3].get_xlabel() == "units removed\n(3 points)"
    lines = [line for axes in figure.axes for line in axes.lines]
    assert len(lines) > 10 and all(line.get_xdata().tolist() == [0, 3, 6] for line in lines)
    whole = unitnb.open_layer(notebook_parameters(asked(place)), "A")
    assert unitnb.curve_knots(p, whole) is None and "curves have" not in opening_words(p, whole)


def test_an_accuracy_at_chance_is_a_warning(place, tmp_path):
    model = network()
    model.layers[-1].kernel.assign(0 * model.layers[-1].kernel)
    model.layers[-1].bias.assign([9.0, 0.0, 0.0])
    model.save(tmp_path / "all_cats.keras")
    p = notebook_parameters(asked(place, network=str(tmp_path / "all_cats.keras")))
    with pytest.warns(
        UserWarning, match=r"accuracy on frog is 0.00 and 0.00, chance is 0.33; .*CLASS_NAMES.*SCALING"
    ):
        unitnb.open_layer(p, "A")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"network": "none.keras"}, "no model at .*none.keras"),
        ({"scaling": "imagenet"}, "unknown scaling 'imagenet'"),
        ({"layer": "conv6"}, "'conv6' is no layer of .*Nearest: conv5"),
        ({"class_names": "none.txt"}, "no file of class names at"),
    ],
)
def test_settings_that_do_not_fit_are_refused(place, overrides, words):
    with pytest.raises((ValueError, KeyError, FileNotFoundError), match=words):
        unitnb.open_layer(notebook_parameters(asked(place, **overrides)), "A")


def test_a_notebook_runs_on_ones_own_model_by_the_command(place, monkeypatch, tmp_path, capsys):
    """As make does it: figures and claims under the model's name."""
    monkeypatch.setenv("UNITNB_FIGURES", str(tmp_path / "figures"))
    monkeypatch.setenv("UNITNB_DATA", str(place / "photos"))
    settings = [
        "--set",
        f"network={place / 'my.keras'}",
        "--set",
        "points=4",
        "--class",
        "frog",
        "--profile",
        "own",
    ]
    assert preflight.main(settings) == 0
    assert capsys.readouterr().out.count("sample sets as photos fills them") == 1
    assert cli.main(["run", "notebooks/03_ablation.py", str(tmp_path / "03.ipynb"), *settings]) == 0, (
        capsys.readouterr().err
    )
    assert (tmp_path / "figures" / "my" / "frog" / "fig3.png").stat().st_size > 10_000
    assert cli.main(["claims", *settings]) == 0
    assert "make figures MODEL=" in (tmp_path / "figures" / "my" / "frog" / "claims.json").read_text()
    assert cli.main(["run", "notebooks/02_training.py", str(tmp_path / "02.ipynb"), *settings]) == 0
    assert "my.keras came without its training" in (tmp_path / "02.needs").read_text()
    assert (
        "sample sets" not in capsys.readouterr().out
    )  # once is enough for a terminal, and each notebook says it


@pytest.fixture
def root(place, tmp_path, monkeypatch):
    """A project in which a profile of a user's own, ``mine``, names the model."""
    profiles = tmp_path / "notebooks" / "profiles"
    profiles.mkdir(parents=True)
    own = (Path(__file__).parents[1] / "notebooks" / "profiles" / "own.yaml").read_text()
    mine = own.replace("data: photos", f"data: {place / 'photos'}").replace(
        "target_class: none", "target_class: frog"
    )
    (profiles / "own.yaml").write_text(own)
    (profiles / "mine.yaml").write_text(f"{mine}network: {place / 'my.keras'}\n")
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("file", ["own", "mine"])
def test_a_sweep_goes_over_the_classes_of_ones_own_model(place, root, monkeypatch, file):
    from unitnb.networks.trained import known_layers
    from unitnb.sweep import tasks, work

    monkeypatch.setattr(tasks, "_known_layers", known_layers)  # here, in place of another process
    settings = {"scaling": "unit", "points": 3, **(asked(place)["overrides"] if file == "own" else {})}
    given = tasks.tasks_of(load_profile(file, settings), overrides=settings, file=file)
    assert [task.target_class for task in given] == list(CLASSES)
    assert {task.layer.split("/")[-1] for task in given} == {"conv5"}
    found = work.run_task(given[1])
    assert found.parent == root / "build" / "sweep" / ("my" if file == "own" else "mine")
    p = notebook_parameters({**asked(place), "overrides": {**asked(place)["overrides"], **settings}})
    sample = unitnb.sample_set(unitnb.open_images(p), p, "S_100")
    births = unitnb.birth_points(unitnb.open_layer(p, "A").feature_maps(sample.images))
    assert np.array_equal(np.load(found)["births"], births) and len(births) == 17


def test_the_explorer_opens_ones_own_model_from_a_profile(root):
    opened = unitnb.open_explorer("mine")
    assert (opened.n_units, len(opened.sample), opened.target_class, opened.label) == (6, 17, "frog", 1)
    whole = (opened.layers["training"].predict(range(6)).argmax(axis=1) == 1).mean()
    assert unitnb.span_accuracy(opened, 1, 6)["training"] == whole
    assert unitnb.open_explorer("mine", target_class="cat").label == 0


# ---- in one call ----


def test_analyse_gives_what_the_single_calls_give():
    model = network()
    rng = np.random.default_rng(2)
    images, labels = rng.integers(0, 256, (40, 16, 16, 3)).astype(np.uint8), np.arange(40) % 2
    found = unitnb.analyse(
        model, "conv5", images, labels, target=1, test_images=images[:20], test_labels=labels[:20]
    )
    split = unitnb.split_model(model, "conv5")
    maps = split.feature_maps(images[1::2])
    births = unitnb.birth_points(maps)
    rank = unitnb.importance_rank(unitnb.effectiveness(births))
    curve = unitnb.ablation_curve(split, maps, 1, rank, negatives=split.feature_maps(images[::2]))
    assert np.array_equal(found.births, births) and np.array_equal(found.rank, rank) and found.target == 1
    np.testing.assert_allclose(found.removed.losses, curve.losses, atol=1e-5)
    np.testing.assert_allclose(found.removed.balanced_accuracy, curve.balanced_accuracy)
    table = found.table()
    assert list(table["unit"]) == rank.tolist() and list(table["place"]) == [1, 2, 3, 4, 5, 6]
    assert list(table["role"]) == found.roles.role[rank].tolist()
    assert [axes.get_title("left") for axes in found.plot().axes] == ["Every unit", "E = rate / H", "Removal"]


@pytest.mark.parametrize(
    ("labels", "target", "words"),
    [
        (None, None, "no labels came"),
        (np.arange(6) % 3, None, r"images of the classes \[0, 1, 2\] came and no target"),
        (np.zeros(6, int), 2, r"no image of class 2 came; the labels are \[0\]"),
        (np.full(6, 3), None, "the model has the classes 0 to 2"),
    ],
)
def test_analyse_says_what_is_missing(labels, target, words):
    with pytest.raises(ValueError, match=words):
        unitnb.analyse(network(), "conv5", np.zeros((6, 16, 16, 3)), labels, target=target)


def test_maps_too_small_for_a_birth_are_refused_unless_b_max_is_given():
    model = network(side=6)  # maps of 4x4
    assert list(unitnb.usable_layers(model).values()) == [(6, 6, 3), (6, 6, 3)]  # before the convolution
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 6, 3))
    with pytest.raises(
        ValueError, match="maps of 4x4 have no birth within the default B_max of 3 edges.*5x5 or more"
    ):
        unitnb.analyse(model, "conv5", images, 0)
    maps = unitnb.split_model(model, "conv5").feature_maps(images)
    assert unitnb.birth_points(maps, b_max=6).shape == (5, 6)

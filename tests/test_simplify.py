"""``unitnb simplify``: a smaller copy of a model in a file, its report, and refusals that write nothing."""

import keras
import numpy as np
import pytest
from PIL import Image

from unitnb import cli
from unitnb.controls import simplification
from unitnb.explorer import simplify as module
from unitnb.explorer.simplify_command import DEFAULT, WORDS
from unitnb.networks.cost import model_cost
from unitnb.networks.saved import load_saved

L = keras.layers
CLASSES = ("dark", "grey", "light")
pytestmark = pytest.mark.filterwarnings("ignore:accuracy on")


def network(residual=False, n_classes=3):
    """Unit i of conv5 is the brightness above 16 i; the outputs tell three levels of it apart."""
    images = keras.Input((12, 12, 3), name="images")
    x = L.Conv2D(16, 1, name="conv5")(images)
    y = L.ReLU(name="relu5")(x)
    if residual:
        y = L.Add(name="sum")([y, L.Conv2D(16, 1, name="other")(images)])
    x = L.GlobalAveragePooling2D()(y)
    model = keras.Model(images, L.Dense(n_classes, name="logits")(x))
    model.get_layer("conv5").set_weights([np.full((1, 1, 3, 16), 1 / 3), -16.0 * np.arange(16)])
    if residual:
        model.get_layer("other").set_weights([np.zeros((1, 1, 3, 16)), np.zeros(16)])
    kernel = np.zeros((16, n_classes))
    kernel[0, 1], kernel[4, 1], kernel[8, 2] = 1, -1, 3  # dark 40; grey 20, 64, 64; light 0, 0, 216
    model.get_layer("logits").set_weights([kernel / 20, np.array([40.0, 0, 0, 0][:n_classes]) / 20])
    return model


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    network().save(folder / "my.keras")
    rng = np.random.default_rng(0)
    for split, count in (("train", 32), ("test", 12)):
        for name, level in zip(CLASSES, (10, 90, 190), strict=True):
            (folder / "photos" / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = (level + rng.integers(0, 20, (12, 12, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / "photos" / split / name / f"{i}.png")
    return folder


def command(place, *more, model="my.keras", layer="relu5", out="small.keras"):
    fixed = ["--model", str(place / model), "--layer", layer, "--data", str(place / "photos")]
    return cli.main(["simplify", *fixed, "--out", str(place / out), *map(str, more)])


def left_behind(place):
    return sorted(path.name for path in place.iterdir() if path.name not in ("photos", "my.keras"))


@pytest.fixture(autouse=True)
def clean(place, monkeypatch):
    monkeypatch.setenv("UNITNB_DATA", "")  # the command sets it; it is taken back after each test
    for name in left_behind(place):
        (place / name).unlink()


def test_the_words_are_those_of_the_comparison():
    assert list(WORDS.values()) == list(simplification.SCORES) and DEFAULT in WORDS


def test_the_smaller_model_keeps_what_answers_and_the_report_tells_what_it_costs(place, capsys):
    assert command(place, "--keep", 0.5, "--by", "taylor") == 0
    small, text = load_saved(place / "small.keras"), capsys.readouterr().out
    assert small.get_layer("conv5").filters == 8
    cost = model_cost(small)
    row = [line for line in text.splitlines() if line.startswith("| after")][0].split(" | ")
    assert row[1:3] == [f"{cost['parameters']:,}", f"{cost['multiply_adds']:,}"]
    assert "relu5: 8 of 16 units removed, lowest by Taylor" in text and "36 test images of 3 classes" in text
    assert float(row[3]) > 0


def test_taylor_keeps_the_units_that_the_outputs_read(place):
    """Units 0, 4 and 8 alone have weights behind them, so all others have no gradient."""
    assert command(place, "--keep", 3 / 16, "--by", "Taylor") == 0
    thresholds = load_saved(place / "small.keras").get_layer("conv5").get_weights()[1]
    np.testing.assert_allclose(thresholds, [0, -64, -128])


def test_the_accuracies_are_those_of_the_two_models(place, capsys):
    """Without unit 8 nothing says "light" more than "grey": one class of three is lost."""
    assert command(place, "--remove", 8) == 0
    text = capsys.readouterr().out
    assert [line.split(" | ")[4] for line in text.splitlines() if line[:4] in ("| be", "| af")] == [
        "1.000",
        "0.667",
    ]


def test_units_that_meet_others_go_with_them(place, capsys):
    network(residual=True).save(place / "residual.keras")
    assert command(place, "--remove", 1, 2, 3, model="residual.keras") == 0
    text, small = capsys.readouterr().out, load_saved(place / "small.keras")
    assert "with them 3 of '" in text and small.get_layer("other").filters == 13


@pytest.mark.parametrize("score", [word for word in WORDS if word not in ("taylor", "e", "rate", "1/h")])
def test_every_score_chooses_units(place, score):
    assert command(place, "--keep", 0.25, "--by", score, layer="conv5" if score == "l1" else "relu5") == 0
    assert load_saved(place / "small.keras").get_layer("conv5").filters == 4


REFUSED = {
    "all 16 units": ["--remove", *range(16)],
    "has the units 0 to 15, not 16": ["--remove", 16],
    "came twice: 3": ["--remove", 3, 3],
    "unknown score 'tailor': did you mean 'taylor'": ["--keep", 0.5, "--by", "tailor"],
    "a share of the units between 0 and 1": ["--keep", 1],
    "--keep 0.99 keeps all 16 units": ["--keep", 0.99],
    "either --keep": [],
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_refusal_is_one_sentence_and_writes_nothing(place, capsys, words):
    assert command(place, *REFUSED[words]) == 1
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said and left_behind(place) == []


OTHERS = {
    "'conv9' is no layer of": {"layer": "conv9"},
    "ends in .keras": {"out": "small.h5"},
    "is the model itself": {"out": "my.keras"},
    "no folder": {"out": "none/small.keras"},
    "no model at": {"model": "your.keras"},
}


@pytest.mark.parametrize("words", OTHERS)
def test_what_does_not_exist_or_does_not_fit_is_refused(place, capsys, words):
    before = (place / "my.keras").read_bytes()
    assert command(place, "--keep", 0.5, **OTHERS[words]) == 1
    assert words in capsys.readouterr().err and left_behind(place) == []
    assert (place / "my.keras").read_bytes() == before


def test_classes_that_do_not_fit_are_refused(place, capsys):
    network(n_classes=4).save(place / "four.keras")
    assert command(place, "--keep", 0.5, model="four.keras") == 1
    assert "tells 4 classes apart" in capsys.readouterr().err and left_behind(place) == ["four.keras"]


def test_units_that_are_the_outputs_are_refused(place, capsys):
    images = keras.Input((12, 12, 3))
    x = L.ReLU(name="relu5")(L.Conv2D(3, 3, name="conv5")(images))
    keras.Model(images, L.GlobalAveragePooling2D()(x)).save(place / "ends.keras")
    assert command(place, "--remove", 0, model="ends.keras") == 1
    assert "are outputs of" in capsys.readouterr().err and left_behind(place) == ["ends.keras"]


def test_a_layer_that_cannot_be_followed_is_refused(place, capsys):
    images = keras.Input((12, 12, 3))
    x = L.LayerNormalization(name="mixes")(L.ReLU(name="relu5")(L.Conv2D(8, 1, name="conv5")(images)))
    keras.Model(images, L.Dense(3)(L.GlobalAveragePooling2D()(x))).save(place / "mixes.keras")
    assert command(place, "--remove", 0, model="mixes.keras") == 1
    assert "'mixes' (LayerNormalization)" in capsys.readouterr().err and left_behind(place) == ["mixes.keras"]


def test_a_failure_while_writing_leaves_the_older_file(place, monkeypatch):
    assert command(place, "--remove", 0) == 0
    before = (place / "small.keras").read_bytes()
    monkeypatch.setattr(module, "_report", lambda *_: (_ for _ in ()).throw(OSError("the disk is gone")))
    assert command(place, "--remove", 1) == 1
    assert (place / "small.keras").read_bytes() == before and left_behind(place) == ["small.keras"]

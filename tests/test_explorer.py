"""The explorer: barcodes, spans of the rank in place, facts of a unit, and the widgets around them."""

import math
from types import SimpleNamespace

import keras
import matplotlib

matplotlib.use("agg")
import numpy as np
import pytest

import unitnb
from unitnb.ablation import engines
from unitnb.ablation.subsets import SubsetPredictor
from unitnb.controls import scores
from unitnb.explorer import answers, pictures
from unitnb.explorer.widgets import Board
from unitnb.topology.barcodes import barcode, hole_at


def random_map(seed, n=9, levels=None):
    rng = np.random.default_rng(seed)
    fmap = rng.random((n, n)) * (rng.random((n, n)) < 0.5)
    return np.ceil(fmap * levels) if levels else fmap


# ---- barcodes ----


def test_bars_of_small_graphs():
    hexagon = np.diag([9.0, 8, 7, 6, 5], 1) + np.diag([4.0], 5)
    assert barcode(hexagon).tolist() == [[6, math.inf]]
    hexagon[[0, 0, 0], [2, 3, 4]] = [3, 2, 1]  # three diagonals from one corner fill it with the last
    assert barcode(hexagon).tolist() == [[6, 9]]
    assert barcode(hexagon, k=0).tolist() == [[0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [0, math.inf]]
    assert barcode(np.zeros((4, 4))).shape == (0, 2)


@pytest.mark.parametrize("levels", [None, 4])
@pytest.mark.parametrize("seed", range(6))
def test_the_betti_curve_counts_the_bars_over_each_point(seed, levels):
    fmap = random_map(seed, levels=levels)
    present, (_, betti) = unitnb.topology.births.edges_present(fmap), unitnb.betti_curves(fmap)
    for k in (0, 1):
        bars = barcode(fmap, k)
        over = (bars[:, 0] <= present[:, None]) & (present[:, None] < bars[:, 1])
        np.testing.assert_array_equal(over.sum(axis=1), betti[:, k])
    birth = unitnb.birth_points(fmap[None, :, :, None], b_max=math.inf)[0, 0]
    assert birth == (barcode(fmap)[0, 0] if len(barcode(fmap)) else 0)


def test_a_hole_is_shown_from_its_birth_until_it_is_filled():
    hexagon = np.diag([9.0, 8, 7, 6, 5], 1) + np.diag([4.0], 5)
    hexagon[[0, 0, 0], [2, 3, 4]] = [3, 2, 1]
    assert [hole_at(hexagon, v) for v in (5, 6, 8, 9)] == [(), (0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5), ()]
    assert hole_at(np.zeros((4, 4)), 3) == ()


# ---- spans ----


def masked_tail_model():
    maps = keras.Input((6, 6, 5))
    mixed = keras.layers.Conv2D(4, 3, name="mix")(keras.layers.ReLU(name="studied")(maps))
    return keras.Model(maps, keras.layers.Dense(3)(keras.layers.Flatten()(mixed)))


@pytest.fixture(params=["running-sum", "masked-tail"])
def split(request):
    keras.utils.set_random_seed(0)
    if request.param == "masked-tail":
        return unitnb.split_model(masked_tail_model(), "studied")
    return unitnb.split_model(unitnb.small_vgg(4, (4, 6, 8), 7), "block2_conv3")


@pytest.mark.parametrize("blocks", [1, 3])
def test_any_units_in_place_give_what_the_tail_gives_on_masked_maps(split, blocks, monkeypatch):
    maps = np.random.default_rng(1).random((7, *split.map_shape), np.float32)
    engine = type(engines.open_engine(split, np.zeros(split.map_shape, np.float32)))
    opened = engines.open_engine
    if blocks == 3:

        def small(split, fill):
            made = opened(split, fill)
            made.images = 3
            return made

        monkeypatch.setattr("unitnb.ablation.subsets.open_engine", small)
    layer = SubsetPredictor(split, maps)
    assert len(layer.engines) == blocks and isinstance(layer.engines[0][0], engine)
    for units in ([], [2], [0, 3], list(range(split.n_units))):
        mask = np.isin(np.arange(split.n_units), units)
        np.testing.assert_allclose(layer.predict(units), split.predict(maps * mask), atol=2e-5)


def test_a_unit_that_is_none_is_refused(split):
    layer = SubsetPredictor(split, np.ones((1, *split.map_shape), np.float32))
    with pytest.raises(
        ValueError,
        match=f"units go from 1 to {split.n_units}; the layer has the units 0 to {split.n_units - 1}",
    ):
        layer.predict([1, split.n_units])


# ---- the explorer on the embedded images ----


@pytest.fixture(scope="module")
def opened():
    return unitnb.open_explorer("shapes", "A")


def test_the_head_of_the_rank_in_place_is_a_point_of_the_insertion_curve(opened):
    split = unitnb.split_model(unitnb.load_model(opened.profile, "A"), opened.profile.layer)
    curve = unitnb.ablation_curve(split, opened.maps, opened.label, opened.order, mode="insert")
    found = [unitnb.span_accuracy(opened, 1, k)["training"] for k in (0, 5, 40, opened.n_units)]
    np.testing.assert_allclose(found, curve.accuracy[[0, 5, 40, -1]], atol=1e-12)


def test_two_spans_that_make_up_the_layer_share_no_unit(opened):
    seen = []
    fake = SimpleNamespace(fraction_predicted=lambda units, label: seen.append(units) or 0.0)
    view = SimpleNamespace(order=opened.order, n_units=opened.n_units, label=0, layers={"training": fake})
    answers.span_accuracy(view, 1, 30), answers.span_accuracy(view, 31, opened.n_units)
    np.testing.assert_array_equal(np.concatenate(seen), opened.order)


@pytest.mark.parametrize("places", [(0, 5), (7, 5), (1, 129)])
def test_places_outside_the_rank_are_refused(opened, places):
    with pytest.raises(ValueError, match=f"places {places[0]} to {places[1]}: expected places from 1 to 128"):
        unitnb.span_accuracy(opened, *places)


def test_facts_of_a_unit_are_those_of_the_rank(opened):
    best = answers.unit_at(opened, 1)
    facts = unitnb.unit_facts(opened, best)
    assert facts["place"] == 1 and facts["effectiveness"] == opened.effectiveness.max()
    assert facts["rate"] / facts["entropy"] == pytest.approx(facts["effectiveness"])
    by_rate = unitnb.importance_rank(unitnb.selective_rate(opened.births))
    assert (
        facts["places"]["rate only"] == list(by_rate).index(best) + 1 and scores.PAPER not in facts["places"]
    )
    with pytest.raises(ValueError, match="place 129: expected a place of the rank, 1 to 128"):
        answers.unit_at(opened, 129)
    with pytest.raises(ValueError, match="image 100, unit 3: there are images 0 to 99"):
        opened.map_of(100, 3)


def test_top_images_answer_most(opened):
    means = opened.maps[..., 7].mean(axis=(1, 2))
    np.testing.assert_allclose(means[answers.top_images(opened, 7)], np.sort(means)[::-1][:6])


def test_the_filtration_begins_with_bare_vertices_and_is_born_where_it_says(opened):
    f = answers.filtration(opened.map_of(0, answers.unit_at(opened, 1)))
    assert f.present[0] == 0 and f.betti[0].tolist() == [14, 0] and len(f.edges(0)) == 0 and f.hole(0) == ()
    assert (
        f.birth == f.present[f.birth_level] == len(f.edges(f.birth_level)) and f.betti[f.birth_level, 1] > 0
    )
    assert (
        f.betti[f.birth_level - 1, 1] == 0
        and f.hole(f.birth_level - 1) == ()
        and len(f.hole(f.birth_level)) >= 4
    )


def test_the_picture_of_a_level_shows_its_edges_and_its_hole(opened):
    f = answers.filtration(opened.map_of(0, answers.unit_at(opened, 1)))
    figure = pictures.filtration_figure(opened.sample.images[0], f, f.birth_level)
    complex_axes = figure.axes[2]
    assert len(complex_axes.lines) == f.birth and sum(
        line.get_linewidth() > 2 for line in complex_axes.lines
    ) == len(f.hole(f.birth_level))
    assert f"v = {f.birth}" in complex_axes.get_title(loc="left")
    assert pictures.png(figure).startswith(b"\x89PNG")


def test_the_card_of_a_unit_shows_its_strongest_images_over_their_maps(opened):
    figure = pictures.unit_figure(opened, 7)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    tops = answers.top_images(opened, 7)
    assert len(shown) == 2 * len(tops)
    for image, fmap, index in zip(shown[: len(tops)], shown[len(tops) :], tops, strict=True):
        assert np.array_equal(image, opened.sample.images[index])
        assert np.array_equal(fmap, opened.maps[index, :, :, 7])


def test_the_first_profile_is_the_pretrained_one_where_its_images_and_weights_are(monkeypatch, tmp_path):
    monkeypatch.setenv("UNITNB_DATA", str(tmp_path / "nowhere"))
    assert answers.first_profile() == "shapes"
    monkeypatch.setenv("UNITNB_DATA", str(tmp_path))
    monkeypatch.setattr(answers, "PACKAGE", "numpy")
    assert answers.first_profile() == "imagenette"
    monkeypatch.setattr(answers, "PACKAGE", "no_such_package")
    assert answers.first_profile() == "shapes"


# ---- widgets ----


def test_moving_the_sliders_changes_what_is_shown(opened):
    board = Board()
    assert (
        bytes(board.map_picture.value).startswith(b"\x89PNG") and board.level.value > 0
    )  # the birth, at once
    shown = {bytes(board.map_picture.value)}
    for slider, value in ((board.level, 2), (board.image, 3), (board.place, 100)):
        slider.value = value
        shown.add(bytes(board.map_picture.value))
    assert len(shown) == 4 and board.unit_text.value.startswith(
        f"unit {answers.unit_at(opened, 100)}: place 100 of 128"
    )
    board.span.value = (1, 10)
    assert (
        f"accuracy {unitnb.span_accuracy(opened, 1, 10)['training']:.2f} on training" in board.span_text.value
    )


def test_another_class_is_opened_and_what_is_missing_is_said(monkeypatch):
    board = Board()
    before, classes = board.unit_text.value, board.target_class.options
    board.target_class.value = "ring"
    assert (
        board.opened.target_class == "ring"
        and board.unit_text.value != before
        and board.target_class.options == classes
    )
    monkeypatch.setenv("UNITNB_DATA", "nowhere")
    board.profile.value = "cifar10"
    assert "no folder of images" in board.unit_text.value and board.opened.target_class == "ring"

"""What units see: which units are shown, their places, and a picture with all that is asked for."""

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

import unitnb
from unitnb.controls.scores import PAPER
from unitnb.figures import units_seen
from unitnb.figures.numbers import figure_numbers

E = np.array([5.0, 4, 3, 2, 1, 0, 0.5, 2.5])
MEAN = np.array([5.0, 4, 3, 2, 9, 0, 0.5, -1])


def test_places_and_groups_derived_on_paper():
    scores = {PAPER: E, "mean activation": MEAN}
    assert units_seen.places(scores)[PAPER].tolist() == [1, 2, 3, 5, 6, 8, 7, 4]
    assert units_seen.places(scores)["mean activation"].tolist() == [2, 3, 4, 5, 1, 7, 6, 8]
    groups = units_seen.telling_units(scores, 2)
    assert list(groups.values()) == [[0, 1], [6, 5], [4, 7]]  # 5 and 4 places apart


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)
    maps = np.maximum(rng.normal(size=(6, 14, 14, 8)), 0).astype(np.float32)
    scores = {PAPER: E, "mean activation": MEAN}
    groups = units_seen.telling_units(scores, 1)
    yield images, maps, units_seen.seen_figure(images, maps, unitnb.birth_points(maps), scores, groups, 2)
    plt.close("all")


def test_each_unit_is_shown_with_its_strongest_images_and_their_maps(drawn):
    images, maps, figure = drawn
    assert len(figure.axes) == 3 * 3
    shown = [np.asarray(image.get_array()) for image in figure.axes[2].images]
    assert len(shown) == 4
    strongest = np.argsort(-maps[..., 0].sum(axis=(1, 2)))[:2]
    for place, index in enumerate(strongest):
        assert np.array_equal(shown[2 * place], images[index])
        assert np.array_equal(shown[2 * place + 1], maps[index, :, :, 0])
    assert [image.get_label() for image in figure.axes[2].images[:2]] == ["image 0 of 0", "map 0 of 0"]
    assert "\nmap 0 of 0,row 0,0," in figure_numbers(figure)[0]
    assert "E 1, mean activation 2" in figure.axes[0].texts[0].get_text()

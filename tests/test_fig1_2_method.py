"""The pictures of each step: what is drawn is what the map holds."""

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

import unitnb
from unitnb.figures import fig1_2_method

STRENGTHS = np.zeros((5, 5))
for _i, _j, _strength in ((0, 1, 9), (1, 2, 8), (2, 3, 7), (0, 3, 6), (0, 2, 5), (3, 4, 4)):
    STRENGTHS[_i, _j] = STRENGTHS[_j, _i] = _strength


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def thick(axes):
    return sum(line.get_linewidth() > 2 for line in axes.lines)


def test_the_example_shows_its_hole_where_it_is_open_and_the_triangles_that_fill_it():
    _, *steps = fig1_2_method.example_figure(STRENGTHS, [3, 4, 5, 6]).axes
    assert [axes.get_title(loc="left") for axes in steps] == ["v = 3", "v = 4: a hole", "v = 5", "v = 6"]
    assert [len(axes.lines) for axes in steps] == [3, 4, 5, 6] and [thick(axes) for axes in steps] == [
        0,
        4,
        0,
        0,
    ]
    assert [len(axes.patches) for axes in steps] == [0, 0, 2, 2]


def test_growing_orders_lead_to_the_birth_and_are_edges_present():
    assert fig1_2_method.growing_orders(STRENGTHS, 4) == [1, 2, 3, 4]
    noise = np.random.default_rng(0).random((14, 14))
    birth = int(unitnb.birth_points(noise[None, :, :, None])[0, 0])
    orders = fig1_2_method.growing_orders(noise, birth)
    assert len(orders) == 5 and orders[0] == 1 and orders[-2:] == [birth - 1, birth]
    tied = np.ceil(noise * 30)
    assert set(fig1_2_method.growing_orders(tied, 20)[:-1]) <= set(unitnb.topology.births.edges_present(tied))


def test_tied_edges_enter_a_picture_together():
    tied = np.where(STRENGTHS > 5, 6, STRENGTHS)  # the ring at once
    steps = fig1_2_method.growth_figure(tied, [4, 5]).axes
    assert [len(axes.lines) for axes in steps[2:]] == [4, 5] and thick(steps[2]) == 4
    assert [len(axes.lines) for axes in steps[:2]] == [8, 10]  # each edge is two entries


def test_bars_stand_where_holes_are_and_the_first_is_thick():
    figure = fig1_2_method.barcode_figure(STRENGTHS, 4)
    bar = figure.axes[1].lines[0]
    assert bar.get_xdata().tolist() == [4, 5] and bar.get_linewidth() > 2
    _, axes = plt.subplots()
    fig1_2_method.draw_barcode(axes, np.array([[4, np.inf], [5, 7]]), 9, "")
    assert axes.lines[0].get_xdata().tolist() == [4, 10] and axes.lines[1].get_linewidth() < 2


def test_the_layer_shows_every_unit_and_marks_one():
    rate, entropy, effectiveness = (
        np.array([1.0, 0.5, 0.8]),
        np.array([2.0, 1.0, 1.6]),
        np.array([0.5, 0.4, 0.45]),
    )
    figure = fig1_2_method.layer_figure(rate, entropy, effectiveness, 2, (2.2, 0.1))
    parts, ranked = figure.axes
    assert len(parts.collections[0].get_offsets()) == 3 and parts.collections[-1].get_offsets().tolist() == [
        [0.8, 1.6]
    ]
    assert ranked.lines[0].get_ydata().tolist() == [0.5, 0.45, 0.4] and ranked.collections[
        -1
    ].get_offsets().tolist() == [[2, 0.45]]

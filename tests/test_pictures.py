"""The drawing functions on fixed data, compared with the pictures in tests/baseline/.

After a change that is meant: UNITNB_BASELINE=write python -m pytest tests/test_pictures.py. Then look at the
pictures.
"""

import os
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.testing.compare import compare_images

from unitnb.explorer import answers, pictures
from unitnb.figures import fig1_2_method, fig2_training, fig4_stability, fig5_roles, panels

BASELINE = Path(__file__).parent / "baseline"
# Root of the mean square over the grey levels. The same version of matplotlib gives 0, a thinner line in one
# panel gives 1.5.
TOLERANCE = 1
MAP = np.abs(np.sin(np.arange(196).reshape(14, 14) ** 1.5)) * (np.arange(196).reshape(14, 14) % 3 > 0)
FALL = np.linspace(1, 0, 41) ** 2
BIRTHS = np.repeat([0, 5, 6, 8, 9, 13], [10, 5, 20, 30, 15, 20])
NULL = np.exp(-((np.arange(21) - 11.0) ** 2) / 12) / 6.1


def top_set():
    return fig1_2_method.top_set_figure(MAP, answers.filtration(MAP).birth)


def growth():
    return fig1_2_method.growth_figure(MAP, fig1_2_method.growing_orders(MAP, answers.filtration(MAP).birth))


def barcode():
    return fig1_2_method.barcode_figure(MAP, answers.filtration(MAP).birth)


def filtration():
    found = answers.filtration(MAP)
    return pictures.filtration_figure(np.tile(MAP[..., None], 3) / MAP.max(), found, found.birth_level + 2)


def layer():
    rate = np.linspace(0.1, 1, 30)
    entropy = 2 + 0.3 * np.cos(np.arange(30))
    return fig1_2_method.layer_figure(rate, entropy, rate / entropy, 29, (2.2, 0.08))


def births():
    figure, axes = panels.new_figure([["one", "epochs"]], figsize=(7, 2.6))
    panels.draw_births(axes["one"], BIRTHS, "one unit", NULL)
    fig2_training.draw_birth_shares(
        axes["epochs"], {0: BIRTHS[:, None], 1: BIRTHS[BIRTHS != 13][:, None]}, NULL
    )
    return figure


def curves():
    figure, axes = panels.new_figure([["accuracy", "loss"]], figsize=(7, 2.6))
    panels.draw_random(axes["accuracy"], np.linspace(1, 0, 41) ** np.array([[0.3], [0.5], [0.8]]))
    for kind in ("rank", "reverse"):
        values = FALL if kind == "rank" else 1 - FALL[::-1]
        panels.draw_curve(axes["accuracy"], values, kind, kind, np.array([values - 0.1, values + 0.1]))
        panels.draw_curve(axes["loss"], 3 - 2 * values, kind)
    panels.label_curves(axes["accuracy"], "accuracy", "A")
    panels.label_curves(axes["loss"], "loss", "B")
    return figure


def stability():
    figure, axes = panels.new_figure([["votes", "agreement"]], figsize=(7, 2.6))
    fig4_stability.draw_votes(axes["votes"], np.r_[np.arange(30) * 3, np.zeros(10, int)], 100, 20, "votes")
    sizes = np.arange(50, 501, 75)
    middle = np.linspace(0.7, 1, len(sizes))
    fig4_stability.draw_agreement(axes["agreement"], sizes, middle, "Eq. 14")
    fig4_stability.draw_agreement(
        axes["agreement"],
        sizes,
        np.stack([middle - 0.2, middle - 0.25, middle - 0.15], 1),
        "Eq. 14, other images",
    )
    fig4_stability.label_agreement(axes["agreement"], "agreement")
    return figure


def roles():
    figure, axes = panels.new_figure([["roles"]], figsize=(8, 2.8))
    fig5_roles.draw_roles(
        axes["roles"],
        [(0, 5, "core"), (5, 15, "overfitted"), (15, 25, "generalizing"), (25, 40, "confusing")],
    )
    panels.draw_curve(axes["roles"], 1 - FALL, "train")
    panels.draw_curve(axes["roles"], 0.8 - 0.8 * FALL, "test")
    fig5_roles.role_legend(figure)
    return figure


DRAWN = (top_set, growth, barcode, filtration, layer, births, curves, stability, roles)


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_a_drawing_looks_as_it_did(draw, tmp_path):
    written = os.environ.get("UNITNB_BASELINE") == "write"
    path = (BASELINE if written else tmp_path) / f"{draw.__name__}.png"
    draw().savefig(path, dpi=60, metadata={"Software": None})
    plt.close("all")
    if written:
        pytest.skip(f"{path} written: look at it")
    assert compare_images(str(BASELINE / path.name), str(path), TOLERANCE) is None


def test_each_baseline_belongs_to_a_drawing_and_all_are_small():
    files = list(BASELINE.glob("*"))
    assert {path.stem for path in files} == {draw.__name__ for draw in DRAWN}
    assert sum(path.stat().st_size for path in files) < 1e6

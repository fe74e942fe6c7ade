"""The drawing functions, on fixed data, beside the pictures in tests/baseline/.

pytest-mpl draws and compares (``--mpl`` is set in pyproject.toml). After a change that is meant, write the
pictures anew, look at them and commit them:
``python -m pytest tests/test_pictures.py --mpl-generate-path=tests/baseline``.
"""

import shutil
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import numpy as np
import pytest
from PIL import Image

from unitnb.explorer import answers, pictures
from unitnb.figures import fig1_2_method, fig2_training, fig4_stability, fig5_roles, panels

BASELINE = Path(__file__).parent / "baseline"
# Root of the mean square over the grey levels. The same version of Matplotlib gives 0, and a thinner line
# in one panel gives 1.5.
TOLERANCE = 1
MAP = np.abs(np.sin(np.arange(196).reshape(14, 14) ** 1.5)) * (np.arange(196).reshape(14, 14) % 3 > 0)
FALL = np.linspace(1, 0, 41) ** 2
BIRTHS = np.repeat([0, 5, 6, 8, 9, 13], [10, 5, 20, 30, 15, 20])
NULL = np.exp(-((np.arange(21) - 11.0) ** 2) / 12) / 6.1


def compared(name):
    """The mark of a test whose figure pytest-mpl compares with ``tests/baseline/<name>``."""
    return pytest.mark.mpl_image_compare(
        baseline_dir="baseline",
        filename=name,
        tolerance=TOLERANCE,
        style="default",
        savefig_kwargs={"dpi": 60},
    )


@compared("top_set.png")
def test_top_set():
    return fig1_2_method.top_set_figure(MAP, answers.filtration(MAP).birth)


@compared("growth.png")
def test_growth():
    return fig1_2_method.growth_figure(MAP, fig1_2_method.growing_orders(MAP, answers.filtration(MAP).birth))


@compared("barcode.png")
def test_barcode():
    return fig1_2_method.barcode_figure(MAP, answers.filtration(MAP).birth)


@compared("filtration.png")
def test_filtration():
    found = answers.filtration(MAP)
    return pictures.filtration_figure(np.tile(MAP[..., None], 3) / MAP.max(), found, found.birth_level + 2)


@compared("layer.png")
def test_layer():
    rate = np.linspace(0.1, 1, 30)
    entropy = 2 + 0.3 * np.cos(np.arange(30))
    return fig1_2_method.layer_figure(rate, entropy, rate / entropy, 29, (2.2, 0.08))


@compared("births.png")
def test_births():
    figure, axes = panels.new_figure([["one", "epochs"]], figsize=(7, 2.6))
    panels.draw_births(axes["one"], BIRTHS, "one unit", NULL)
    fig2_training.draw_birth_shares(
        axes["epochs"], {0: BIRTHS[:, None], 1: BIRTHS[BIRTHS != 13][:, None]}, NULL
    )
    return figure


@compared("curves.png")
def test_curves():
    figure, axes = panels.new_figure([["accuracy", "loss"]], figsize=(7, 2.6))
    panels.draw_random(axes["accuracy"], np.linspace(1, 0, 41) ** np.array([[0.3], [0.5], [0.8]]))
    for kind in ("rank", "reverse"):
        values = FALL if kind == "rank" else 1 - FALL[::-1]
        panels.draw_curve(axes["accuracy"], values, kind, kind, np.array([values - 0.1, values + 0.1]))
        panels.draw_curve(axes["loss"], 3 - 2 * values, kind)
    panels.label_curves(axes["accuracy"], "accuracy", "A")
    panels.label_curves(axes["loss"], "loss", "B")
    return figure


@compared("stability.png")
def test_stability():
    figure, axes = panels.new_figure([["votes", "agreement"]], figsize=(7, 2.6))
    votes, voted = np.r_[np.arange(30) * 3, np.zeros(10, int)], np.arange(29, 14, -1)
    fig4_stability.draw_votes(axes["votes"], votes, 100, voted, np.arange(29, -1, -2), "votes")
    axes["votes"].legend()
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


@compared("roles.png")
def test_roles():
    figure, axes = panels.new_figure([["roles"]], figsize=(8, 2.8))
    fig5_roles.draw_roles(
        axes["roles"],
        [(0, 5, "core"), (5, 15, "overfitted"), (15, 25, "generalizing"), (25, 40, "confusing")],
    )
    panels.draw_curve(axes["roles"], 1 - FALL, "train")
    panels.draw_curve(axes["roles"], 0.8 - 0.8 * FALL, "test")
    fig5_roles.role_legend(figure)
    return figure


def outcome_with(baseline: Path) -> pytest.ExitCode:
    """What pytest says of ``test_curves`` beside the pictures in ``baseline``."""
    test = baseline.with_name("test_copy.py")
    test.write_text("from test_pictures import test_curves\n")
    results = f"--mpl-results-path={baseline.with_name('results')}"
    return pytest.main(["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--mpl", results, str(test)])


def test_the_comparison_notices_a_picture_altered_by_hand(tmp_path, capsys):
    shutil.copytree(BASELINE, tmp_path / "baseline")
    assert outcome_with(tmp_path / "baseline") is pytest.ExitCode.OK
    picture = Image.open(tmp_path / "baseline" / "curves.png").convert("RGB")
    picture.paste((0, 0, 0), (100, 40, 130, 44))  # a bar of 30 by 4 points
    picture.save(tmp_path / "baseline" / "curves.png")
    assert outcome_with(tmp_path / "baseline") is pytest.ExitCode.TESTS_FAILED
    assert "RMS" in capsys.readouterr().out


def test_each_baseline_belongs_to_a_drawing_and_all_are_small(request):
    marks = (mark for test in globals().values() for mark in getattr(test, "pytestmark", ()))
    files = list(BASELINE.glob("*"))
    assert {path.name for path in files} == {mark.kwargs["filename"] for mark in marks}
    assert sum(path.stat().st_size for path in files) < 1e6
    assert request.config.getoption("--mpl")  # without it the pictures are drawn and not compared

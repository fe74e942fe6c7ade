"""No words of a figure lie over others: every figure that a notebook saves, with long names and numbers."""

import ast
from types import SimpleNamespace

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from overlaps import overlaps

from unitnb.claims import picture
from unitnb.claims.criteria import CLAIMS
from unitnb.claims.grades import VERDICTS
from unitnb.controls.choices import all_choices
from unitnb.controls.comparison import ScoreCurves
from unitnb.controls.experiments import CURVED, GREEDY, RANDOM
from unitnb.controls.many_networks import Loss
from unitnb.controls.scores import CAUSAL, OURS, PAPER
from unitnb.controls.second_layer import SecondLayer
from unitnb.figures import (
    fig1_2_method,
    fig2_training,
    fig3_ablation,
    fig4_stability,
    fig5_roles,
    fig6_controls,
    fig6_networks,
    fig6_rivals,
    fig7_simplification,
    panels,
    units_seen,
)
from unitnb.notebooks import rules
from unitnb.topology.births import birth_points
from unitnb.topology.nulls import null_births

RNG = np.random.default_rng(0)
UNITS = 1280  # four digits
CLASSES = ["garbage_truck", "chain_saw", "gas_pump", "French_horn", "cassette_player", *"abcde"]
MAPS = np.maximum(RNG.normal(size=(30, 14, 14, 16)), 0)
PHOTOS = RNG.integers(0, 255, (30, 32, 32, 3), np.uint8)
BIRTHS = birth_points(MAPS)
NULL = null_births(14)
SCORES = (PAPER, "mean activation", "single ablation", "rate only", "1/H only", OURS, "E, Eq. 6 as printed")
CHANGES = (*CURVED, "one permutation of rows and columns", "turned by 180 degrees")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def curve(power):
    """A made-up filled curve of ablation over ``UNITS`` units, with its bands."""
    values = np.linspace(1, 0, UNITS + 1) ** power
    parts = {"accuracy": values, "loss": 10 - 8 * values, "balanced_accuracy": (1 + values) / 2}
    return SimpleNamespace(
        **parts,
        points=np.arange(UNITS + 1),
        evaluated=np.arange(0, UNITS + 1, UNITS // 16),
        order=np.arange(UNITS),
        band=lambda metric="accuracy", n_boot=0: np.array([parts[metric] - 0.1, parts[metric] + 0.1]),
    )


CURVE = curve(1.5)
ROLES = SimpleNamespace(
    spans=[(0, 5, "core"), (5, 20, "overfitted"), (20, 40, "generalizing"), (40, 64, "confusing")]
)
SPANNED = dict.fromkeys("ABCD", (CURVE, curve(0.5), ROLES))


def score_curves(strength):
    falls, points = np.linspace(1, 0, 65) ** 2, np.arange(65) * (UNITS // 64)
    first, last = ([RNG.random(20) * 0.3 + shift for _ in range(3)] for shift in (0.0, strength))
    two = np.stack([falls, 1 - 0.2 * falls])
    return ScoreCurves(first, last, points, two, two[:, ::-1] ** 0.1, np.ones((65, 40), bool))


def class_result():
    names = (*SCORES, "few holes", "shuffled E", CAUSAL, GREEDY, RANDOM, *CHANGES)
    curves = {name: score_curves(0.1 + 0.05 * i) for i, name in enumerate(names)}
    noise = {
        f"{kind}, {share}%": RNG.random((4, 2))
        for kind in ("white", "smooth")
        for share in (100, 50, 20, 10, 5)
    }
    null = {name: RNG.random(16) for name in ("null rate", "null entropy", "rate z", "entropy z")}
    return SimpleNamespace(
        train={name: curves[name] for name in names[:11]},
        test=curves,
        births=BIRTHS,
        null=null,
        noise=noise,
        changed=dict.fromkeys(CHANGES, 0.5),
        agreement=dict.fromkeys(CHANGES, 0.5),
        choice_agreement=RNG.random(len(all_choices())),
        correlations=dict.fromkeys(("E", "rate", "1/H", "1/H given the rate"), 0.25),
    )


RESULTS = {name: class_result() for name in CLASSES}


def method():
    birth = int(BIRTHS[0, 0])
    return fig1_2_method.method_figure(
        PHOTOS[0], MAPS[0, ..., 0], birth, BIRTHS[:, 0], BIRTHS[:, 1] * (np.arange(30) < 8), (1277, 1280)
    )


def training():
    log = {"epoch": np.arange(11), "loss": np.linspace(7, 0.1, 11)}
    births = {epoch: BIRTHS for epoch in range(11)}
    means = dict.fromkeys(("entropy", "rate", "effectiveness"), np.linspace(2.4, 1.9, 11))
    return fig2_training.training_figure(log, births, means, NULL, (2.2, 0.05))


def ablation():
    by_class = dict.fromkeys(CLASSES, (CURVE, curve(0.1)))
    return fig3_ablation.ablation_figure(CURVE, curve(0.1), 20 * [curve(0.4)], CURVE, CURVE, by_class)


def stability():
    ranks = ("IR_100", "IR_1000", "IR_val", "IR_50", "mean rank")
    curves = {
        name: {rank: curve(1 + i / 5) for i, rank in enumerate(ranks)}
        for name in ("S_1000", "S_100", "S_val")
    }
    sizes, low = np.arange(50, 501, 25), np.linspace(0.3, 1, 19)
    spread = np.stack([low, low - 0.1, low + 0.1], axis=1)
    table = {
        "set_size": sizes,
        "votes": np.tile(np.arange(UNITS) % 100, (19, 1)),
        "top_units": np.tile(np.arange(1200, 1215), (19, 1)),
        "ratio": low,
        "kendall": spread,
        "jaccard": spread,
    }
    profile = SimpleNamespace(n_rank=100, n_sets=100)
    return fig4_stability.stability_figure(
        curves, dict.fromkeys(("overlapping", "disjoint", "other images"), table), profile
    )


def overfitting():
    models = [*"ABCD", "A1", "A2", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F", "H"]
    gaps = np.repeat([0.03, 0.08, 0.28, 0.7], 4)[:15] + np.arange(15) / 800
    signs = {"slope": gaps / 2, "train_accuracy": np.minimum(1, 0.97 + gaps), "gap": gaps}
    return fig5_roles.overfitting_figure(models, signs, list("ABCD"))


def networks():
    kinds = [
        ("cifar10-widths-512", 512, 10),
        ("cifar10-widths", 128, 10),
        ("imagenette", 1280, 1000),
        ("imagenette", 1280, 10),
    ]
    losses = [
        Loss(*kind, "flattened, 2 dense", name, 0.5, 0.3, 0.2, 0.9) for kind in kinds for name in CLASSES
    ]
    return fig6_networks.networks_figure(losses)


def depth():
    numbers = {
        "by layer, trained": np.linspace(0.5, 0, 13),
        "by layer, random": np.zeros(13),
        "by chance": np.ones(13),
    }
    curves = {name: score_curves(0.2) for name in fig6_networks.SECOND_LOOKS}
    sides = [224, 224, 112, 112, 56, 56, 56, 28, 28, 28, 14, 14, 14]
    second = SecondLayer(
        "mobilenetv2_1.00_96/block_12_depthwise_relu", "convolutions", (28, 28, 512), 2.5, 0.9, curves, curves
    )
    return fig6_networks.depth_figure(numbers, sides, second)


def seen():
    scores = {name: RNG.random(16) for name in units_seen.SHOWN}
    return units_seen.seen_figure(PHOTOS, MAPS, BIRTHS, scores, units_seen.telling_units(scores))


def kept():
    curves = {name: [CURVE, curve(0.5)] for name in (*fig7_simplification.LOOKS, RANDOM)}
    return fig7_simplification.kept_figure(SimpleNamespace(one=curves, every=curves), CLASSES[0])


def smaller():
    before = {name: RNG.random((3, 3)) for name in (*fig7_simplification.LOOKS, RANDOM)}
    special = {name: RNG.random(3) for name in fig7_simplification.SPECIALIST_LOOKS}
    core = {name: RNG.random(10) for name in ("share", "accuracy", "balanced accuracy")}
    return fig7_simplification.smaller_networks_figure(
        before, before, [32, 16, 8], special, core, CLASSES[:3]
    )


EFFECTS = dict.fromkeys("ABCD", (RNG.normal(size=64), RNG.normal(size=64), ["core", "confusing"] * 32))
BALANCED = {metric: RNG.normal(size=10) for metric in ("recall", "balanced accuracy")}
AREAS = RNG.random(len(all_choices()))
DRAWINGS = {
    "fig1": lambda: fig1_2_method.top_set_figure(MAPS[0, ..., 0], int(BIRTHS[0, 0])),
    "fig2a": method,
    "fig2": training,
    "fig3": ablation,
    "fig4": stability,
    "fig5": lambda: fig5_roles.roles_figure(SPANNED),
    "fig5b": lambda: fig5_roles.balanced_roles_figure(SPANNED, EFFECTS),
    "fig5c": overfitting,
    "fig5d": lambda: fig5_roles.class_matrices_figure(np.eye(10), np.eye(10) / 2, CLASSES),
    "fig6a": lambda: fig6_rivals.rivals_figure(RESULTS, CLASSES[0]),
    "fig6b": lambda: fig6_rivals.areas_figure(RESULTS),
    "fig6c": lambda: fig6_rivals.bias_figure(RESULTS, BALANCED),
    "fig6d": lambda: fig6_controls.null_figure(RESULTS, CLASSES[0], BIRTHS, *2 * [RESULTS["a"].null]),
    "fig6e": lambda: fig6_controls.construction_figure(RESULTS),
    "fig6f": lambda: fig6_controls.choices_figure(RESULTS, CLASSES[0], AREAS),
    "fig6g": lambda: fig6_rivals.rates_figure(RESULTS),
    "fig6h": networks,
    "fig6i": depth,
    "fig6j": seen,
    "fig7": kept,
    "fig7b": smaller,
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWINGS)
def test_no_words_overlap(name):
    assert overlaps(DRAWINGS[name]()) == []


def test_no_words_of_the_claims_overlap():
    entries = [{"id": claim.id, "verdict": VERDICTS[i % 6]} for i, claim in enumerate(CLAIMS)]
    names = ("shapes", "cifar10", "cifar10-vgg16", "imagenette", "imagenet")
    columns = {name: entries if i < 4 else "not run here" for i, name in enumerate(names)}
    assert overlaps(picture.claims_figure(columns)) == []


def test_every_figure_of_the_notebooks_is_drawn_here():
    saved = set()
    for source in rules.sources():
        for call in ast.walk(ast.parse(source.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "save_figure":
                saved.add(call.args[1].value)
    assert saved == DRAWINGS.keys()


def test_words_that_touch_are_found_and_words_side_by_side_are_not():
    figure, axes = panels.new_figure([["only"]], figsize=(4, 3), layout="none")
    axes["only"].set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    axes["only"].text(0.5, 0.5, "first word", ha="center")
    axes["only"].text(0.5, 0.8, "turned word", rotation=45, ha="center")
    assert overlaps(figure) == []
    axes["only"].text(0.52, 0.5, "second")
    axes["only"].plot([0.5], [0.5], label="name")
    axes["only"].legend(loc="center")
    found = overlaps(figure)
    assert "'first word' overlaps 'second'" in found and "'first word' overlaps 'legend'" in found
    figure.text(0.99, 0.02, "beyond the edge")
    assert "'beyond the edge' is cut by the edge" in overlaps(figure)


@pytest.mark.parametrize("label", ["units removed", "units removed\n(17 points)"])
def test_the_legend_of_fig_4d_covers_no_curve_and_no_band(monkeypatch, label):
    monkeypatch.setattr(fig4_stability, "steps_label", lambda *_: label)
    figure = stability()  # its lowest band begins at 0.2
    figure.set_dpi(200)  # as it is saved
    figure.canvas.draw()
    axes = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("D"))
    top = axes.transData.inverted().transform(axes.get_legend().get_window_extent())[1, 1]
    assert top <= axes.dataLim.ymin + 0.005 == pytest.approx(0.205)

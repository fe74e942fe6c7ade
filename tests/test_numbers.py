"""The table of numbers beside each figure: what it holds, on paper, and that the committed ones are whole."""

import csv
import io
import json

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from unitnb.figures import fig5_roles, panels, saving
from unitnb.figures.numbers import HEADER, LARGEST, LONG, figure_numbers
from unitnb.notebooks import rules
from unitnb.profiles import load_profile, project_root


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def rows_of(figure):
    figure.canvas.draw()
    text, _ = figure_numbers(figure)
    header, *rows = csv.reader(io.StringIO(text))
    assert tuple(header) == HEADER
    return [tuple(row) for row in rows]


def test_a_curve_and_its_band_are_one_series():
    figure, axes = panels.new_figure([["left", "right"]])
    values = np.array([1, 0.5, 0])
    panels.draw_curve(axes["left"], values, "rank", "best first", np.array([values - 0.25, values + 0.25]))
    panels.draw_curve(axes["right"], values, "test")  # a series without a word in the legend
    assert rows_of(figure) == [
        ("left", "best first", "0", "1", "0.75", "1.25"),
        ("left", "best first", "1", "0.5", "0.25", "0.75"),
        ("left", "best first", "2", "0", "-0.25", "0.25"),
        ("right", "test", "0", "1", "", ""),
        ("right", "test", "1", "0.5", "", ""),
        ("right", "test", "2", "0", "", ""),
    ]
    assert axes["right"].get_legend_handles_labels() == ([], [])


def test_a_table_of_names_has_the_name_as_x_whichever_way_it_lies():
    figure, axes = panels.new_figure([["lying", "standing"]])
    look = {"fmt": "s", "label": "area"}
    axes["lying"].errorbar([1.0, 2.0], [0.1, 1.1], xerr=[[0.5, 0.25], [1, 2]], **look)
    axes["lying"].set(yticks=[0, 1], yticklabels=["E", "mean\nmap"])
    axes["standing"].bar([0, 1], [3, 4], label="votes")
    axes["standing"].set_xticks([0, 1], [7, 9])  # names need not be words
    assert rows_of(figure) == [
        ("lying", "area", "E", "1", "0.5", "2"),
        ("lying", "area", "mean map", "2", "1.75", "4"),
        ("standing", "votes", "7", "3", "", ""),
        ("standing", "votes", "9", "4", "", ""),
    ]


def test_matrices_histograms_spans_and_guides():
    figure, axes = panels.new_figure([["matrix", "births", "roles"]])
    fig5_roles.draw_matrix(axes["matrix"], np.eye(2), ["ring", "star"], "", "", "", "RdBu_r", (-1, 1))
    panels.draw_births(axes["births"], np.array([0, 4, 4, 5]), "", np.array([0, 0, 0, 0, 0.75, 0.25]))
    fig5_roles.draw_roles(axes["roles"], [(0, 5, "core"), (5, 9, "confusing")])
    axes["roles"].axvline(3, label="birth point 3")
    axes["roles"].axhline(0)  # without a label: a guide, no number
    found = rows_of(figure)
    assert found[:4] == [
        ("matrix", "ring", "ring", "1", "", ""), ("matrix", "ring", "star", "0", "", ""),
        ("matrix", "star", "ring", "0", "", ""), ("matrix", "star", "star", "1", "", ""),
    ]  # fmt: skip
    shares = {row[:4] for row in found if row[0] == "births" and row[3] != "0"}
    assert shares == {
        ("births", "images with a birth", "4", "0.666667"),
        ("births", "images with a birth", "5", "0.333333"),
        ("births", "structureless maps", "4", "0.75"), ("births", "structureless maps", "5", "0.25"),
    }  # fmt: skip
    assert [row for row in found if row[0] == "roles"] == [
        ("roles", "birth point 3", "3", "", "", ""),
        ("roles", "core", "", "", "0", "5"),
        ("roles", "confusing", "", "", "5", "9"),
    ]


def test_a_large_figure_keeps_every_second_or_fourth_point_of_its_long_series():
    figure, axes = panels.new_figure([["only"]])
    for number in range(30):
        axes["only"].plot(np.arange(1000), np.linspace(0, 1, 1000), label=f"_curve {number}")
    axes["only"].plot(np.arange(LONG), np.arange(LONG), label="_short")
    text, step = figure_numbers(figure)
    rows = list(csv.reader(io.StringIO(text)))[1:]
    assert len(text) <= LARGEST < len(text) * 2.2 and step == 4
    assert [row[2] for row in rows if row[1] == "curve 7"] == [*map(str, range(0, 999, 4)), "999"]
    assert sum(row[1] == "short" for row in rows) == LONG


def test_saving_a_figure_saves_its_numbers_twice_alike(monkeypatch, tmp_path):
    monkeypatch.setenv("UNITNB_FIGURES", str(tmp_path))
    profile, written = load_profile("shapes"), []
    for _ in range(2):
        figure, axes = panels.new_figure([["only"]])
        panels.draw_curve(axes["only"], np.array([1, 1 / 3]), "rank")
        saving.save_figure(profile, "fig3", figure, notebook="03_ablation")
        written.append((profile.figures_folder / "fig3.csv").read_bytes())
    assert written[0] == written[1] == b"panel,series,x,y,low,high\nonly,rank,0,1,,\nonly,rank,1,0.333333,,\n"
    manifest = json.loads((profile.figures_folder / "manifest.json").read_text())
    assert manifest["fig3.csv"]["notebook"] == "03_ablation" and "every" not in manifest["fig3.csv"]


def test_every_committed_figure_of_the_default_profile_has_its_numbers_by_name():
    profile = load_profile("shapes")
    folder = project_root() / "figures" / profile.name / profile.target_class
    figures = [
        name for source in rules.sources() for name in rules.saved_files(source) if name[-4:] == ".png"
    ]
    assert len(figures) > 10
    for name in figures:
        path = folder / name.replace(".png", ".csv")
        header, *rows = csv.reader(io.StringIO(path.read_text()))
        assert tuple(header) == HEADER and len(rows) > 5 and path.stat().st_size <= LARGEST, name
        assert all(row[0] and row[1] and any(row[2:]) for row in rows), name
        assert not [row[1] for row in rows if row[1].startswith("unnamed ")], name

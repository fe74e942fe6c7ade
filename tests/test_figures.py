import json
import re
from dataclasses import replace

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from unitnb.figures import fig5_roles, panels, saving
from unitnb.figures.fig1_2_method import top_set_figure
from unitnb.figures.words import table
from unitnb.images.samples import SampleSet
from unitnb.profiles import load_profile


@pytest.fixture
def profile(monkeypatch, tmp_path):
    monkeypatch.setenv("UNITNB_FIGURES", str(tmp_path))
    return load_profile("shapes")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def curve_figure(values):
    figure, axes = panels.new_figure([["only"]])
    panels.draw_curve(axes["only"], np.asarray(values, float), "rank")
    return figure


def entry(profile, name="fig3.png"):
    return json.loads((profile.figures_folder / "manifest.json").read_text())[name]


def test_a_figure_is_saved_with_its_line_in_the_manifest(profile):
    saving.save_figure(profile, "fig3", curve_figure([1, 0.5, 0]), notebook="03_ablation")
    png = plt.imread(profile.figures_folder / "fig3.png")
    assert png.std() > 0 and (profile.figures_folder / "fig3.pdf").read_bytes().startswith(b"%PDF")
    line = entry(profile)
    assert [line[name] for name in ("notebook", "profile", "class", "seed")] == [
        "03_ablation",
        "shapes",
        "square",
        0,
    ]
    assert line["versions"]["numpy"] == np.__version__ and line["images"]["name"] == "shapes"
    assert line["networks"]["A"].startswith("A.npz, sha256 ") and "settings" not in line
    assert re.fullmatch("[0-9a-f]{64}", entry(profile)["data_sha256"])


def test_the_hash_is_of_the_plotted_numbers_and_of_nothing_else(profile):
    shas = []
    for values in ([1, 0.5, 0], [1, 0.5 + 1e-9, 0], [1, 0.6, 0]):
        saving.save_figure(profile, "fig3", curve_figure(values), notebook="03_ablation")
        shas.append(entry(profile)["data_sha256"])
    assert shas[0] == shas[1] != shas[2]


def test_the_hash_of_bars_sees_their_heights_and_not_the_layout(profile):
    shas = []
    for births, size in (([7, 7, 9], (4, 3)), ([7, 7, 9], (8, 3)), ([7, 9, 9], (4, 3))):
        figure, axes = panels.new_figure([["only"]], figsize=size)
        panels.draw_births(axes["only"], np.array(births), "")
        saving.save_figure(profile, "fig2a", figure, notebook="01_method")
        shas.append(entry(profile, "fig2a.png")["data_sha256"])
    assert shas[0] == shas[1] != shas[2]


def test_saving_twice_gives_the_same_bytes(profile):
    written = []
    for _ in range(2):
        saving.save_figure(profile, "fig3", curve_figure([1, 0.2]), notebook="03_ablation")
        written.append(
            [(profile.figures_folder / f"fig3.{ending}").read_bytes() for ending in ("png", "pdf")]
        )
    assert written[0] == written[1]


def test_the_manifest_keeps_what_other_notebooks_wrote(profile):
    saving.save_table(profile, "table1", "| a |\n", notebook="05_roles")
    saving.save_figure(profile, "fig3", curve_figure([1, 0]), notebook="03_ablation")
    other = replace(profile, target_class="star")
    saving.save_figure(other, "fig3", curve_figure([1, 0]), notebook="03_ablation")
    assert entry(profile, "table1.md")["notebook"] == "05_roles" and entry(other)["class"] == "star"
    assert (profile.figures_folder / "table1.md").read_text() == "| a |\n"


def test_the_sample_sets_behind_a_figure_are_recorded(profile):
    sample = SampleSet(
        "S_100",
        "A",
        "train",
        np.zeros((2, 1, 1, 3), np.uint8),
        np.array([4, 4]),
        np.array([7, 3]),
        ["train/x.jpg (truncated)"],
    )
    saving.save_figure(profile, "fig3", curve_figure([1, 0]), notebook="03_ablation", samples=[sample])
    recorded = json.loads((profile.figures_folder / "samples.json").read_text())
    assert recorded == {
        "A S_100": {
            "split": "train",
            "classes": [4],
            "indices": [7, 3],
            "skipped": ["train/x.jpg (truncated)"],
        }
    }


def test_a_table_is_markdown():
    assert table(["a", "b"], [[1, "x"]]) == "| a | b |\n| --- | --- |\n| 1 | x |"


def test_a_complex_shows_its_edges_triangles_and_hole():
    _, axes = panels.new_figure([["plain", "hole"]])
    panels.draw_complex(axes["plain"], 5, [(0, 1), (1, 2), (0, 2), (2, 3)], "")
    assert len(axes["plain"].patches) == 1 and len(axes["plain"].lines) == 4
    panels.draw_complex(axes["hole"], 5, [(0, 1), (1, 2), (2, 3), (3, 0), (0, 4)], "", hole=(0, 1, 2, 3))
    assert (
        len(axes["hole"].patches) == 0 and sum(line.get_linewidth() > 2 for line in axes["hole"].lines) == 4
    )


def test_a_histogram_counts_only_images_with_a_birth():
    _, axes = panels.new_figure([["only"]])
    panels.draw_births(axes["only"], np.array([0, 0, 7, 7, 7, 9]), "")
    heights = {
        round(bar.get_x() + bar.get_width() / 2): bar.get_height()
        for bar in axes["only"].patches
        if bar.get_height()
    }
    assert heights == {7: 0.75, 9: 0.25}


def test_every_role_has_a_colour_and_a_hatch_of_its_own():
    from unitnb.roles.by_place import ROLES

    assert set(fig5_roles.ROLE_FILLS) == set(fig5_roles.ROLE_HATCHES) == set(ROLES)
    assert len(set(fig5_roles.ROLE_FILLS.values())) == len(set(fig5_roles.ROLE_HATCHES.values())) == 4


def test_pictures_of_a_tied_map_show_the_edges_of_its_birth_and_none_of_a_later_level():
    fmap = np.zeros((6, 6))
    fmap[[0, 1, 2, 3], [1, 2, 3, 0]], fmap[[3, 4], [4, 5]] = [9, 9, 8, 8], [8, 7]
    whole, few, birth, hole = top_set_figure(fmap, 5).axes
    assert [text.get_text() for text in hole.texts] == ["1", "2", "3", "4"] and len(hole.lines) == 1
    assert "order 2" in whole.get_title(loc="left") + whole.get_title()
    assert (len(few.lines), len(birth.lines)) == (2, 5)

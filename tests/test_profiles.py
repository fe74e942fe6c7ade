import math
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

import unitnb
from unitnb.images.parameters import notebook_parameters
from unitnb.profiles import Recipe, load_profile, profile_names

ROOT = Path(unitnb.__file__).parents[1]

DEFAULTS = {"profile": "shapes", "target_class": None, "seed": 0, "overrides": {}}


def test_a_profile_is_its_file_with_single_settings_replaced():
    plain, changed = (
        load_profile("shapes"),
        load_profile("shapes", {"n_rank": 7, "models": {"A": {"epochs": 2}}}),
    )
    assert (changed.n_rank, changed.recipe("A").epochs) == (7, 2)
    assert changed.recipe("A").dropout == plain.recipe("A").dropout and changed.recipe("B") == plain.recipe(
        "B"
    )


@pytest.mark.parametrize(
    ("name", "overrides", "said"),
    [
        ("shaps", {}, "did you mean 'shapes'"),
        ("../shapes", {}, "unknown profile"),
        ("shapes", {"n_rnk": 3}, "did you mean 'n_rank'"),
        ("shapes", {"n_rank": "many"}, "n_rank: expected a whole number, got 'many'"),
        ("shapes", {"n_rank": True}, "n_rank: expected a whole number, got True"),
        ("shapes", {"b_max": "fifty"}, "b_max: expected a whole number, got 'fifty'"),
        ("shapes", {"n_rank": -5}, "n_rank: expected 1 or more, got -5"),
        ("shapes", {"set_sizes": [50, 1]}, "set_sizes: expected 2 or more, got 1"),
        ("shapes", {"set_sizes": []}, "positive whole numbers"),
        ("shapes", {"points": 1}, "points: expected 2 or more, got 1"),
        ("shapes", {"max_classes": 3.5}, "max_classes: expected a whole number, got 3.5"),
        ("shapes", {"effective_threshold": 3.0}, "expected a number from 0.0 to 1.0, got 3.0"),
        ("shapes", {"effective_threshold": math.nan}, "expected a number from 0.0 to 1.0, got nan"),
        ("shapes", {"target_class": True}, "target_class: expected a text, got True; put it in quotes"),
        ("shapes", {"models": {"A": {"epochs": -1}}}, "model A: epochs: expected 0 or more, got -1"),
        ("shapes", {"models": 5}, "models: expected names and values, .*, got 5"),
        ("shapes", {"models": {"A": 5}}, "models: expected names and values"),
        ("shapes", {"extra": {"A9": {"epochs": 3}}}, "unknown model 'A9': did you mean 'A"),
        ("shapes", {"widths": [3, "x"]}, "positive whole numbers"),
        ("shapes", {"name": "../../x"}, "cannot be replaced"),
        ("shapes", {"models": {"A": {"epoch": 3}}}, "did you mean 'epochs'"),
        ("shapes", {"models": {"Q": {}}}, "unknown model 'Q'"),
        ("shapes", "n_rank", "expected names and values"),
    ],
)
def test_bad_settings_are_named_with_what_was_expected(name, overrides, said):
    with pytest.raises(ValueError, match=said):
        load_profile(name, overrides)


def test_an_unknown_model_is_named_with_the_known_ones():
    with pytest.raises(KeyError, match="known: A, B, C, D"):
        load_profile("shapes").recipe("Z")


def test_step_size_is_constant_or_falls_along_half_a_cosine():
    assert Recipe(epochs=4, learning_rate=0.2).step_size(3) == 0.2
    assert [round(Recipe(epochs=4, learning_rate=0.2, cosine=True).step_size(e), 4) for e in (1, 3)] == [
        0.2,
        0.1,
    ]


def test_the_parameters_cell_chooses_profile_class_and_seed():
    profile = notebook_parameters(
        {**DEFAULTS, "target_class": "star", "seed": 3, "overrides": {"n_rank": 20}}
    )
    assert (profile.target_class, profile.seed, profile.n_rank) == ("star", 3, 20)
    assert notebook_parameters(DEFAULTS).target_class == load_profile("shapes").target_class


def test_a_parameter_that_papermill_only_warns_of_is_an_error():
    cells = ["", 'profile = "shapes"', '# Parameters\ntargt_class = "ring"\n', "elsewhere = 1"]
    with pytest.raises(ValueError, match="unknown parameter 'targt_class': did you mean 'target_class'"):
        notebook_parameters({**DEFAULTS, "In": cells})
    notebook_parameters({**DEFAULTS, "In": [cells[1], '# Parameters\ntarget_class = "ring"\n', cells[3]]})


@pytest.mark.parametrize("seed", [-1, "0", 1.5, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed"):
        notebook_parameters({**DEFAULTS, "seed": seed})


def test_a_seed_among_the_settings_would_be_ignored_and_is_refused():
    with pytest.raises(ValueError, match="seed is a parameter of its own and no setting"):
        notebook_parameters({**DEFAULTS, "overrides": {"seed": 3}})


def test_a_profile_may_stand_on_another(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks" / "profiles"
    folder.mkdir(parents=True)
    (folder / "large.yaml").write_text(
        "source: shapes\ntarget_class: ring\nn_rank: 90\nn_large: 900\nmodels: {A: {epochs: 3}}\n"
    )
    (folder / "small.yaml").write_text("base: large\nn_rank: 9\n")
    (folder / "lost.yaml").write_text("base: lrge\n")
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    found = load_profile("small", {"n_sets": 5})
    assert (found.name, found.n_rank, found.n_large, found.target_class, found.recipe("A").epochs) == (
        "small",
        9,
        900,
        "ring",
        3,
    )
    with pytest.raises(ValueError, match="unknown base 'lrge': did you mean 'large'"):
        load_profile("lost")
    (folder / "lost.yaml").write_text("base: [1]\n")
    with pytest.raises(ValueError, match=r"lost.yaml: unknown base '\[1\]'"):
        load_profile("lost")


def test_without_a_checkout_one_sentence_says_where_profiles_are(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no profiles in .* and none in .*; work in a clone"):
        load_profile("shapes")


def test_without_a_checkout_the_profiles_are_those_that_came_with_the_package(monkeypatch, tmp_path):
    """As the wheel installs them; pyproject.toml names the folder."""
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    ((place, patterns),) = pyproject["tool"]["setuptools"]["data-files"].items()
    (tmp_path / place).mkdir(parents=True)
    for file in (file for pattern in patterns for file in ROOT.glob(pattern)):
        shutil.copy(file, tmp_path / place)
    assert load_profile("shapes").image_size == 32 and "imagenette" in profile_names()

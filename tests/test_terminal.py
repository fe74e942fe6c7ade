"""What the terminal says: help with examples, the lines of a run, its end."""

import argparse
import logging
import subprocess
import sys

import pytest

import unitnb
from unitnb import cli
from unitnb.claims import documents, verdicts
from unitnb.claims.summary import summary
from unitnb.notebooks import opening
from unitnb.profiles import load_profile


def commands():
    parser = cli._parser()
    (found,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return found.choices


@pytest.mark.parametrize("name", sorted(commands()))
def test_each_argument_is_documented_with_an_example(name):
    """Or with its default, or with its choices; switches take nothing."""
    parser = commands()[name]
    assert parser.description
    for action in parser._actions:
        shown = str(action.help)
        taken = action.nargs != 0
        assert shown and (not taken or any(word in shown for word in ("for instance", "e, rate, "))), action


@pytest.mark.parametrize("name", sorted(set(commands()) - {"refresh", "check"}))
def test_the_example_of_a_command_is_one_that_it_takes(name):
    words = " ".join(commands()[name].epilog.split()).removeprefix("for instance: unitnb ").split()
    assert cli._parser().parse_args(words).action


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"unitnb {unitnb.__version__}\n"


def test_the_help_names_every_command_and_fits_the_terminal(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"    {name} " in said for name in commands())
    assert max(map(len, said.splitlines())) < 100


@pytest.mark.parametrize(
    ("number", "jobs", "profile", "words"),
    [
        (7, 2, "shapes", "7 notebooks, 2 at a time, about 4 minutes"),
        (1, 2, "shapes", "1 notebook, about a minute"),
        (7, 1, "imagenet", "7 notebooks, about 10 hours"),
        (3, 4, "mine", "3 notebooks, 3 at a time, mine"),
    ],
)
def test_the_opening_has_a_time_where_one_is_known(number, jobs, profile, words):
    assert opening.opening(number, jobs, profile) == words


def test_a_notebook_that_ended_has_its_place_only_inside_make(tmp_path, monkeypatch):
    assert opening.ended("03_ablation", 20.6) == "03_ablation 21 s"
    count = tmp_path / "count"
    count.write_text("2")
    monkeypatch.setenv(opening.COUNT, str(count))
    assert opening.ended("03_ablation", 20.6) == "[1/2] 03_ablation 21 s"
    needed = opening.ended("02_training", 5, "networks")
    assert needed == "[2/2] 02_training 5 s; not measured: networks"


def test_a_checkout_that_cannot_be_written_to_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="file/count cannot be written .*; work in a folder of your own"):
        opening.main("2", "1", "shapes", str(tmp_path / "file" / "count"))


def test_the_end_counts_figures_tables_and_verdicts_and_says_what_to_do_next(tmp_path, monkeypatch):
    profile = load_profile("cifar10")
    entries = verdicts.load_claims(profile)
    monkeypatch.setenv("UNITNB_FIGURES", str(tmp_path))
    profile.figures_folder.mkdir(parents=True)
    for name in ("fig1.png", "fig2.png", "fig1.csv", "scores.md", documents.DOCUMENT):
        (profile.figures_folder / name).touch()
    where, found, then = summary(profile, entries).splitlines()
    assert where == f"{profile.figures_folder}/: 2 figures, 1 tables, and CLAIMS.md"
    assert documents.counts(entries) in found and "make open PROFILE=cifar10 (" in then


def test_tensorflows_own_warnings_are_dropped_in_a_kernel():
    import tensorflow

    assert tensorflow.get_logger().level == logging.ERROR


# ---- without the extras ----

WITHOUT = """
import importlib.abc, importlib.metadata, re, sys

declared = importlib.metadata.requires("unitnb")
found = {re.match("[\\w-]+", entry)[0] for entry in declared if "extra ==" in entry}
EXTRAS = {name.replace("-", "_") for name in found} - {"unitnb"}

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def without_extras(code):
    return subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True)


def test_the_help_of_the_package_needs_no_extra():
    found = without_extras("import pydoc, unitnb; print('birth_points' in pydoc.render_doc(unitnb))")
    assert found.stdout == "True\n", found.stderr


def test_a_missing_extra_is_named_with_its_command():
    found = without_extras("import unitnb; unitnb.explore()")
    assert found.stderr.endswith(
        "the package 'ipywidgets' is not installed; it comes with: pip install 'unitnb[lab]'\n"
    )
    found = without_extras("from unitnb import cli; sys.exit(cli.main(['html']))")
    assert found.returncode == 1 and found.stderr.startswith("unitnb: the package '")
    assert found.stderr.endswith("it comes with: pip install 'unitnb[lab]'\n")

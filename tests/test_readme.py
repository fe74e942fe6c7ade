"""README and ``figures/README.md``: short, true to the results, every link and command of them checked."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import unitnb
from unitnb import cli
from unitnb.claims import documents, readme
from unitnb.claims.criteria import CLAIMS
from unitnb.claims.records import Records
from unitnb.files.settings import class_folder
from unitnb.notebooks import rules
from unitnb.profiles import load_profile, profile_names

ROOT = Path(unitnb.__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "figures/README.md",
    "notebooks/profiles/README.md",
    "unitnb/sweep/README.md",
]


@pytest.fixture(scope="module")
def runs():
    return documents.overview()


def test_the_readme_is_one_that_a_reader_gets_through():
    lines = README.splitlines()
    assert len(lines) <= 130 and max(map(len, lines)) <= 120
    assert README.count("![") == 4 and README.index("![") < README.index("\n## ")


# ---- numbers ----


def test_the_readmes_numbers_are_those_of_the_records(runs):
    assert readme.filled(README, Records(runs)) == README, "stale; make it with: unitnb claims"
    assert len(readme.BLOCK.findall(README)) == 3


def test_no_measured_number_stands_outside_the_markers():
    """Decimals and percentages that are left are versions, the paper's numbers, and arguments."""
    text = re.sub(
        r"```.*?```|`[^`]*`|^    [^\n]*$|\]\([^)]*\)", "", readme.BLOCK.sub("", README), flags=re.S | re.M
    )
    assert re.findall(r"\d+\.\d+|\d+%", text) == ["2103.09716", "3.11"]


def test_the_gallery_is_that_of_the_records(runs):
    text = (ROOT / "figures" / "README.md").read_text(encoding="utf-8")
    assert text == readme.gallery(runs), "stale; make it with: unitnb claims"


def test_another_number_in_the_records_changes_both_documents(runs):
    other = {name: run if isinstance(run, str) else [dict(e) for e in run] for name, run in runs.items()}
    entry = next(e for e in other["imagenette"] if e["id"] == "C15")
    entry["measured"] = {**entry["measured"], "units": 0.987}
    entry["verdict"] = "does not hold"
    text = readme.filled(README, Records(other))
    assert "lost after 99% of" in text.replace("\n  ", " ") and "(C15, does not hold)" in text
    assert readme.gallery(other) != readme.gallery(runs)


def test_the_table_of_differences_has_the_claims_that_are_judged_otherwise(runs):
    other = {
        name: [dict(entry) for entry in runs["shapes"]] for name in ("shapes", "cifar10", readme.TRAINED)
    }
    assert readme.differences_table(other).count("\n") == 1  # the header alone
    other["cifar10"][3] |= {"verdict": "not measured"}
    other[readme.TRAINED][5] |= {"verdict": "one training only"}
    found = readme.differences_table(other).splitlines()[2:]
    assert [row.split("**")[1] for row in found] == [CLAIMS[3].id, CLAIMS[5].id]
    assert readme.differences_table({**other, "cifar10": "not run here"}) == ""


def test_a_name_that_no_run_recorded_is_an_error(runs):
    found = Records(runs)
    with pytest.raises(KeyError, match="imagenette: claim C15 has no number 'unit': did you mean 'units'"):
        found.number("imagenette", "C15", "unit")
    with pytest.raises(KeyError, match=r"controls.md has no question 'Is it\?'"):
        found.answer("imagenette", "Is it?")


def test_update_writes_what_is_stale_and_nothing_else(runs, tmp_path):
    shutil.copy(ROOT / "README.md", tmp_path)
    (tmp_path / "figures").mkdir()
    stale = readme.BLOCK.sub(r"\1something old\n\3", README)
    (tmp_path / "README.md").write_text(stale, encoding="utf-8")
    assert readme.update(tmp_path) and (tmp_path / "README.md").read_text(encoding="utf-8") == README
    before = (tmp_path / "README.md").stat().st_mtime_ns
    assert readme.update(tmp_path) and (tmp_path / "README.md").stat().st_mtime_ns == before


def test_every_figure_of_every_run_is_in_the_gallery(runs):
    text = (ROOT / "figures" / "README.md").read_text(encoding="utf-8")
    for name in Records(runs).runs:
        profile = load_profile(name)
        for path in profile.figures_folder.glob("*.png"):
            assert f'src="{name}/{class_folder(profile.target_class)}/{path.name}"' in text, path


# ---- links and commands ----


def anchors(text):
    """GitHub's anchors of the headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(document):
    path = ROOT / document
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    local = [link for link in links if "://" not in link]
    for link in local:
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link
    assert local


def commands(document):
    """The commands of the indented blocks, without their comments."""
    text = re.sub(r"```.*?```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.S)
    return [line.split(" #")[0].strip() for line in re.findall(r"^    (?!  )(\S.*)$", text, re.M)]


MAKE = [(document, line) for document in DOCUMENTS for line in commands(document) if line.startswith("make ")]


@pytest.mark.parametrize(("document", "line"), MAKE)
def test_every_make_command_names_a_target_variables_and_a_profile_that_exist(document, line):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)", makefile, re.M)[1].split()
    variables = {*re.findall(r"^(\w+) \?=", makefile, re.M), "PYTHON", "EXTRA"}
    target, *given = re.sub(r"<[^>]*>|'[^']*'", "x", line).split()[1:]
    assert target in targets
    for name, _, value in (word.partition("=") for word in given):
        assert name in variables and (name != "PROFILE" or value in profile_names()), line


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_unitnb_is_one_that_it_takes(document):
    lines = [line for line in commands(document) if line.startswith(".venv/bin/unitnb ")]
    for line in lines:
        assert cli._parser().parse_args(line.split()[1:]).action
    assert lines or document not in ("README.md", "unitnb/sweep/README.md")


def test_every_other_command_is_known():
    first = {line.split()[0] for document in DOCUMENTS for line in commands(document)}
    programs = {"git", "make", ".venv/bin/unitnb", ".venv/bin/papermill", ".venv/bin/python", "!git", "%cd"}
    assert first <= programs
    (papermill,) = [line for line in commands("README.md") if "papermill" in line]
    source = ROOT / papermill.split()[1]
    assert source.exists() and source.with_suffix(".py") in rules.sources()
    assert papermill.split()[-1] in unitnb.open_images(load_profile()).classes


def test_every_notebook_and_every_profile_has_its_row():
    assert all(f"](notebooks/{source.stem}.ipynb)" in README for source in rules.pair_sources())
    profiles = (ROOT / "notebooks" / "profiles" / "README.md").read_text(encoding="utf-8")
    assert all(f"[{name}]({name}.yaml)" in profiles for name in profile_names())


def test_the_time_of_make_figures_is_the_one_that_make_says():
    from unitnb.notebooks.opening import MINUTES

    said = int(re.search(r"every figure: about (\d+) minutes", README)[1])
    assert said == MINUTES["shapes"] + 1  # with the environment


@pytest.mark.filterwarnings("ignore:.*chance would give")  # its weights are random
def test_the_example_of_ones_own_model_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", README, re.S)[1]
    space = {}
    exec(compile(code, "README.md", "exec"), space)
    assert len(space["table"]) == len(space["found"].rank) and len(space["figure"].axes) == 3


def test_the_command_for_ones_own_model_is_one_that_make_knows():
    command = re.search(r"^    (make figures MODEL=.*)$", README, re.M)[1].split()
    wanted = subprocess.run(
        [*command, "-n", f"PYTHON={sys.executable}"], cwd=ROOT, capture_output=True, text=True
    )
    assert "No rule to make target 'my.keras'" in wanted.stderr  # the one thing that is missing here

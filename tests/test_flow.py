"""The repository itself: imports flow one way, facts stand in one place, what is promised exists."""

import ast
import itertools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jupytext
import nbformat
import pytest
import yaml
from packaging.requirements import Requirement

import unitnb
from unitnb.notebooks import rules
from unitnb.notebooks.pairs import problems
from unitnb.profiles import load_profile

ROOT = Path(unitnb.__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def lock():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return {
        re.split("[=;]", line)[0].strip().lower(): line for line in lines if line and not line.startswith("#")
    }


def test_a_place_imports_only_from_places_before_it():
    """The layers and their order stand in pyproject.toml; import-linter reads imports in functions, too."""
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout


def test_faces_hand_names_on_and_define_nothing():
    for face in (ROOT / "unitnb").glob("*/__init__.py"):
        assert not [
            node
            for node in ast.walk(ast.parse(face.read_text()))
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        ], face
    assert unitnb.topology.birth_points is unitnb.birth_points and "birth_points" in dir(unitnb.topology)
    with pytest.raises(AttributeError, match="unitnb.files has no 'birth_points'; it has modules only"):
        _ = unitnb.files.birth_points


def test_modules_import_from_modules_not_from_faces():
    """So that make reruns a notebook only for what it uses."""
    faces = {path.parent.name for path in (ROOT / "unitnb").glob("*/__init__.py")}
    for file in (ROOT / "unitnb").rglob("*.py"):
        nodes = [
            node
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom) and node.level == 2
        ]
        for node in nodes:
            taken = {
                alias.name
                for alias in node.names
                if not (ROOT / "unitnb" / (node.module or "") / f"{alias.name}.py").exists()
            }
            assert node.module not in faces or not taken, (file.name, node.module, taken)


def test_every_public_name_exists():
    for name in unitnb.__all__:
        assert getattr(unitnb, name).__doc__, name
    with pytest.raises(AttributeError, match="unitnb has no 'nothing'"):
        _ = unitnb.nothing


def test_importing_the_package_loads_nothing_heavy():
    """It takes about a millisecond; NumPy alone takes a hundred, Keras thousands."""
    heavy = "('tensorflow', 'keras', 'numba', 'gudhi', 'numpy', 'matplotlib')"
    code = f"import sys, unitnb; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr


def test_the_package_holds_the_places_and_nothing_else_beside_them():
    """``profiles`` and ``synsets`` run before the environment exists. ``weights`` holds networks."""
    (contract,) = PYPROJECT["tool"]["importlinter"]["contracts"]
    layers = {name.strip() for layer in contract["layers"] for name in layer.split(":")}
    files = {"__init__.py", "cli.py", "profiles.py", "synsets.py", "synsets.txt", "py.typed"}
    places = layers - {"cli", "profiles", "synsets"}
    found = {path.name for path in (ROOT / "unitnb").iterdir() if path.name != "__pycache__"}
    assert found == places | files | {"weights"}
    assert all((ROOT / "unitnb" / place / "__init__.py").exists() for place in places)


def test_the_lock_has_every_declared_package_and_no_address():
    declared = PROJECT["dependencies"] + [
        name for extra in PROJECT["optional-dependencies"].values() for name in extra
    ]
    names = {re.split(r"[\[><=]", entry)[0].lower() for entry in declared} - {"unitnb"}
    assert names <= set(lock()), names - set(lock())
    assert all("==" in line and "://" not in line for line in lock().values())


def test_the_lock_with_hashes_has_the_same_pins_and_no_address():
    """pip wants no hashes in constraints, which conda's environment takes from requirements.lock."""
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements.hashes").read_text().strip())
    pins = [re.sub(r"[ \\]+$", "", block.splitlines()[0]) for block in blocks]
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert pins == [line for line in lines if line and not line.startswith("#")]
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) and "://" not in block for block in blocks)


def test_the_conda_environment_installs_the_package_with_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert conda == ["python=3.11", "pip"] and pip == {"pip": ["-c requirements.lock", "-e .[lab]"]}
    assert PROJECT["requires-python"] == ">=3.11"


def test_binder_can_use_the_lock_as_constraints():
    """As repo2docker and pip document: files at the root (a binder/ folder would hide them), plain pins."""
    assert (
        not (ROOT / "binder").exists()
        and not (ROOT / ".binder").exists()
        and "lab" in PROJECT["optional-dependencies"]
    )
    for line in lock().values():
        pin = Requirement(line)
        assert (
            [specifier.operator for specifier in pin.specifier] == ["=="] and not pin.extras and not pin.url
        ), line


def workflow():
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]


def test_container_and_workflow_have_the_same_python_and_run_what_ci_runs():
    python = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][0].split("=")[1]
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    job = workflow()["test"]
    assert f"python:{python}" in container["image"] and job["container"].startswith(
        "python:${{ matrix.python }}-"
    )
    assert job["strategy"]["matrix"]["python"] == [python, "3.13"]
    run = [step["run"] for step in job["steps"] if "run" in step]
    kept = {step["with"]["name"]: step for step in job["steps"] if "upload-artifact" in step.get("uses", "")}
    assert run[0] == ".ci/run" and "figures/" in kept["figures-${{ matrix.python }}"]["with"]["path"]
    assert (
        kept["site"]["with"]["path"] == "build/site/" and kept["site"]["if"] == f"matrix.python == '{python}'"
    )
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    expected = ["make test", "make test-long", "make test-browser", "make html"]
    assert [line for line in commands if line.startswith("make")] == expected
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_the_workflow_runs_the_engines_on_jax():
    job = workflow()["jax"]
    assert job["env"] == {"KERAS_BACKEND": "jax"}
    tests = re.findall(r"tests/\w+\.py", job["steps"][-1]["run"])
    assert len(tests) == 5 and all((ROOT / test).exists() for test in tests)


def test_each_action_is_pinned_by_a_commit_and_names_its_version():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    used = re.findall(r"uses: (.*)", text)
    assert used and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", line) for line in used), used


def test_pre_commit_has_the_locks_ruff_and_the_check_of_the_pairs():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    ruff, local = repos
    assert f"ruff=={ruff['rev'].removeprefix('v')}" == lock()["ruff"]
    assert [hook["id"] for hook in ruff["hooks"]] == ["ruff-check", "ruff-format"]
    assert [hook["entry"] for hook in local["hooks"]] == [".venv/bin/python -m unitnb.cli check"]


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[0-9]*.yml")), ids=lambda form: form.stem
)
def test_an_issue_form_has_what_github_asks_of_it(form):
    """A name, a description, and fields of known types, each with a label and an identifier of its own."""
    read = yaml.safe_load(form.read_text())
    assert read["name"] and read["description"]
    assert {field["type"] for field in read["body"]} <= {
        "input",
        "textarea",
        "dropdown",
        "checkboxes",
        "markdown",
    }
    assert all(field["attributes"]["label"] for field in read["body"])
    assert len({field["id"] for field in read["body"]}) == len(read["body"])


def test_make_prints_its_commands_in_groups():
    done = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    text = done.stdout
    assert all(len(line) < 100 for line in text.splitlines())
    assert [line for line in text.splitlines() if not line.startswith(" ")] == [
        "Figures",
        "Checks",
        "Variables",
    ]
    targets = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.M)[1].split()
    assert set(re.findall(r"^  make (\S+)", text, re.M)) == set(targets) - {"another-class"}


def test_the_version_is_one():
    changelog = re.search(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[1]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == unitnb.__version__ == changelog == str(citation["version"])


# A committed run that is older than some figures: its network takes 75 minutes to train.
OLDER_RUNS = {"cifar10-vgg16"}


@pytest.mark.parametrize(
    "profile", ["shapes", "cifar10", "cifar10-vgg16", "imagenette-vgg-block", "imagenette"]
)
def test_the_committed_figures_are_those_that_the_notebooks_write(profile):
    folder = ROOT / "figures" / profile / load_profile(profile).target_class
    manifest = json.loads((folder / "manifest.json").read_text())
    untrained = {"02_training"} if load_profile(profile).is_given else set()  # no epochs, so no Fig. 2
    sources = [source for source in rules.sources() if source.stem not in untrained]
    written = {file: source.stem for source in sources for file in rules.saved_files(source)}
    assert profile in OLDER_RUNS or written.keys() <= manifest.keys()
    assert {file: entry["notebook"] for file, entry in manifest.items()}.items() <= written.items()
    assert all((folder / file).stat().st_size for file in manifest)
    assert {f"fig{n}.png" for n in range(1, 6)} - {"fig2.png" if untrained else ""} <= {*written}
    assert "table1.md" in written
    assert f"!figures/{profile}/{folder.name}/" in (ROOT / ".gitignore").read_text()


def test_a_notebook_names_itself_when_it_saves():
    for source in rules.sources():
        named = re.findall(r'notebook="([^"]+)"', source.read_text())
        assert named and set(named) == {source.stem}


def test_each_figure_of_a_notebook_has_its_caption_under_it():
    for source in rules.sources():
        cells = source.read_text().split("\n# %%")
        for cell, after in itertools.pairwise(cells):
            for name in re.findall(r'save_figure\(p, "fig(\w+)"', cell):
                found = re.match(r" \[markdown\]\n# \*\*Figure (\w+)", after)
                label = {"2": "2b"}.get(name, name)  # Fig. 2B-D has the name fig2
                assert found and found[1].lower() == label, (source.name, name)


def test_the_committed_notebooks_print_short_lines_and_render_their_tables():
    for source in rules.pair_sources():
        notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
        assert notebook.metadata.language_info.name == "python"  # JupyterLab adds it otherwise
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        printed = "".join(output.text for output in outputs if output.output_type == "stream").splitlines()
        assert not [line for line in printed if len(line) > 100 or line.startswith("| ")], source.name


def test_the_committed_notebooks_are_as_jupyterlab_saves_them():
    for source in rules.pair_sources():
        committed = source.with_suffix(".ipynb")
        notebook = nbformat.read(committed, as_version=4)
        assert jupytext.writes(notebook, fmt="ipynb") + "\n" == committed.read_text(), committed.name


def test_notebooks_hold_no_functions_and_open_with_the_same_parameters():
    for source in rules.pair_sources():
        tree = ast.parse(source.read_text())
        assert not [
            node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda))
        ]
    for source in rules.sources():
        cell = source.read_text().split('tags=["parameters"]\n')[1].split("\n\n")[0]
        assert cell == 'profile = "shapes"\ntarget_class = None\nseed = 0\noverrides = {}'


def test_the_committed_pairs_agree():
    assert list(problems()) == []


def test_no_module_is_longer_than_260_lines_and_no_line_longer_than_110():
    """Of the package. Ruff holds the width of lines everywhere, but for the notebooks' lines of facts."""
    lines = {path: path.read_text().splitlines() for path in (ROOT / "unitnb").rglob("*.py")}
    assert not {path.name: len(text) for path, text in lines.items() if len(text) > 260}
    assert not [(path.name, line) for path, text in lines.items() for line in text if len(line) > 110]

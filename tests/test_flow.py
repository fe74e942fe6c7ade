"""The repository itself: imports flow one way, facts stand in one place, what is promised exists."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import unitnb
from unitnb.notebooks import rules
from unitnb.notebooks.pairs import problems
from unitnb.profiles import load_profile

ROOT = Path(unitnb.__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def lock():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return {
        re.split("[=;]", line)[0].strip().lower(): line for line in lines if line and not line.startswith("#")
    }


def test_a_place_imports_only_from_places_before_it():
    """The layers and their order stand in pyproject.toml; import-linter reads every import, also those inside functions."""
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True
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


def test_importing_the_package_is_instant():
    heavy = "import sys, unitnb; print([m for m in ('tensorflow', 'keras', 'numba', 'gudhi', 'numpy') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True).stdout.strip() == "[]"
    )


def test_the_lock_has_every_declared_package_and_no_address():
    declared = PROJECT["dependencies"] + [
        name for extra in PROJECT["optional-dependencies"].values() for name in extra
    ]
    names = {re.split(r"[\[><=]", entry)[0].lower() for entry in declared} - {"unitnb"}
    assert names <= set(lock()), names - set(lock())
    assert all("==" in line and "://" not in line for line in lock().values())


def test_the_conda_environment_installs_the_package_with_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert conda == ["python=3.11", "pip"] and pip == {"pip": ["-c requirements.lock", "-e .[lab]"]}
    assert PROJECT["requires-python"] == ">=3.11"


def test_binder_can_use_the_lock_as_constraints():
    """As repo2docker and pip document: files at the root (a binder/ folder would hide them), plain pins without extras or hashes."""
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


def test_container_and_workflow_have_the_same_python_and_run_what_ci_runs():
    python = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][0].split("=")[1]
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]["test"]
    assert f"python:{python}" in container["image"] and f"python:{python}-" in job["container"]
    run = [step["run"] for step in job["steps"] if "run" in step]
    kept = {
        step["with"]["name"]: step["with"]["path"]
        for step in job["steps"]
        if "upload-artifact" in step.get("uses", "")
    }
    assert run[0] == ".ci/run" and "figures/" in kept["figures"] and kept["site"] == "build/site/"
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in commands if line.startswith("make")] == [
        "make test",
        "make test-browser",
        "make html",
    ]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_the_version_is_one():
    changelog = re.search(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[1]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == unitnb.__version__ == changelog == str(citation["version"])


def test_every_file_the_readme_shows_exists():
    readme = (ROOT / "README.md").read_text()
    shown = [target for target in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in target]
    assert shown and not [target for target in shown if not (ROOT / target).exists()]
    assert "make test" in readme


def test_the_readmes_own_model_example_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    space = {}
    exec(compile(code, "README.md", "exec"), space)
    assert space["curve"].accuracy.shape == (len(space["rank"]) + 1,)


@pytest.mark.parametrize("profile", ["shapes", "cifar10", "cifar10-vgg16"])
def test_the_committed_figures_are_those_that_the_notebooks_write(profile):
    folder = ROOT / "figures" / profile / load_profile(profile).target_class
    manifest = json.loads((folder / "manifest.json").read_text())
    written = {file: source.stem for source in rules.sources() for file in rules.saved_files(source)}
    assert {file: entry["notebook"] for file, entry in manifest.items()} == written
    assert all((folder / file).stat().st_size for file in written)
    assert {f"fig{n}.png" for n in range(1, 6)} | {"table1.md"} <= set(written)
    assert f"!figures/{profile}/{folder.name}/" in (ROOT / ".gitignore").read_text()


def test_a_notebook_names_itself_when_it_saves():
    for source in rules.sources():
        named = re.findall(r'notebook="([^"]+)"', source.read_text())
        assert named and set(named) == {source.stem}


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

"""The page over many classes' runs, and ``make classes``, which a failing class does not stop."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from unitnb import cli, profiles
from unitnb.notebooks.index_page import write_index
from unitnb.profiles import load_profile

ROOT = Path(profiles.__file__).parents[1]


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    monkeypatch.delenv("UNITNB_FIGURES", raising=False)
    return tmp_path


def test_every_class_has_its_figures_and_notebooks_and_failures_their_last_words(root):
    runs = [replace(load_profile("shapes"), target_class=name) for name in ("ring", "my <class>")]
    for file in (
        "build/runs/shapes/ring/03_ablation.ipynb",
        "figures/shapes/ring/fig3.png",
        "figures/shapes/ring/CLAIMS.md",
    ):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    page = write_index(runs, {"my <class>": "it broke: a < b"})
    text = page.read_text()
    assert (
        "it broke: a &lt; b" in text
        and "my &lt;class&gt;" in text
        and "<class>" not in text
        and "Nothing was made." in text
    )
    targets = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert len(targets) == 3 and all((page.parent / target).resolve().exists() for target in targets)


def test_the_index_command_ends_with_an_error_where_a_class_failed(root, capsys):
    (root / "build" / "log").mkdir(parents=True)
    (root / "build" / "log" / "shapes-ring.log").write_text("the reason")
    assert cli.main(["index", "ring"]) == 0
    (root / "build" / "log" / "shapes-ring.failed").touch()
    assert cli.main(["index", "ring", "star"]) == 1
    assert "failed: ring (build/log/shapes-ring.log)" in capsys.readouterr().err
    assert "the reason" in (root / "build" / "runs" / "shapes" / "index.html").read_text()


@pytest.mark.long
def test_make_classes_goes_on_after_a_class_that_fails(tmp_path):
    """For real: two notebooks by papermill, one of which asks for a class that is not there."""
    for name in (
        "Makefile",
        "unitnb",
        "notebooks",
        "figures",
        "README.md",
        "pyproject.toml",
        "requirements.lock",
        "requirements.hashes",
    ):
        (tmp_path / name).symlink_to(ROOT / name)
    settings = {key: value for key, value in os.environ.items() if not key.startswith(("UNITNB", "MAKE"))}
    line = ["make", "classes", "CLASSES=nosuch crescent", "NOTEBOOKS=01_method", f"PYTHON={sys.executable}"]
    done = subprocess.run(
        line,
        cwd=tmp_path,
        env=settings | {"UNITNB_FIGURES": str(tmp_path / "figs")},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and "failed: nosuch (build/log/shapes-nosuch.log)" in done.stderr, done
    assert "unknown class 'nosuch'" in (tmp_path / "build" / "log" / "shapes-nosuch.log").read_text()
    assert (tmp_path / "build" / "runs" / "shapes" / "crescent" / "01_method.ipynb").exists()
    assert (tmp_path / "figs" / "shapes" / "crescent" / "fig1.png").exists()

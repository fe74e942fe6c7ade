"""The machinery around the notebooks, on small ones; nbval and papermill run the real ones."""

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

import unitnb
from unitnb import cli
from unitnb.notebooks import pairs, rules
from unitnb.notebooks.run import run
from unitnb.profiles import load_profile

ROOT = Path(unitnb.__file__).parents[1]
HEADER = (ROOT / "notebooks" / "03_ablation.py").read_text().split("# %%")[0]
PARAMETERS = '# %% tags=["parameters"]\nprofile = "shapes"\ntarget_class = None\nseed = 0\noverrides = {}\n\n'


@pytest.fixture
def project(monkeypatch, tmp_path):
    return small_project(monkeypatch, tmp_path)


def small_project(monkeypatch, tmp_path):
    """A project with two small notebooks, the real package, Makefile and profiles."""
    (tmp_path / "notebooks").mkdir()
    shutil.copytree(ROOT / "notebooks" / "profiles", tmp_path / "notebooks" / "profiles")
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    for name, call in (("01_method", "unitnb.birth_points"), ("02_training", "unitnb.stability_votes")):
        code = f"import unitnb\n\nprint(target_class, seed, {call}.__name__)\n"
        text = f"{HEADER}# %% [markdown]\n# # A title\n\n{PARAMETERS}# %%\n{code}"
        (tmp_path / "notebooks" / f"{name}.py").write_text(text)
    return tmp_path


def edit(project, name, old, new):
    path = project / "notebooks" / f"{name}.py"
    path.write_text(path.read_text().replace(old, new))
    return path


def printed(path):
    return "".join(
        o.text
        for cell in nbformat.read(path, 4).cells
        if cell.cell_type == "code"
        for o in cell.outputs
        if o.output_type == "stream"
    )


def run_all(project):
    for source in rules.sources():
        run(source, project / "runs" / f"{source.stem}.ipynb", {})


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The two small notebooks, executed once: name of the file -> text."""
    with pytest.MonkeyPatch.context() as patch:
        root = small_project(patch, tmp_path_factory.mktemp("executed"))
        run_all(root)
        return {path.name: path.read_text() for path in (root / "runs").glob("*.ipynb")}


def refreshed(project, executed):
    """The pairs' committed halves, made from the runs of ``executed``."""
    (project / "runs").mkdir(exist_ok=True)
    for name, text in executed.items():
        (project / "runs" / name).write_text(text)
    return pairs.refresh(project / "runs")


def test_a_run_takes_parameters_and_leaves_only_its_target(project):
    target = project / "build" / "runs" / "x.ipynb"
    run(rules.sources()[0], target, {"target_class": "star", "seed": 3})
    assert printed(target) == "star 3 birth_points\n" and list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(("name", "expected"), [("shapes", "0"), ("imagenet", "1")])
def test_the_kernel_of_a_large_profile_uses_onednn_and_others_do_not(project, monkeypatch, name, expected):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    added = 'import os\n\nimport unitnb\n\nprint("onednn", os.environ["TF_ENABLE_ONEDNN_OPTS"])\n'
    source = edit(project, "01_method", "import unitnb\n", added)
    run(source, project / "out.ipynb", {"profile": name})
    assert (
        f"onednn {expected}\n" in printed(project / "out.ipynb")
        and os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
    )


SLOW = """# %%
import time

from unitnb.files import progress

progress.DELAY = 0.0
for _ in progress.progress_bar(range(8), "slow work"):
    time.sleep(0.2)
"""


def test_the_terminal_shows_what_a_notebook_is_at_and_the_notebook_does_not(project):
    import pty

    source = project / "notebooks" / "01_method.py"
    source.write_text(source.read_text() + SLOW)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "unitnb.cli", "run", str(source), str(project / "out.ipynb")]
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, cwd=ROOT)
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # the terminal's end
        while part := os.read(ours, 4096):
            seen += part
    assert process.wait() == 0 and re.search(rb"01_method slow work: +\d+%.*<00:0", seen)
    assert nbformat.read(project / "out.ipynb", 4).cells[-1].outputs == []


@pytest.mark.parametrize(
    "name", [path.stem for path in (ROOT / "notebooks" / "profiles").glob("*.yaml") if path.stem != "shapes"]
)
def test_make_reads_what_a_profile_says_itself_or_takes_from_its_base(checkout, name):
    target = load_profile(name).target_class
    assert (
        f"build/runs/{name}/{target}/01_method.ipynb --profile {name}"
        in make(checkout, "-n", "figures", f"PROFILE={name}").stdout
    )


def test_a_failing_notebook_leaves_no_target_and_says_where_and_why(project, capsys):
    source = edit(project, "01_method", "print(", "raise ValueError('no birth')\nprint(")
    target = project / "build" / "runs" / "shapes" / "square" / "01_method.ipynb"
    assert cli.main(["run", str(source), str(target)]) == 1
    said = capsys.readouterr().err
    assert "01_method.py failed in cell 2: ValueError: no birth" in said and not target.exists()
    failed = project / "build" / "failed" / "shapes" / "square" / "01_method.ipynb"
    assert str(failed) in said and "ValueError" in failed.read_text() and list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"targt_class": "ring"}, "did you mean 'target_class'"),
        ({"profile": "shaps"}, "did you mean 'shapes'"),
        ({"seed": "x"}, "seed"),
    ],
)
def test_bad_parameters_are_refused_before_anything_runs(project, parameters, said):
    with pytest.raises(ValueError, match=said):
        run(rules.sources()[0], project / "x.ipynb", parameters)
    assert not (project / "x.ipynb").exists()


def test_refreshed_notebooks_repeat_byte_for_byte_and_make_a_whole_pair(project, executed):
    written = [[path.read_bytes() for path in refreshed(project, executed)]]
    run_all(project)
    written.append([path.read_bytes() for path in pairs.refresh(project / "runs")])
    assert written[0] == written[1] and list(pairs.problems()) == []
    cells = [cell for cell in json.loads(written[0][0])["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == [1, 2] and cells[1]["outputs"][0]["text"] == [
        "None 0 birth_points\n"
    ]


def test_widgets_are_not_committed_since_they_live_in_a_kernel():
    outputs = [nbformat.v4.new_output("display_data", {kind: "x"}) for kind in (pairs.WIDGET, "text/plain")]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("explore()", outputs=outputs)])
    pairs.normalise(notebook)
    assert [list(output.data) for output in notebook.cells[0].outputs] == [["text/plain"]]


def test_the_explorer_is_a_pair_but_makes_no_figure_of_the_paper(project):
    (project / "notebooks" / "explore.py").write_text(HEADER)
    assert [source.stem for source in rules.sources()] == ["01_method", "02_training"]
    assert [source.stem for source in rules.pair_sources()] == ["01_method", "02_training", "explore"]
    assert "explore.ipynb is missing; make it with: make refresh" in list(pairs.problems())[-1]


def test_a_run_with_parameters_is_never_committed(project):
    source = rules.sources()[0]
    run(source, project / "runs" / f"{source.stem}.ipynb", {"seed": 1})
    with pytest.raises(ValueError, match="run with parameters"):
        pairs.refresh(project / "runs")


@pytest.mark.parametrize("spoil", ["missing", "source", "count", "stderr"])
def test_what_is_wrong_with_a_pair_is_found(project, executed, spoil, capsys):
    path = refreshed(project, executed)[0]
    notebook = nbformat.read(path, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if spoil == "count":
        code[0].execution_count = 7
    if spoil == "stderr":
        code[1].outputs.append(nbformat.v4.new_output("stream", name="stderr", text="noise"))
    nbformat.write(notebook, path)
    if spoil == "missing":
        path.unlink()
    if spoil == "source":
        edit(project, "01_method", "print(", "print('new', ")
    assert len(list(pairs.problems())) == 1
    assert cli.main(["check"]) == 1 and "make refresh" in capsys.readouterr().err


def test_what_a_notebook_depends_on_is_read_from_its_calls():
    files = {source.stem: rules.dependencies(source) for source in rules.sources()}
    by_name = {
        stem: {file.relative_to(rules.PACKAGE).with_suffix("").as_posix() for file in found}
        for stem, found in files.items()
    }
    assert "units/stability" in by_name["04_stability"] and "units/stability" not in by_name["03_ablation"]
    assert "roles/by_place" in by_name["05_roles"] and "roles/by_place" not in by_name["04_stability"]
    assert "controls/scores" in by_name["06_controls"]
    parts = (
        "profiles files/store images/samples images/shapes networks/split networks/trained networks/vgg "
        "topology/births units/entropy"
    )
    assert {*parts.split(), "ablation/cumulative", "figures/fig3_ablation"} <= by_name["03_ablation"]
    assert rules.saved_files(ROOT / "notebooks" / "05_roles.py") == [
        "fig5.png", "fig5.csv", "table1.md", "fig5b.png", "fig5b.csv", "table1b.md", "fig5c.png", "fig5c.csv",
        "fig5d.png", "fig5d.csv"
    ]  # fmt: skip


# ---- make ----


@pytest.fixture(scope="module")
def whole_checkout(tmp_path_factory):
    """A copy of the checkout in which everything seems to have been made; see ``checkout``."""
    folder, past = tmp_path_factory.mktemp("whole"), time.time() - 100
    for name in "Makefile README.md pyproject.toml requirements.lock requirements.hashes".split():
        shutil.copy(ROOT / name, folder)
    for name in ("unitnb", "notebooks", "figures"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in folder.rglob("*"):
        os.utime(path, (past, past))
    runs = folder / "build" / "runs" / "shapes" / "square"
    runs.mkdir(parents=True)
    make(folder, "-s", "build/rules.mk")
    make(folder, "-n", "figures")  # notes what a run is made from besides files
    for source in rules.sources():
        (runs / f"{source.stem}.ipynb").touch()
    (runs / "checked").touch()
    (folder / "figures" / "shapes" / "square" / "CLAIMS.md").touch()
    return folder


@pytest.fixture
def checkout(whole_checkout, tmp_path):
    """A copy of ``whole_checkout``, with its times, for one test."""
    return shutil.copytree(whole_checkout, tmp_path, dirs_exist_ok=True)


def make(folder, *arguments):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "UNITNB"))
    }
    command = ["make", f"PYTHON={sys.executable}", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def rerun(folder, *arguments):
    """The notebooks that make would run."""
    out = make(folder, "-n", "figures", *arguments).stdout
    return [source.stem for source in rules.sources() if f"run notebooks/{source.stem}.py" in out]


def test_make_alone_prints_the_commands(checkout):
    out = make(checkout).stdout
    targets = "figures class train html lab test test-browser check nbval refresh bench clean".split()
    assert [target for target in targets if f"  make {target} " not in out] == []


def test_a_second_make_figures_runs_nothing_and_says_where_the_figures_are(checkout):
    (checkout / "build" / "runs" / "shapes" / "square" / "summary").write_text("figures/: 26 figures\n")
    done = make(checkout, "figures")
    assert (done.returncode, done.stdout, done.stderr) == (0, "figures/: 26 figures\n", "")


STAND_IN = """#!/bin/sh
case "$*" in
*"unitnb.cli run"*) touch "$5" figures/shapes/square/fig4.png
    code="import sys; from unitnb.notebooks.opening import ended; print(ended(sys.argv[1], 21.4))"
    exec {python} -c "$code" "$(basename "$4" .py)" ;;
*) exec {python} "$@" ;;
esac
"""


def test_make_says_how_many_notebooks_follow_each_that_ended_and_where_the_results_lie(checkout):
    """A stand-in for Python touches what a notebook would write."""
    python = checkout / "python"
    python.write_text(STAND_IN.format(python=sys.executable))
    python.chmod(0o755)
    (checkout / "figures" / "shapes" / "square" / "fig4.png").unlink()
    (checkout / "notebooks" / "03_ablation.py").touch()
    done = make(checkout, "figures", f"PYTHON={python}")
    said = done.stdout.splitlines()
    assert done.returncode == 0 and done.stderr == ""
    assert said[0] == "2 notebooks, 2 at a time, about a minute"
    assert sorted(line[6:] for line in said[1:3]) == ["03_ablation 21 s", "04_stability 21 s"]
    assert [line[:6] for line in said[1:3]] == ["[1/2] ", "[2/2] "]
    assert said[3].startswith("figures/shapes/square/: ") and len(said) == 6


def test_other_inputs_make_every_notebook_anew(checkout):
    everything = [source.stem for source in rules.sources()]
    assert rerun(checkout) == [] == rerun(checkout, "DATA=elsewhere")  # its images are drawn
    assert rerun(checkout, "SET=n_rank=60") == everything


def test_other_images_make_every_notebook_anew_and_the_same_do_not(checkout):
    everything = [source.stem for source in rules.sources()]
    runs = checkout / "build" / "runs" / "cifar10" / "automobile"
    for name in ("a", "b"):
        (checkout / name / "train" / "cat").mkdir(parents=True)
        (checkout / name / "train" / "cat" / f"{name}.png").write_bytes(b"x")

    def made(*arguments):
        """The notebooks that a run would make, which then seem to have been made."""
        found = rerun(checkout, "PROFILE=cifar10", *arguments)
        for name in ("checked", *(f"{source.stem}.ipynb" for source in rules.sources())):
            (runs / name).touch()
        for name in (name for source in rules.sources() for name in rules.saved_files(source)):
            (checkout / "figures" / "cifar10" / "automobile" / name).touch()
        return found

    assert made("DATA=a") == everything and made("DATA=a") == []
    assert made("DATA=b") == everything and made("DATA=b") == []
    (checkout / "b" / "train" / "cat" / "2.png").write_bytes(b"x")
    assert made("DATA=b") == everything and made("DATA=nowhere") == everything
    weights = checkout / "w.h5"
    weights.write_bytes(b"x")
    assert made("DATA=b", f"WEIGHTS={weights}") == everything and made("DATA=b", f"WEIGHTS={weights}") == []
    weights.write_bytes(b"xy")
    assert made("DATA=b", f"WEIGHTS={weights}") == everything


@pytest.mark.parametrize("name", ["$(shell touch touched)", "a#b", "a=b", "a:b", "a%b", "a*"])
def test_names_that_make_itself_would_read_are_refused(checkout, name):
    for variable in ("CLASS", "PROFILE", "MODEL"):
        done = make(checkout, "figures", f"{variable}={name}")
        assert done.returncode and "sign of the shell or of make" in done.stderr
    assert not (checkout / "touched").exists()


def test_a_class_of_two_words_and_a_quoted_one_have_folders(checkout):
    out = make(checkout, "-n", "figures", "PROFILE=cifar10", "CLASS=fire truck").stdout
    assert "build/runs/cifar10/fire_truck/03_ablation.ipynb --profile cifar10 --class 'fire truck'" in out
    profile = checkout / "notebooks" / "profiles" / "shapes.yaml"
    profile.write_text(
        profile.read_text().replace("target_class: square", 'target_class: "square"  # quoted')
    )
    assert "build/runs/shapes/square/03_ablation.ipynb" in make(checkout, "-n", "figures").stdout


def test_make_ends_where_a_file_is_from_the_future(checkout):
    later = time.time() + 3600
    os.utime(checkout / "unitnb" / "cli.py", (later, later))
    done = subprocess.run(["timeout", "60", "make", "help"], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0 and "make figures" in done.stdout


@pytest.mark.parametrize("user", [0, 1000])
def test_lab_is_allowed_to_root_alone(checkout, monkeypatch, user):
    (checkout / "bin").mkdir()
    (checkout / "bin" / "id").write_text(f"#!/bin/sh\necho {user}\n")
    (checkout / "bin" / "id").chmod(0o755)
    monkeypatch.setenv("PATH", f"{checkout / 'bin'}:{os.environ['PATH']}")
    done = make(checkout, "-n", "lab")
    assert "jupyterlab" in done.stdout and ("--allow-root" in done.stdout) == (user == 0)


def test_a_python_that_is_not_there_is_an_error(checkout):
    done = make(checkout, "figures", "PYTHON=/nowhere/python")
    assert done.returncode and "PYTHON='/nowhere/python' is no program" in done.stderr


def test_what_is_missing_is_said_once_before_any_notebook(checkout):
    done = make(checkout, "figures", "PROFILE=cifar10", "DATA=nowhere")
    assert done.returncode and done.stderr.count("no folder of images at") == 1
    assert "failed in cell" not in done.stdout + done.stderr


def test_a_changed_parameters_cell_is_said_and_the_run_has_its_own_class(project):
    source = edit(project, "01_method", "target_class = None", 'target_class = "ring"')
    with pytest.warns(UserWarning, match="01_method.py has target_class = 'ring' in its parameters cell"):
        run(source, project / "build" / "x.ipynb", {})
    assert printed(project / "build" / "x.ipynb").startswith("square 0")


def test_a_model_of_ones_own_needs_a_class(checkout):
    (checkout / "my.keras").touch()
    assert "MODEL='my.keras' needs CLASS=" in make(checkout, "figures", "MODEL=my.keras").stderr
    out = make(
        checkout, "-n", "figures", "MODEL=my.keras", "LAYER=conv5", "CLASS=cat", "SET=points=9 n_rank=60"
    ).stdout
    assert (
        "build/runs/my/cat/03_ablation.ipynb --profile own --set 'network=my.keras' --set 'layer=conv5'"
        in out
    )
    assert "--set 'points=9' --set 'n_rank=60' --class 'cat'" in out


def test_touching_a_part_reruns_what_depends_on_it(checkout):
    everything = [source.stem for source in rules.sources()]
    assert rerun(checkout, "-W", "unitnb/units/stability.py") == ["04_stability"]
    assert rerun(checkout, "-W", "unitnb/roles/by_place.py") == [
        "02_training",
        "05_roles",
        "07_simplification",
    ]  # 02 judges by many models' stored results, 07 keeps the core
    assert (
        rerun(checkout, "-W", "notebooks/03_ablation.py")
        == rerun(checkout, "-W", "notebooks/03_ablation.ipynb")
        == ["03_ablation"]
    )
    assert (
        rerun(checkout, "-W", "unitnb/topology/births.py")
        == rerun(checkout, "-W", "notebooks/profiles/shapes.yaml")
        == everything
    )
    assert rerun(checkout, "-W", "unitnb/weights/shapes/A.npz") == everything
    assert rerun(checkout, "CLASS=star") == everything


def test_a_figure_that_was_removed_is_made_again(checkout):
    (checkout / "figures" / "shapes" / "square" / "fig4.png").unlink()
    assert rerun(checkout) == ["04_stability"]


@pytest.mark.parametrize("arguments", [["PROFILE=shaps"], ["CLASS=../../x"], ["PROFILE=../shapes"]])
def test_a_wrong_profile_or_a_path_is_refused(checkout, arguments):
    done = make(checkout, "figures", *arguments)
    assert done.returncode and "no such profile or class" in done.stderr


GOALS = ("class", "classes", "figures", "train", "html")


def test_names_that_are_commands_are_refused(checkout):
    signs = [
        "x';touch${IFS}touched;'",
        "x`touch${IFS}touched`",
        'x";touch${IFS}touched;"',
        "x;touch${IFS}touched",
        "x|touch${IFS}touched",
    ]
    for goal, variable, sign in zip(
        GOALS, itertools.cycle(("CLASS", "CLASSES", "PROFILE")), signs, strict=False
    ):
        done = make(checkout, goal, f"{variable}={sign.replace('$', '$$')}")
        assert done.returncode and "sign of the shell" in done.stderr and not (checkout / "touched").exists()


def test_make_classes_refuses_paths(checkout):
    before = {path for path in checkout.parent.rglob("*") if not {"build", "__pycache__"} & set(path.parts)}
    for names in ("ring ../x", "/x", ".."):
        done = make(checkout, "classes", f"CLASSES={names}")
        assert done.returncode and (
            "the name of a class has no slash" in done.stderr or "'..' is no name of a class" in done.stderr
        )
    assert {
        path for path in checkout.parent.rglob("*") if not {"build", "__pycache__"} & set(path.parts)
    } == before


def test_make_class_asks_for_a_class(checkout):
    done = make(checkout, "class")
    assert done.returncode and "make class CLASS=" in done.stdout


@pytest.mark.parametrize("said", ["hognose snake", "n01729322", "54", "hognose_snake"])
def test_make_knows_imagenets_classes_by_every_name(checkout, said):
    out = make(checkout, "-n", "figures", "PROFILE=imagenet", f"CLASS={said}").stdout
    assert f"build/runs/imagenet/hognose_snake/03_ablation.ipynb --profile imagenet --class '{said}'" in out


def test_make_refuses_an_unknown_class_of_imagenet_and_names_the_nearest(checkout):
    done = make(checkout, "figures", "PROFILE=imagenet", "CLASS=hognos snake")
    assert (
        done.returncode
        and "did you mean 'hognose_snake'" in done.stderr
        and "no such profile or class" in done.stderr
    )


def test_make_does_not_ask_again_for_what_needs_training_until_there_are_weights(checkout):
    runs, figures = (checkout / part / "imagenet" / "hognose_snake" for part in ("build/runs", "figures"))
    runs.mkdir(parents=True)
    figures.mkdir(parents=True)
    rerun(checkout, "PROFILE=imagenet")  # notes what a run is made from besides files
    for source in rules.sources():
        (runs / f"{source.stem}.ipynb").touch()
        for file in rules.saved_files(source):
            (figures / file).touch()
    for file in ("claims.json", "CLAIMS.md"):
        (figures / file).touch()
    (figures / "fig2.png").unlink()
    assert rerun(checkout, "PROFILE=imagenet") == ["02_training"]
    (runs / "02_training.needs").touch()
    assert rerun(checkout, "PROFILE=imagenet") == []
    weights = checkout / "build" / "weights" / "imagenet" / "A-epochs.npz"
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert "02_training" in rerun(checkout, "PROFILE=imagenet")

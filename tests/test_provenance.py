"""Where figures come from, whether a rerun says the same, and what is missing before a run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitnb.figures import panels, provenance, published, saving
from unitnb.files import processor, sockets
from unitnb.files.agreement import TOLERANCE, differences
from unitnb.files.inventory import inventory, quick_state
from unitnb.files.store import DamagedFileError
from unitnb.notebooks import inputs, preflight, verify
from unitnb.profiles import load_profile, project_root

ROOT = project_root()

# ---- texts that say the same ----


@pytest.mark.parametrize(
    ("stored", "new", "same"),
    [
        ("a,0.5\n", "a,0.500004\n", True),
        ("a,0.5\n", "a,0.5001\n", False),
        ("a,1000.0\n", "a,1000.009\n", True),  # relative
        ("a,1000.0\n", "a,1000.02\n", False),
        ("units 12\n", "units 13\n", False),  # whole numbers are counts
        ("| holds | 0.31 [0.2, 0.4] |", "| fails | 0.31 [0.2, 0.4] |", False),
        ("-0.000001", "0.000001", True),
        ("sha deadbeef1", "sha deadbeef2", False),
        ("keras 3.1.2", "keras 3.1.3", False),
        ("n01440764", "n01440765", False),
        ("one line", "one line\nmore", False),
        ("x 1e-3", "x 0.001", True),
        ("x nan", "x 0.1", False),
    ],
)
def test_texts_agree_within_the_tolerance(stored, new, same):
    assert (not differences(stored, new)) == same


@given(st.floats(-1e6, 1e6), st.floats(-3, 3))
def test_the_tolerance_is_that_of_numpy(value, shift):
    other = value + shift * TOLERANCE * (1 + abs(value))
    texts = f"x,{value!r}", f"x,{other!r}"
    close = np.isclose(float(repr(other)), value, rtol=TOLERANCE, atol=TOLERANCE)
    if abs(abs(shift) - 1) > 1e-6:
        assert (not differences(*texts)) == close


# ---- figures that are there already ----


@pytest.fixture
def profile(monkeypatch, tmp_path):
    monkeypatch.setenv("UNITNB_FIGURES", str(tmp_path))
    return load_profile("shapes")


def save(profile, last=0.25, text="| a | 0.5 |"):
    figure, axes = panels.new_figure([["only"]])
    panels.draw_curve(axes["only"], np.array([1, 0.5, last]), "rank")
    saving.save_figure(profile, "fig3", figure, notebook="03_ablation")
    saving.save_table(profile, "table1", text, notebook="05_roles")


def test_a_rerun_that_agrees_leaves_picture_table_and_manifest_untouched(profile):
    save(profile)
    manifest = profile.figures_folder / "manifest.json"
    entries = json.loads(manifest.read_text())
    for entry in entries.values():
        entry["versions"]["numpy"] = "0.9"  # another environment
    published.merge_entries(manifest, entries)
    pictures = [profile.figures_folder / name for name in ("fig3.png", "table1.md")]
    before = [manifest.read_bytes(), *(path.stat().st_mtime_ns for path in pictures)]
    save(profile, 0.25 + 1e-8, "| a | 0.500001 |")
    assert [manifest.read_bytes(), *(path.stat().st_mtime_ns for path in pictures)] == before
    save(profile, 0.26, "| a | 0.51 |")
    assert all(path.stat().st_mtime_ns != time for path, time in zip(pictures, before[1:], strict=True))
    entries = json.loads(manifest.read_text())
    assert all(entry["versions"]["numpy"] == np.__version__ for entry in entries.values())


def test_other_images_or_settings_are_written_even_where_numbers_agree(profile):
    save(profile)
    save(load_profile("shapes", {"n_random": 3}))
    entry = json.loads((profile.figures_folder / "manifest.json").read_text())["fig3.png"]
    assert entry["settings"] == {"n_random": 3}


def test_figures_of_other_images_do_not_stay_in_place_of_those_that_cannot_be_made(profile):
    save(profile)
    folder, images = profile.figures_folder, provenance.images_origin(profile)
    assert published.remove_of_other_images(folder, "03_ablation", images) == []
    others = published.remove_of_other_images(folder, "03_ablation", {"name": "b"})
    left = {path.name for path in folder.iterdir()} - {"samples.json"}
    assert others == ["fig3.csv", "fig3.png"] and left == {"table1.md", "manifest.json"}
    assert list(json.loads((folder / "manifest.json").read_text())) == ["table1.md"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fig3.png": 3}', "[" * 100_000, "\x00"])
def test_a_damaged_manifest_is_named(profile, content):
    path = profile.figures_folder / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(DamagedFileError, match="manifest.json is damaged .*remove it, then: make figures"):
        saving.save_table(profile, "table1", "x", notebook="05_roles")


def test_the_origin_names_images_networks_versions_and_changed_settings(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name / "train" / "cat").mkdir(parents=True)
        (tmp_path / name / "train" / "cat" / "1.png").write_bytes(name.encode() * len(name))
    found = {
        name: provenance.origin(load_profile("cifar10", {"data": str(tmp_path / name)})) for name in "ab"
    }
    assert found["a"]["images"]["files"] == 1 and found["a"]["images"]["name"] == "a"
    assert set(found["a"]["versions"]) == {"unitnb", "keras", "tensorflow", "numpy", "gudhi"}
    (tmp_path / "a" / "train" / "cat" / "2.png").write_bytes(b"x")
    inventory.cache_clear()
    again = provenance.origin(load_profile("cifar10", {"data": str(tmp_path / "a"), "n_rank": 60}))
    assert again["images"]["files"] == 2 and again["settings"] == {"n_rank": 60}
    assert again["images"]["names_and_sizes_sha256"] != found["a"]["images"]["names_and_sizes_sha256"]
    assert str(tmp_path) not in json.dumps(again)


def test_what_systems_leave_among_images_does_not_count(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "1.png").write_bytes(b"x")
    before = quick_state(tmp_path)
    for name in (".DS_Store", "Thumbs.db"):
        (tmp_path / "cat" / name).write_bytes(b"y")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    inventory.cache_clear()
    assert quick_state(tmp_path) == before and quick_state(tmp_path / "none") == "missing"


# ---- verify ----


def test_verify_finds_a_digit_changed_by_hand(tmp_path, monkeypatch, capsys):
    made, root = tmp_path / "made", tmp_path / "root"
    for folder in (made, root / "figures"):
        monkeypatch.setenv("UNITNB_FIGURES", str(folder))
        save(load_profile("shapes"))
    folder = root / "figures" / "shapes" / "square"
    (folder / "fig3.csv").write_text("x,y\n1,0.25\n")
    (made / "shapes" / "square" / "fig3.csv").write_text("x,y\n1,0.250001\n")
    profile = load_profile("shapes")
    monkeypatch.setattr(verify, "project_root", lambda: root)
    assert verify.verify(profile, made) == verify.SAME
    assert verify.main([str(made)]) == 0 and capsys.readouterr().out == "same as published\n"
    (folder / "fig3.csv").write_text("x,y\n1,0.26\n")
    text = verify.verify(profile, made)
    assert "| fig3.csv | 2 | 1,0.26 | 1,0.250001 |" in text and text.endswith("1 lines differ")
    assert verify.main([str(made)]) == 1
    (folder / "fig3.csv").unlink()
    assert "| fig3.csv |  | missing | there |" in verify.verify(profile, made)


# ---- before a run ----


def test_everything_that_is_missing_is_said_once(tmp_path, monkeypatch):
    monkeypatch.setattr(preflight, "PACKAGES", ("numpy", "no_such_package"))
    monkeypatch.setattr(preflight, "FREE", {False: 1e18, True: 1e18})
    monkeypatch.setenv("UNITNB_FIGURES", str(tmp_path / "figures"))
    settings = {"data": str(tmp_path / "nowhere"), "weights": str(tmp_path / "no.h5"), "keep_maps": True}
    text = "\n".join(preflight.problems("cifar10", settings))
    for part in ("has no no_such_package", "GB free; about", "no weights at", "no folder of images at"):
        assert text.count(part) >= 1, part
    assert len(set(text.splitlines())) == len(text.splitlines())


@pytest.mark.parametrize(("limits", "found"), [("-Sn 64", ["128"]), ("-n 64", ["64", "may have 64 files"])])
def test_few_open_files_become_more_or_are_said(limits, found):
    code = "from unitnb.files import limits; print(limits.open_files(), limits.too_few_files())"
    line = f'ulimit {limits}; exec "$0" -c "$1"'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith(found[0]) and found[-1] in done.stdout, done


def test_a_class_or_a_sample_set_that_cannot_be_had_is_found(tmp_path, monkeypatch):
    from test_folders import write_tree

    monkeypatch.setenv("UNITNB_FIGURES", str(tmp_path / "figures"))
    settings = {"data": str(write_tree(tmp_path / "data")), "weights": "imagenet", "class_names": ""}
    assert preflight.problems("shapes", {"target_class": "rign"})[0].startswith(
        "unknown class 'rign': did you"
    )
    assert preflight.problems("shapes", {}) == []
    found = preflight.problems("cifar10", {**settings, "target_class": "cat", "weights": ""})
    assert any("S_100 of 'cat': 1 train images for model A where 100 are asked for" in text for text in found)
    assert any("SET='n_validation=3'" in text for text in found)


def test_a_network_of_other_classes_is_refused_with_both_lists(tmp_path):
    from unitnb.images.outputs import check_trained_on

    with pytest.raises(ValueError, match="A.npz was trained on cat, dog; .*y has bird, fish"):
        check_trained_on(["cat", "dog"], ("bird", "fish"), Path("A.npz"), Path("y"))
    check_trained_on(["cat"], ("cat",), Path("A.npz"), Path("y"))
    check_trained_on(None, ("cat",), Path("A.npz"), Path("y"))


# ---- what make asks ----


def test_make_reads_a_profile_as_yaml_does(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks" / "profiles"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text(
        'source: folder\ndata: "my data"  # here\ntarget_class: "ring"\nmodels: {A: {epochs: 1}}\n'
    )
    (folder / "b.yaml").write_text("base: a\ntarget_class: fire truck # a class\n")
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    for name in ("a", "b"):
        profile = load_profile(name)
        assert inputs.setting(name, "target_class") == profile.target_class
        assert inputs.setting(name, "data") == profile.data
    assert inputs.main("b", "", "b", "") == "fire_truck" == load_profile("b").figures_folder.name


def test_the_stamp_changes_with_images_weights_and_settings(tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "profiles").mkdir(parents=True)
    (tmp_path / "notebooks" / "profiles" / "a.yaml").write_text(
        "source: folder\ndata: d\ntarget_class: cat\n"
    )
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    stamp = tmp_path / "build" / "runs" / "a" / "cat" / "inputs"

    def changed(settings=""):
        before = stamp.stat().st_mtime_ns if stamp.exists() else 0
        inventory.cache_clear()
        inputs.main("a", "", "a", settings)
        return stamp.stat().st_mtime_ns != before

    assert changed() and not changed()
    (tmp_path / "d" / "train" / "cat").mkdir(parents=True)
    (tmp_path / "d" / "train" / "cat" / "1.png").write_bytes(b"x")
    assert changed() and not changed()
    (tmp_path / "d" / "train" / "cat" / "1.png").write_bytes(b"xy")
    assert changed() and changed("n_rank=3") and not changed("n_rank=3")
    (tmp_path / "w.h5").write_bytes(b"1")
    monkeypatch.setenv("UNITNB_WEIGHTS", "w.h5")
    assert changed() and not changed()


# ---- processors, sockets ----


def test_the_instruction_set_is_that_of_the_block_alone(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
    with processor.environment(processor.AVX2):
        assert os.environ["OPENBLAS_CORETYPE"] == "Haswell" and os.environ["DNNL_MAX_CPU_ISA"] == "AVX2"
    assert os.environ["OPENBLAS_CORETYPE"] == "SkylakeX" and "DNNL_MAX_CPU_ISA" not in os.environ
    monkeypatch.setattr(processor.platform, "machine", lambda: "aarch64")
    assert processor.common_arithmetic() == {"TF_NUM_INTRAOP_THREADS": "1"}


def test_a_long_tmpdir_falls_back_and_what_killed_runs_left_is_removed(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 95)
    long.mkdir()
    monkeypatch.setattr(sockets.tempfile, "tempdir", str(long))
    monkeypatch.setattr(sockets, "FALLBACK", str(tmp_path))
    monkeypatch.setattr(sockets, "LONGEST", len(str(tmp_path)))
    with sockets.kernel_folder() as folder:
        assert folder.parent == tmp_path and sockets.connection(folder)["transport"] == "ipc"
    monkeypatch.setattr(sockets, "FALLBACK", "/nowhere")
    with sockets.kernel_folder() as folder:
        assert folder.parent == long and "transport" not in sockets.connection(folder)
    code = "import os; from unitnb.files import sockets\nwith sockets.kernel_folder(): os._exit(9)"
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], env=environment)
    dead = next(tmp_path.glob("unitnb-kernel-*"))
    assert dead.is_dir()
    monkeypatch.setattr(sockets.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sockets, "LONGEST", 200)
    with sockets.kernel_folder() as first, sockets.kernel_folder() as second:
        assert not dead.exists() and first.is_dir() and second.is_dir()
    assert not list(tmp_path.glob("unitnb-kernel-*"))

"""Hostile or broken input: refused with a clear error, no file in the wrong place, no crash and no hang.

Weights in HDF5 stand in test_pretrained, archives in test_tars.
"""

import io
import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from unitnb import cli, profiles
from unitnb.files import store
from unitnb.images.decoding import decode
from unitnb.images.parameters import notebook_parameters
from unitnb.images.samples import UnreadableImageError
from unitnb.images.sources import folder_images
from unitnb.profiles import checked_name, load_profile

ROOT = Path(profiles.__file__).parents[1]
PATHS = ["../../x", "x..y", "/tmp/x", "a/b", "a\\b", "..", ".hidden", "", "x\x00y", "x\ny", "x" * 101]


# ---- names that are paths ----
@pytest.mark.parametrize("name", PATHS)
def test_a_class_that_is_a_path_is_refused_everywhere(name):
    with pytest.raises(ValueError, match="no name of a class"):
        load_profile("shapes", {"target_class": name})
    if name:  # None and "" stand for the profile's own
        with pytest.raises(ValueError, match="no name of a class"):
            notebook_parameters({"profile": "shapes", "target_class": name, "seed": 0, "overrides": {}})


@pytest.mark.parametrize(
    "name", ["square", "hognose_snake", "hognose snake", "n01729322", "St. Bernard", "été"]
)
def test_names_of_classes_are_accepted(name):
    assert checked_name(name, "class") == name


@pytest.mark.parametrize("line", [
    ["claims", "--class", "../../x"], ["claims", "--profile", "../x"], ["claims", "--diff", "shapes/../../x"],
    ["train", "--class", "/x"], ["index", "../x"], ["sweep", "--profile", "../../x"],
    ["run", "notebooks/01_method.py", "build/x.ipynb", "--class", "../../x"],
    ["sweep", "--classes", "ring,../../x"], ["sweep", "--models", "../../A"], ["sweep", "--points", "1"],
])  # fmt: skip
def test_commands_refuse_paths_and_write_nothing(line, tmp_path, monkeypatch, capsys):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "notebooks").symlink_to(ROOT / "notebooks")
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path / "project"))
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")  # training would leave it at 1 for the tests that follow
    monkeypatch.chdir(tmp_path / "project")
    assert cli.main(line) == 1 and "unitnb: " in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*") if not path.is_symlink()] == ["project"]


def test_papermill_itself_is_stopped_by_a_notebooks_first_cell(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "notebooks").symlink_to(ROOT / "notebooks")
    line = [
        sys.executable,
        "-m",
        "papermill",
        "--no-progress-bar",
        ROOT / "notebooks" / "03_ablation.ipynb",
        tmp_path / "out.ipynb",
    ]
    environment = os.environ | {"UNITNB_ROOT": str(tmp_path / "project"), "PYTHONPATH": str(ROOT)}
    line += ["-p", "target_class", "../../x"]
    done = subprocess.run(line, cwd=tmp_path / "project", capture_output=True, text=True, env=environment)
    assert done.returncode and "'../../x' is no name of a class" in done.stderr, done
    assert {path.name for path in tmp_path.rglob("*") if "notebooks" not in path.parts} == {
        "out.ipynb",
        "project",
    }


# ---- profiles ----
@pytest.mark.parametrize("text", [
    "!!python/object/apply:os.system ['touch {mark}']", "source: !!python/name:os.system", "- a list",
    "source: [", "a: &a [*a]\n<<: *b", "\x00", "{" * 3000,
])  # fmt: skip
def test_a_profile_that_is_not_plain_yaml_is_refused(tmp_path, monkeypatch, text):
    (tmp_path / "notebooks" / "profiles").mkdir(parents=True)
    mark = tmp_path / "touched"
    (tmp_path / "notebooks" / "profiles" / "evil.yaml").write_text(text.replace("{mark}", str(mark)))
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    with pytest.raises(ValueError, match="evil"):
        load_profile("evil")
    assert not mark.exists()


# ---- images ----
def png_that_says(width, height):
    """A PNG of some hundred bytes whose header promises width x height pixels."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(100000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(50000, 50000), (9500, 9500), (1, 60_000_000), (7100, 7100)])
def test_an_image_of_gigapixels_is_refused_before_it_is_decompressed(size):
    """In a process that has no room for it."""
    code = ("import io, resource, sys; from PIL import Image; from unitnb.images.decoding import decode\n"
            "resource.setrlimit(resource.RLIMIT_DATA, (400_000_000, 400_000_000))\n"
            "try: decode(io.BytesIO(sys.stdin.buffer.read()), 'bomb.png', 32)\n"
            "except Exception as error: print(type(error).__name__, error)")  # fmt: skip
    line, environment = (
        [sys.executable, "-W", "ignore", "-c", code],
        os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    done = subprocess.run(line, input=png_that_says(*size), capture_output=True, env=environment)
    assert done.stdout.startswith(b"UnreadableImageError bomb.png") and b"pixels" in done.stdout, done


def test_other_formats_than_photographs_come_in_are_not_tried():
    for kind in ("GIF", "TIFF"):
        file = io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, kind)
        with pytest.raises(UnreadableImageError, match="no image"):
            decode(file, f"x.{kind}", 8)


def test_a_class_folder_that_leads_elsewhere_gives_only_images(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "passwords.txt").write_text("x")
    for split in ("train", "test"):
        (tmp_path / "data" / split / "cat").mkdir(parents=True)
        (tmp_path / "data" / split / "cat" / "link.png").symlink_to(tmp_path / "secret" / "passwords.txt")
    images = folder_images(tmp_path / "data", 8)
    with pytest.raises(UnreadableImageError, match="no image"):
        images.read("train", 0)


def photographs():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8))
    for mode, kind in (("RGB", "JPEG"), ("CMYK", "JPEG"), ("RGB", "PNG"), ("P", "PNG"), ("RGB", "BMP")):
        file = io.BytesIO()
        picture.convert(mode).save(file, kind)
        yield file.getvalue()


@st.composite
def altered(draw, originals):
    """The bytes of one of the originals with up to ten pieces replaced, cut out or put in."""
    found = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 10))):
        place = draw(st.integers(0, len(found)))
        found[place : place + draw(st.integers(0, 30))] = draw(st.binary(max_size=12))
    return bytes(found)


@settings(max_examples=300, deadline=None)
@given(altered(list(photographs())))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_any_bytes_are_an_image_or_an_unreadable_image(content):
    try:
        assert decode(io.BytesIO(content), "x", 16).shape == (16, 16, 3)
    except UnreadableImageError:
        pass


# ---- stored results and weights ----
ARRAYS = {"births": np.arange(60, dtype=np.int16).reshape(6, 10), "scores": np.linspace(0, 1, 10)}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "result.npz"
    store.write_npz(path, ARRAYS, {"key": "value"})
    return path, path.read_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_altered_archives_give_what_was_written_or_are_damaged(stored, data):
    """Whatever is altered: never other numbers under the same names."""
    path, whole = stored
    path.write_bytes(data.draw(altered([whole])))
    try:
        found = store.read_npz(path)[0]
    except store.DamagedFileError:
        return
    assert all(np.array_equal(found[name], array) for name, array in ARRAYS.items() if name in found)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network of a few weights, and their file."""
    import keras

    network = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    path = tmp_path_factory.mktemp("weights") / "small.weights.h5"
    network.save_weights(path)
    return network, path, path.read_bytes()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_altered_weights_are_loaded_or_damaged(weights, data):
    from unitnb.networks.pretrained import load_weights

    network, path, whole = weights
    path.write_bytes(data.draw(altered([whole])))
    try:
        load_weights(network, path)
    except store.DamagedFileError as error:
        assert str(path) in str(error)

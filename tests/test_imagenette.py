import hashlib
import os
import shutil
import tarfile
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from ilsvrc_files import picture, save, write_tar
from PIL import Image

import unitnb
from unitnb.files.store import DamagedFileError
from unitnb.images import imagenette
from unitnb.profiles import load_profile
from unitnb.synsets import by_wnid

WNIDS = ("n01440764", "n02979186", "n03417042")  # tench, cassette player, garbage truck
FEW = {"n_rank": 4, "n_large": 7, "n_validation": 5, "n_others": 2, "max_classes": None}
SIZE = (64, 48)


def write_imagenette(root: Path) -> Path:
    """Imagenette's layout: 8 training and 5 validation images a class, some of both in both folders."""
    for c, wnid in enumerate(WNIDS):
        for i in range(8):
            folder = root / ("val" if i % 4 == 1 else "train") / wnid
            save(picture(100 * c + i, SIZE), folder / f"{wnid}_{7 * i + 3}.JPEG")
        for i in range(5):
            folder = root / ("val" if i == 2 else "train") / wnid
            save(picture(100 * c + 50 + i, SIZE), folder / f"ILSVRC2012_val_{10 * c + i + 1:08d}.JPEG")
    (root / "noisy_imagenette.csv").write_text("path,noisy_labels_0\n")
    first = root / "train" / WNIDS[0] / f"{WNIDS[0]}_3.JPEG"
    save(Image.open(first).convert("CMYK"), first)
    second = root / "val" / WNIDS[0] / f"{WNIDS[0]}_10.JPEG"
    save(Image.open(second).convert("L"), second)
    return root


def write_tgz(tree: Path, path: Path, top: str) -> Path:
    """The archive of the download, whose members lie in one folder ``top`` (or none), in no sorted order."""
    with tarfile.open(path, "w:gz") as archive:
        for folder in sorted(tree.iterdir(), reverse=True):
            archive.add(folder, f"{top}/{folder.name}" if top else folder.name)
    return path


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """The same images as folders, one folder deeper, as the two kinds of compressed archive, and as a tar."""
    folder = tmp_path_factory.mktemp("imagenette")
    tree = write_imagenette(folder / "tree")
    write_imagenette(folder / "unpacked" / "imagenette2-320")
    write_tgz(tree, folder / "imagenette2-320.tgz", "imagenette2-320")
    write_tgz(tree, folder / "imagenette-224.tar.gz", "")
    with tarfile.open(folder / "imagenette2.tar", "w") as archive:
        archive.add(tree, "imagenette2")
    return folder


PLACES = ("tree", "unpacked", "imagenette2-320.tgz", "imagenette-224.tar.gz", "imagenette2.tar")


@pytest.fixture
def root(monkeypatch, tmp_path):
    (tmp_path / "notebooks").symlink_to(Path(unitnb.__file__).parents[1] / "notebooks")
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("UNITNB_DATA", raising=False)
    return tmp_path


@pytest.fixture
def use(root, places):
    """A function that gives the profile and the images of a place."""

    def opened(place, **overrides):
        settings = {
            "source": "imagenette",
            "data": str(places / place),
            "target_class": "tench",
            "image_size": 32,
            **FEW,
            **overrides,
        }
        profile = load_profile("imagenet", settings)
        return profile, unitnb.open_images(profile)

    return opened


@pytest.fixture
def copy(places, tmp_path):
    shutil.copytree(places / "tree", tmp_path / "copy")
    return tmp_path / "copy"


# ---- seen and unseen ----


@pytest.mark.parametrize("place", PLACES)
def test_the_name_of_a_file_says_whether_it_was_seen_not_its_folder(use, places, place):
    _, images = use(place)
    names = {
        split: [images.name(split, i) for i in range(len(images.labels[split]))] for split in images.labels
    }
    files = [path.relative_to(places / "tree").as_posix() for path in (places / "tree").glob("*/*/*.JPEG")]
    unseen = [name.split("/", 1)[1] for name in files if "ILSVRC2012_val_" in name]
    seen = [name.split("/", 1)[1] for name in files if "ILSVRC2012_val_" not in name]
    assert sorted(names["test"]) == sorted(f"test/{name}" for name in unseen) and len(unseen) == 15
    assert sorted(names["train"]) == sorted(f"train/{name}" for name in seen) and len(seen) == 24
    assert {name.split("/")[0] for name in files} == {"train", "val"}


def test_the_validation_sample_of_a_class_is_its_validation_images(use):
    profile, images = use("tree", target_class="garbage truck")
    sample = unitnb.sample_set(images, profile, "S_val")
    names = {images.name("test", index) for index in sample.indices}
    assert names == {f"test/n03417042/ILSVRC2012_val_{number:08d}.JPEG" for number in range(21, 26)}
    large = unitnb.sample_set(images, profile, "S_1000")
    assert {images.name("train", index)[:26] for index in large.indices} == {"train/n03417042/n03417042_"}


def test_labels_are_kerass_indices_among_1000(use):
    _, images = use("tree")
    assert images.class_labels == (0, 482, 569) and images.n_outputs == 1000
    assert images.classes == ("tench", "cassette_player", "garbage_truck")
    for split, count in (("train", 8), ("test", 5)):
        labels = images.labels[split]
        assert np.bincount(labels)[[0, 482, 569]].tolist() == [count] * 3 and labels.dtype == np.int64
        wnids = [images.name(split, i).split("/")[1] for i in range(len(labels))]
        assert [by_wnid()[wnid].index for wnid in wnids] == labels.tolist()


def test_a_class_by_name_wnid_and_index_is_the_same_class(use):
    for said in ("garbage truck", "n03417042", "569", "Garbage_Truck"):
        profile, images = use("tree", target_class=said)
        assert profile.target_class == "garbage_truck" and images.class_index(profile.target_class) == 569
    with pytest.raises(ValueError, match="'zebra' .* has no training images; 3 classes have: tench"):
        use("tree", target_class="zebra")


# ---- folders and archives ----


def test_folders_and_archives_give_the_same_samples(use):
    drawn = []
    for place in PLACES:
        profile, images = use(place)
        samples = [unitnb.sample_set(images, profile, name) for name in ("S_100", "S_1000", "S_val")]
        drawn.append([*samples, unitnb.sample_others(images, profile, "S_val")])
    for first, *others in zip(*drawn, strict=True):
        for other in others:
            assert np.array_equal(first.images, other.images) and np.array_equal(first.indices, other.indices)
        assert first.images.shape[1:] == (32, 32, 3) and first.images.std() > 20


@pytest.mark.parametrize("place", ["tree", "imagenette2-320.tgz"])
def test_every_image_is_the_file_it_is_named_after(use, places, place):
    _, images = use(place, interpolation="bilinear")
    for split in ("train", "test"):
        for index in range(len(images.labels[split])):
            name = images.name(split, index).split("/", 1)[1]
            (path,) = (places / "tree").glob(f"*/{name}")
            with Image.open(path) as image:  # the first is CMYK, the second grey
                expected = np.asarray(image.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR))
            assert np.array_equal(images.read(split, index), expected)


def test_an_archive_is_unpacked_and_indexed_once_and_stays_as_it_is(use, root, places, monkeypatch):
    before = (places / "imagenette2-320.tgz").read_bytes()
    use("imagenette2-320.tgz")
    (tar,) = (root / "build" / "cache").glob("*.tar")
    written = tar.stat().st_mtime_ns
    monkeypatch.setattr(imagenette, "_index", None)
    monkeypatch.setattr(imagenette.gzip, "open", None)
    use("imagenette2-320.tgz")
    assert tar.stat().st_mtime_ns == written and (places / "imagenette2-320.tgz").read_bytes() == before
    assert sorted(path.name for path in places.iterdir()) == sorted(PLACES)


def test_another_archive_of_the_same_name_is_read_anew(use, root, places, tmp_path):
    path = shutil.copy(places / "imagenette2-320.tgz", tmp_path / "x.tgz")
    count = len(use(path)[1].labels["train"])
    tree = shutil.copytree(places / "tree", tmp_path / "smaller")
    (tree / "train" / WNIDS[1] / f"{WNIDS[1]}_3.JPEG").unlink()
    write_tgz(tree, tmp_path / "x.tgz", "imagenette2-320")
    assert len(use(path)[1].labels["train"]) == count - 1
    os.utime(path, (1, 1))  # as large, and of another time
    use(path)
    assert len(list((root / "build" / "cache").glob("*.tar"))) == 3


# ---- other files ----


def test_known_strays_are_silent_and_others_are_counted_in_one_line(copy, tmp_path):
    folder = copy / "train" / WNIDS[0]
    (folder / "list.csv").write_text("")
    (folder / "._n01440764_3.JPEG").write_bytes(b"left by a file manager")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = imagenette.open_imagenette(copy, tmp_path / "cache")
    (folder / "notes.txt").write_text("")
    save(picture(1, SIZE), folder / "holiday.JPEG")
    save(picture(2, SIZE), folder / f"{WNIDS[1]}_5.JPEG")  # of another class by its name
    save(picture(3, SIZE), copy / "val" / "cats" / "ILSVRC2012_val_00000099.JPEG")
    for place in (copy, write_tgz(copy, tmp_path / "x.tgz", "x")):
        with pytest.warns(UserWarning, match="4 file.s. are left out") as caught:
            again = imagenette.open_imagenette(place, tmp_path / "cache")
        assert len(caught) == 1 and again["train"].names.tolist() == found["train"].names.tolist()


def test_a_file_that_lies_in_both_folders_counts_once(copy, tmp_path):
    name = f"{WNIDS[0]}/ILSVRC2012_val_00000001.JPEG"
    shutil.copy(copy / "train" / name, copy / "val" / name)
    assert len(imagenette.open_imagenette(copy, tmp_path)["test"].labels) == 15


# ---- what is missing or damaged ----


def test_a_missing_place_says_how_it_is_named(root):
    with pytest.raises(
        FileNotFoundError, match="nothing is at .*DATA=<folder.*DATA=imagenette2 or imagenette2-320"
    ):
        imagenette.open_imagenette(root / "nowhere", root)


def test_a_folder_of_something_else_says_what_it_holds(root, places):
    with pytest.raises(FileNotFoundError, match="holds: imagenette-224.tar.gz, .*; expected train/<wnid>"):
        imagenette.open_imagenette(places, root)
    (root / "x.zip").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="file of another kind; expected a folder, or .tgz"):
        imagenette.open_imagenette(root / "x.zip", root)


@pytest.mark.parametrize(("kept", "said"), [("n0*", "ILSVRC2012_val_<number>"), ("IL*", "<wnid>_<number>")])
def test_a_folder_without_one_of_the_two_kinds_says_which(copy, tmp_path, kept, said):
    for path in copy.glob("*/*/*"):
        if not path.match(kept):
            path.unlink()
    with pytest.raises(FileNotFoundError, match=f"copy has no images called {said}.JPEG"):
        imagenette.open_imagenette(copy, tmp_path)


@pytest.mark.parametrize("kept", [0, 5, 3000, -1, -9])
def test_an_archive_that_is_cut_short_is_named_and_nothing_is_kept(places, tmp_path, kept):
    (tmp_path / "x.tgz").write_bytes((places / "imagenette2-320.tgz").read_bytes()[:kept])
    with pytest.raises(DamagedFileError, match="x.tgz is no whole"):
        imagenette.open_imagenette(tmp_path / "x.tgz", tmp_path / "cache")
    if kept:  # an empty gzip file is an empty archive, but no whole tar
        assert not list((tmp_path / "cache").glob("*.tar"))


def test_an_archive_that_is_altered_is_named(places, tmp_path):
    content = bytearray((places / "imagenette2-320.tgz").read_bytes())
    content[len(content) // 2] ^= 255
    (tmp_path / "x.tgz").write_bytes(content)
    with pytest.raises(DamagedFileError, match="x.tgz is no whole archive"):
        imagenette.open_imagenette(tmp_path / "x.tgz", tmp_path)


def test_an_archive_that_would_fill_the_disk_is_refused(places, tmp_path, monkeypatch):
    monkeypatch.setattr(imagenette, "TAR_BYTES", 10_000)
    with pytest.raises(DamagedFileError, match="it unpacks to more than 10,000 bytes"):
        imagenette.open_imagenette(places / "imagenette2-320.tgz", tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.tar"))


def test_links_and_huge_members_are_refused(tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        member = tarfile.TarInfo(f"x/train/{WNIDS[0]}/{WNIDS[0]}_1.JPEG")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(DamagedFileError, match="which is no plain file"):
        imagenette.open_imagenette(tmp_path / "links.tar", tmp_path)
    write_tar(tmp_path / "huge.tar", {f"train/{WNIDS[0]}/{WNIDS[0]}_1.JPEG": bytes(100)})
    monkeypatch.setattr(imagenette.tars, "IMAGE_BYTES", 99)
    with pytest.raises(DamagedFileError, match="_1.JPEG' of 100 bytes; no image may have more than 99"):
        imagenette.open_imagenette(tmp_path / "huge.tar", tmp_path)


# ---- the download ----


@pytest.mark.parametrize("word", imagenette.MD5)
def test_a_word_downloads_with_the_hash_and_into_kerass_cache(root, places, monkeypatch, word):
    asked = []

    def get_file(name, origin, **settings):
        asked.append({"name": name, "origin": origin, **settings})
        return str(places / "imagenette2-320.tgz")

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    found = imagenette.open_imagenette(root / word, root / "cache")
    assert len(found["test"].labels) == 15 and asked == [
        {
            "name": f"{word}.tgz",
            "origin": f"https://s3.amazonaws.com/fast-ai-imageclas/{word}.tgz",
            "cache_dir": str(root / "keras"),
            "cache_subdir": "datasets",
            "file_hash": imagenette.MD5[word],
        }
    ]


def test_what_lies_in_kerass_cache_is_not_downloaded(root, places, monkeypatch):
    path = root / "keras" / "datasets" / "imagenette2-160.tgz"
    path.parent.mkdir(parents=True)
    shutil.copy(places / "imagenette2-320.tgz", path)
    monkeypatch.setitem(imagenette.MD5, "imagenette2-160", hashlib.md5(path.read_bytes()).hexdigest())
    found = imagenette.open_imagenette(root / "imagenette2-160", root / "cache")
    assert len(found["train"].labels) == 24


def test_without_a_network_one_sentence_says_what_to_fetch_and_where_to_put_it(root, monkeypatch):
    def no_network(*arguments, **settings):
        raise OSError("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", no_network)
    said = (
        f"imagenette2-320 cannot be downloaded .URL fetch failure.; put {imagenette.URL}/imagenette2-320.tgz "
        f".md5 3df6f0d01a2c9592104656642f5e78a3. at {root}/keras/datasets/imagenette2-320.tgz"
    )
    with pytest.raises(FileNotFoundError, match=said):
        imagenette.open_imagenette(root / "imagenette2-320", root)


def test_nothing_is_downloaded_unless_the_bare_word_asks_for_it(root, places, monkeypatch):
    monkeypatch.setattr(keras.utils, "get_file", None)
    with pytest.raises(FileNotFoundError, match="nothing is at"):
        imagenette.open_imagenette(root / "build" / "imagenette2-320", root)
    shutil.copytree(places / "tree", root / "imagenette2-320")
    assert len(imagenette.open_imagenette(root / "imagenette2-320", root)["test"].labels) == 15

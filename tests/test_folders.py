"""Folders of images as people have them: what is read, left out or refused, and in what words."""

import io
import unicodedata
import warnings

import numpy as np
import pytest
from PIL import Image

import unitnb
from unitnb.files.inventory import quick_state
from unitnb.images import folders
from unitnb.images.decoding import decode
from unitnb.images.outputs import output_labels
from unitnb.images.sources import class_names, folder_images, open_images
from unitnb.profiles import load_profile


def photograph(path, grey=100, size=(6, 4), **settings):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (grey, grey, grey)).save(path, **settings)


def write_tree(root, train="train", test="test", classes=("cat", "dog"), count=3):
    for split in (train, test):
        for number, name in enumerate(classes):
            for i in range(count):
                photograph(root / split / name / f"{i}.png", 50 * number + i)
    return root


def profile_of(folder, **settings):
    return load_profile("cifar10", {"data": str(folder), "target_class": "cat", "image_size": 8, **settings})


# ---- what is a class ----


def test_hidden_system_and_empty_folders_are_no_classes_and_are_named_once(tmp_path):
    write_tree(tmp_path)
    photograph(tmp_path / "train" / ".ipynb_checkpoints" / "0-checkpoint.png")
    photograph(tmp_path / "train" / "__MACOSX" / "0.png")
    (tmp_path / "train" / "empty").mkdir()
    with pytest.warns(
        UserWarning, match="without images in train: .ipynb_checkpoints, __MACOSX, empty"
    ) as told:
        images = folder_images(tmp_path, 8)
    assert len(told) == 1 and images.classes == ("cat", "dog") == class_names(profile_of(tmp_path))
    assert images.labels["train"].tolist() == [0, 0, 0, 1, 1, 1]


def test_images_inside_a_class_are_read_and_the_rest_is_counted_in_one_line(tmp_path):
    write_tree(tmp_path)
    photograph(tmp_path / "train" / "cat" / "more" / "old" / "x.webp", 7, lossless=True)
    photograph(tmp_path / "train" / "cat" / "y.jfif", 8, format="JPEG")
    photograph(tmp_path / "train" / "cat" / "without_ending", 9, format="BMP")
    photograph(tmp_path / "train" / "cat" / "moving.gif", 9)
    for name in ("notes.txt", "list.txt", ".DS_Store", "Thumbs.db"):
        (tmp_path / "train" / "cat" / name).write_text("no image")
    with pytest.warns(UserWarning, match=r"left out 1 files .gif; 2 files .txt. Images are JPEG"):
        images = folder_images(tmp_path, 8)
    found = {images.name("train", i): int(images.read("train", i)[0, 0, 0]) for i in range(6)}
    assert found["more/old/x.webp"] == 7 and found["train/cat/y.jfif"] == 8
    assert found["train/cat/without_ending"] == 9 and images.labels["train"].tolist() == [0] * 6 + [1] * 3


def test_a_pipe_among_the_images_does_not_hang(tmp_path):
    import os

    write_tree(tmp_path)
    os.mkfifo(tmp_path / "train" / "cat" / "pipe.png")
    os.mkfifo(tmp_path / "train" / "cat" / "pipe")
    assert len(folder_images(tmp_path, 8).labels["train"]) == 6


def test_links_inside_a_class_are_counted_and_not_followed(tmp_path):
    write_tree(tmp_path)
    photograph(tmp_path / "far" / "x.png")
    cat = tmp_path / "train" / "cat"
    for name, goal in (("more", tmp_path / "far"), ("up", cat), ("gone.png", "nowhere"), ("self", "self")):
        (cat / name).symlink_to(goal)
    (cat / "linked.png").symlink_to(tmp_path / "far" / "x.png")
    with pytest.warns(UserWarning, match="left out 4 links to folders, or to nothing. Images are"):
        assert len(folder_images(tmp_path, 8).labels["train"]) == 7
    assert len(quick_state(tmp_path)) > 20


# ---- where the splits lie ----


def test_the_split_with_classes_is_taken(tmp_path):
    """A flat test/ without labels, or one folder of unsorted images in it, beside val/<class>/."""
    write_tree(tmp_path, test="val")
    photograph(tmp_path / "test" / "1.png", 1)
    assert len(folder_images(tmp_path, 8).labels["test"]) == 6
    photograph(tmp_path / "test" / "unsorted" / "2.png", 1)
    assert len(folder_images(tmp_path, 8).labels["test"]) == 6


def test_the_folder_of_an_archive_and_other_names_of_splits_are_found(tmp_path):
    write_tree(tmp_path / "photos-master", train="Training", test="Validation")
    (tmp_path / "__MACOSX").mkdir()
    assert folder_images(tmp_path, 8).classes == ("cat", "dog") == class_names(profile_of(tmp_path))


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        ("no train", FileNotFoundError, r"no folder 'train or training' \(it holds: cat/, dog/\); exp"),
        ("flat train", FileNotFoundError, "no class folders with images .*train holds: 0.png, 1.png, 2.png"),
        ("empty class", FileNotFoundError, r"train holds: cat/, dog/\); expected"),
        ("other format", FileNotFoundError, "there are 6 files .tif. Images are JPEG, PNG, BMP or WebP"),
        ("file", FileNotFoundError, "is a file; unpack it"),
        ("other test", ValueError, "train has the classes cat, dog, .*test has bird, fish; exp"),
        ("two names", ValueError, "two folders of one name, 'é'"),
    ],
)  # fmt: skip
def test_what_lies_there_is_said(tmp_path, spoil, error, words):
    root = tmp_path / "photos"
    if spoil == "no train":
        for name in ("cat", "dog"):
            photograph(root / name / "0.png")
    elif spoil == "flat train":
        write_tree(root / "x", classes=("cat",))
        (root / "x" / "train" / "cat").rename(root / "train")
    elif spoil == "file":
        root.write_bytes(b"PK")
    else:
        write_tree(root)
    if spoil == "other format":
        for path in (root / "train").rglob("*.png"):
            Image.open(path).save(path.with_suffix(".tif"))
            path.unlink()
    if spoil == "empty class":
        for path in (root / "train").rglob("*.png"):
            path.rename(path.with_suffix(".txt")).write_text("")
    if spoil == "other test":
        for old, new in (("cat", "bird"), ("dog", "fish")):
            (root / "test" / old).rename(root / "test" / new)
    if spoil == "two names":
        for form in ("NFC", "NFD"):
            photograph(root / "train" / unicodedata.normalize(form, "é") / "0.png")
    with pytest.raises(error, match=words):
        folder_images(root, 8)


def test_a_class_without_training_images_is_named(tmp_path):
    write_tree(tmp_path)
    photograph(tmp_path / "test" / "bird" / "0.png")
    with pytest.warns(UserWarning, match="classes without training images: bird"):
        assert folder_images(tmp_path, 8).classes == ("cat", "dog")


def test_one_class_alone_is_a_sentence(tmp_path):
    profile = profile_of(write_tree(tmp_path, classes=("cat",)))
    with pytest.raises(ValueError, match="'cat' is the only class of these images"):
        unitnb.sample_others(open_images(profile), profile, "S_val")


# ---- names ----


def test_names_are_the_same_in_both_forms_of_unicode(tmp_path):
    """macOS writes e and its accent as two characters: labels and classes must not depend on that."""
    names = ["été", "zèbre", "zoo"]
    for form in ("NFC", "NFD"):
        write_tree(tmp_path / form, classes=[unicodedata.normalize(form, name) for name in names])
        images = folder_images(tmp_path / form, 8)
        assert images.classes == tuple(sorted(names))
        assert [images.class_index(unicodedata.normalize(f, "été")) for f in ("NFC", "NFD")] == [2, 2]
        assert load_profile("own", {"target_class": unicodedata.normalize(form, "été")}).target_class == "été"


@pytest.mark.parametrize(("said", "means"), [(2, "2"), ("a b", "a b"), (" cat", None), (True, None)])
def test_classes_are_numbers_and_words_too(tmp_path, said, means):
    write_tree(tmp_path, classes=("2", "a b"))
    if means is None:
        with pytest.raises(ValueError, match="class"):
            profile_of(tmp_path, target_class=said)
    else:
        assert open_images(profile_of(tmp_path, target_class=said)).class_index(means) in (0, 1)


def test_only_the_bare_word_keras_means_keras(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITNB_DATA", str(write_tree(tmp_path / "keras")))
    assert class_names(profile_of("x")) == ("cat", "dog")
    monkeypatch.setenv("UNITNB_DATA", "keras")
    assert class_names(profile_of("x"))[0] == "airplane" and "airplane" not in class_names(
        load_profile("shapes")
    )


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("UNITNB_DATA", "~/x")
    assert load_profile("cifar10").data_folder == tmp_path / "x"


def test_without_a_network_keras_is_a_sentence(monkeypatch, tmp_path):
    from keras.datasets import cifar10

    def offline():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(cifar10, "load_data", offline)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"save https.*tar.gz as {tmp_path}/datasets/cifar-10-"):
        open_images(load_profile("cifar10", {"data": "keras"}))


# ---- labels of ImageNet's networks ----


def test_folders_get_imagenets_labels_by_wnid_or_are_refused(tmp_path):
    profile = load_profile("cifar10", {"data": str(tmp_path), "weights": "imagenet"})
    assert output_labels(profile, ("n01440764", "n02102040_English_springer")) == (0, 217)
    with pytest.raises(ValueError, match="no wnids: tench, springer. The network has the outputs"):
        output_labels(profile, ("tench", "springer"))


# ---- pixels ----


def test_a_grey_image_of_16_bits_is_scaled_not_clipped(tmp_path):
    levels = np.array([[0, 257 * 50], [257 * 128 + 100, 65535]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    assert decode(tmp_path / "deep.png", "deep.png", 2)[..., 0].tolist() == [[0, 50], [128, 255]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_photographs_are_turned_upright(orientation, kind):
    """The pixels are stored as a camera on its side stores them; turned, the white corner is top left."""
    upright = np.zeros((32, 32, 3), np.uint8)
    upright[:16, :16] = 255
    turn = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(turn(upright))).save(file, kind, exif=exif)
    file.seek(0)
    found = decode(file, "x", 32)
    assert found[4, 4].min() > 240 and found[4, 28].max() < 15 and found[28].max() < 15


def test_what_is_counted_depends_on_content_not_on_warnings(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = folders.open_folder(write_tree(tmp_path))
    assert [len(found[split].files) for split in ("train", "test")] == [6, 6]

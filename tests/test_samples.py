import numpy as np
import pytest
from PIL import Image

import unitnb
from unitnb.images import decoding, samples, shapes, sources
from unitnb.profiles import load_profile


def write_image(path, grey, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (grey, grey, grey)).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two classes of 12 training and 6 test images; cat's are grey levels 10, 11, ..., dog's 110, 111, ..."""
    for split, count in (("train", 12), ("val", 6)):
        for name, first in (("cat", 10), ("dog", 110)):
            for i in range(count):
                write_image(tmp_path / split / name / f"{i:03d}.{('png', 'BMP', 'Png')[i % 3]}", first + i)
    return tmp_path


def profile_of(folder, **overrides):
    settings = {
        "data": str(folder),
        "target_class": "cat",
        "n_rank": 4,
        "n_large": 10,
        "n_validation": 3,
        "image_size": 8,
        "models": {"A": {"fraction": 1.0}},
    }
    return load_profile("cifar10", {**settings, **overrides})


def test_a_folder_in_imagenets_layout_with_any_ending(folder):
    images = sources.folder_images(folder, 8)
    assert images.classes == ("cat", "dog") and np.bincount(images.labels["train"]).tolist() == [12, 12]
    assert images.read("train", 3)[0, 0].tolist() == [13, 13, 13] and images.read("test", 6).shape == (
        8,
        8,
        3,
    )
    assert images.name("train", 0) == "train/cat/000.png"


def test_other_sizes_and_modes_are_brought_to_one(folder):
    Image.new("L", (20, 10), 50).save(folder / "train" / "cat" / "000.png")
    assert sources.folder_images(folder, 8).read("train", 0).tolist() == np.full((8, 8, 3), 50).tolist()


def test_samples_are_seeded_nested_and_of_one_class(folder):
    profile = profile_of(folder)
    images = unitnb.open_images(profile)
    small, large = (unitnb.sample_set(images, profile, name) for name in ("S_100", "S_1000"))
    assert (len(small), len(large)) == (4, 10) and small.indices.tolist() == large.indices[:4].tolist()
    assert (images.labels["train"][large.indices] == 0).all() and len(set(large.indices.tolist())) == 10
    again = unitnb.sample_set(images, profile, "S_100")
    assert again.indices.tolist() == small.indices.tolist() and np.array_equal(again.images, small.images)
    test = unitnb.sample_set(images, profile, "S_val", target_class="dog")
    assert test.split == "test" and test.labels.tolist() == [1, 1, 1] and test.images.min() >= 110


def test_an_unreadable_image_is_skipped_named_and_counted(folder):
    profile = profile_of(folder)
    images = unitnb.open_images(profile)
    first = unitnb.sample_set(images, profile, "S_100").indices[0]
    broken = folder / images.name("train", first)
    broken.write_bytes(broken.read_bytes()[:20])
    with pytest.warns(UserWarning, match=f"skipped 1 unreadable image.*{broken.name}"):
        sample = unitnb.sample_set(unitnb.open_images(profile), profile, "S_100")
    assert len(sample) == 4 and first not in sample.indices and broken.name in sample.skipped[0]


def test_strict_makes_an_unreadable_image_an_error(folder):
    for path in (folder / "train" / "cat").glob("*.png"):
        path.write_bytes(b"")
    images = sources.folder_images(folder, 8)
    with pytest.raises(samples.UnreadableImageError, match="cat/"):
        images.read_many("train", range(12), 12, strict=True)


def test_a_truncated_jpeg_is_unreadable(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    path = tmp_path / "x.JPEG"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(samples.UnreadableImageError, match="truncated"):
        decoding.decode(path, path.name, 32)


@pytest.mark.parametrize(
    ("overrides", "error", "said"),
    [
        ({"target_class": "cta"}, ValueError, "unknown class 'cta': did you mean 'cat'"),
        ({"data": "nowhere"}, FileNotFoundError, "no folder of images"),
        ({"source": "folders"}, ValueError, "unknown source 'folders'"),
    ],
)
def test_bad_sources_are_named(folder, overrides, error, said):
    with pytest.raises(error, match=said):
        unitnb.open_images(profile_of(folder, **overrides))


def test_a_folder_without_train_says_what_it_holds(folder):
    (folder / "train").rename(folder / "learn")
    with pytest.raises(FileNotFoundError, match=r"no folder 'train or training' \(it holds: learn/, val/\)"):
        sources.folder_images(folder, 8)


def test_too_few_images_are_counted(folder):
    profile = profile_of(folder, n_rank=100)
    with pytest.raises(ValueError, match="12 train images found where 100 are asked for"):
        unitnb.sample_set(unitnb.open_images(profile), profile, "S_100")


def test_a_recipes_share_is_named_where_it_is_the_reason(folder):
    profile = profile_of(folder, n_rank=9, models={"A": {"fraction": 0.5}})
    said = r"12 train images found, of which model A is trained on 50% \(6\) where 9 .*SET='n_rank=6' of make"
    with pytest.raises(ValueError, match=said):
        unitnb.sample_set(unitnb.open_images(profile), profile, "S_100")


def test_an_unknown_sample_set_is_named():
    with pytest.raises(ValueError, match="did you mean 'S_100'"):
        unitnb.sample_set(tiny_images(), load_profile("shapes", {"target_class": "a"}), "S_10")


def tiny_images(n=200):
    labels = np.repeat(np.arange(3), n)
    pixels = np.zeros((len(labels), 2, 2, 3), np.uint8)
    return samples.from_arrays("abc", {"train": (pixels, labels), "test": (pixels, labels)})


def test_a_fraction_of_each_class_and_a_share_of_wrong_labels():
    profile = load_profile("shapes", {"models": {"D": {"fraction": 0.5, "corrupted": 0.4}}})
    images = tiny_images()
    indices, assigned_labels = samples.training_set(images, profile, "D")
    true = images.labels["train"][indices]
    assert np.bincount(true).tolist() == [100, 100, 100] and (assigned_labels != true).sum() == 120
    assert set(assigned_labels) == {0, 1, 2}


def test_a_sample_of_a_model_shows_what_the_model_was_told():
    profile = load_profile(
        "shapes", {"target_class": "a", "models": {"D": {"fraction": 0.5, "corrupted": 0.4}}}
    )
    images = tiny_images()
    indices, assigned_labels = samples.training_set(images, profile, "D")
    sample = unitnb.sample_set(
        images,
        load_profile(
            "shapes",
            {"n_rank": 50, "target_class": "a", "models": {"D": {"fraction": 0.5, "corrupted": 0.4}}},
        ),
        "S_100",
        "D",
    )
    assert (
        set(sample.indices) <= set(indices[assigned_labels == 0])
        and (images.labels["train"][sample.indices] != 0).any()
    )


def test_keras_cifar10_is_the_other_way_to_the_same_profile(monkeypatch):
    from keras.datasets import cifar10

    pixels, labels = np.zeros((30, 32, 32, 3), np.uint8), np.arange(30).reshape(30, 1) % 10
    monkeypatch.setattr(cifar10, "load_data", lambda: ((pixels, labels), (pixels[:10], labels[:10])))
    images = unitnb.open_images(load_profile("cifar10", {"data": "keras"}))
    assert (
        images.classes[1] == "automobile"
        and images.labels["train"].shape == (30,)
        and len(images.labels["test"]) == 10
    )


def test_the_embedded_images_are_one_source_like_any_other(monkeypatch, tmp_path):
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    drawn = shapes.shapes_images
    monkeypatch.setattr(shapes, "shapes_images", lambda split: drawn(split, n_per_class=3))
    (tmp_path / "notebooks").symlink_to(unitnb.profiles.Path(unitnb.__file__).parents[1] / "notebooks")
    images = unitnb.open_images(load_profile("shapes"))
    assert images.classes == shapes.CLASSES and images.read("test", 29).shape == (32, 32, 3)
    assert list((tmp_path / "build" / "cache").glob("shapes-*.npz"))


def test_a_folder_of_other_classes_can_be_trained_on(folder, monkeypatch, capsys):
    from unitnb import cli
    from unitnb.networks import training

    trained = []
    monkeypatch.setenv("UNITNB_DATA", str(folder))
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setattr(
        training,
        "train_model",
        lambda profile, model, images: trained.append((profile.target_class, model, images.classes)),
    )
    assert (
        cli.main(["train", "--profile", "cifar10", "--models", "A"]) == 1
        and "known: cat, dog" in capsys.readouterr().err
    )
    assert cli.main(["train", "--profile", "cifar10", "--class", "dog", "--models", "A"]) == 0
    assert trained == [("dog", "A", ("cat", "dog"))]

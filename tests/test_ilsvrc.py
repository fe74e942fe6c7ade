import shutil

import ilsvrc_files
import keras
import numpy as np
import pytest
from PIL import Image

import unitnb
from unitnb.files.store import DamagedFileError
from unitnb.images import decoding, flat, ilsvrc
from unitnb.images.samples import SETS, UnreadableImageError
from unitnb.networks import pretrained
from unitnb.profiles import load_profile
from unitnb.synsets import by_wnid, find_synset

FEW = {"n_rank": 4, "n_large": 7, "n_validation": 3, "n_others": 2}
LAYOUTS = ("tree", "class_tars", "tar_of_tars")


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    """The same images three times: folders, class tars with flat validation images, the downloaded files."""
    folder = tmp_path_factory.mktemp("ilsvrc")
    tree = ilsvrc_files.write_folders(folder / "tree")
    truncated = ilsvrc_files.add_quirks(tree)
    ilsvrc_files.class_tars(tree, folder / "class_tars")
    ilsvrc_files.tar_of_tars(tree, folder / "tar_of_tars")
    return folder, truncated


@pytest.fixture
def use(monkeypatch, layouts, tmp_path):
    """A function that gives the profile and the images of a layout; indices go to the test's folder."""
    (tmp_path / "notebooks").symlink_to(unitnb.profiles.Path(unitnb.__file__).parents[1] / "notebooks")
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))

    def opened(layout, **overrides):
        monkeypatch.setenv("UNITNB_DATA", str(layouts[0] / layout))
        profile = load_profile("imagenet", {**FEW, **overrides})
        return profile, unitnb.open_images(profile)

    return opened


def drawn(profile, images):
    with pytest.warns(UserWarning, match="skipped 1 unreadable image.*truncated"):
        samples = [unitnb.sample_set(images, profile, name) for name in SETS]
    return [*samples, unitnb.sample_others(images, profile, "S_val")]


def test_labels_are_keras_indices_whatever_is_present(use):
    _, images = use("tree")
    assert (
        images.class_labels == tuple(by_wnid()[wnid].index for wnid in ilsvrc_files.WNIDS)
        and images.n_outputs == 1000
    )
    counts = np.bincount(images.labels["train"], minlength=1000)
    assert set(np.flatnonzero(counts)) == set(images.class_labels) and set(
        counts[list(images.class_labels)]
    ) == {8}


def test_the_papers_class_is_54_with_three_wnids_present_too(monkeypatch, tmp_path):
    ilsvrc_files.write_folders(tmp_path, 2, 1, ("n15075141", "n01729322", "n01440764"))
    listing = ilsvrc.open_ilsvrc(tmp_path, tmp_path / "cache")["train"]
    assert np.unique(listing.labels).tolist() == [0, 54, 999]
    assert {listing.name(i)[:9]: int(listing.labels[i]) for i in range(6)} == {
        "n01440764": 0,
        "n01729322": 54,
        "n15075141": 999,
    }


def test_folders_and_tars_give_the_same_samples(use, layouts):
    by_layout = [drawn(*use(layout)) for layout in LAYOUTS]
    for sample, *others in zip(*by_layout, strict=True):
        for other in others:
            assert np.array_equal(sample.images, other.images) and sample.skipped == other.skipped
            assert np.array_equal(sample.indices, other.indices) and np.array_equal(
                sample.labels, other.labels
            )
    large = by_layout[0][1]
    assert large.skipped[0].startswith(layouts[1][0]) and len(large) == 7 and set(large.labels) == {54}
    assert large.images.shape == (7, 224, 224, 3) and large.images.std() > 20


def test_folders_and_tars_give_the_same_births_and_curves(use, tmp_path, monkeypatch):
    keras.utils.set_random_seed(1)
    pretrained.keras_vgg16(32).save_weights(tmp_path / "own.weights.h5")  # VGG16 for small images
    monkeypatch.setenv("UNITNB_WEIGHTS", str(tmp_path / "own.weights.h5"))
    found = []
    for layout in ("tree", "tar_of_tars"):
        profile, images = use(layout, image_size=32)
        network, sample = unitnb.load_model(profile), unitnb.sample_set(images, profile, "S_val")
        births = unitnb.birth_points(unitnb.split_model(network, "block3_conv3").feature_maps(sample.images))
        split = unitnb.split_model(network, "block5_conv3")
        maps = split.feature_maps(sample.images)
        found.append((births, unitnb.ablation_curve(split, maps, sample.labels, np.arange(512)).loss))
    assert all(np.array_equal(*pair) for pair in zip(*found, strict=True))
    assert (found[0][0] > 0).any() and np.ptp(found[0][1]) > 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_image_is_the_file_it_is_named_after(use, layouts, layout):
    _, images = use(layout, interpolation="bilinear")
    for split, folder in (("train", "train"), ("test", "val")):
        for index in (0, 17, len(images.labels[split]) - 1):
            name = images.name(split, index).split("/", 1)[1]
            with Image.open(layouts[0] / "tree" / folder / name) as image:
                resized = np.asarray(image.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
            assert np.array_equal(images.read(split, index), resized)
            assert images.labels[split][index] == by_wnid()[name[:9]].index


def test_cmyk_grey_and_a_png_called_jpeg_are_read(use, layouts):
    _, images = use("tar_of_tars")
    first = int(np.flatnonzero(images.labels["train"] == 54)[0])
    formats = []
    for index in range(first, first + 3):
        with Image.open(layouts[0] / "tree" / images.name("train", index)) as image:
            formats.append((image.format, image.mode))
        assert images.read("train", index).shape == (224, 224, 3)
    assert formats == [("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "RGB")]


def test_strict_makes_the_truncated_image_an_error(use):
    profile, images = use("class_tars", strict=True)
    with pytest.raises(UnreadableImageError, match="n01729322/n01729322_.*truncated"):
        unitnb.sample_set(images, profile, "S_1000")


def test_the_filter_is_the_profiles_choice(use):
    halves = np.zeros((10, 10, 3), np.uint8)
    halves[:, 5:] = 200
    ilsvrc_files.save(Image.fromarray(halves), path := unitnb.profiles.project_root() / "halves.png", "PNG")
    sides = {filter: decoding.decode(path, path.name, 224, filter) for filter in ("nearest", "bilinear")}
    assert np.unique(sides["nearest"]).tolist() == [0, 200] and (sides["nearest"] == 200).mean() == 0.5
    assert len(np.unique(sides["bilinear"])) > 10  # a slope between the halves
    read = [use("tree", interpolation=filter)[1].read("train", 0) for filter in ("nearest", "bilinear")]
    assert not np.array_equal(*read)
    with pytest.raises(ValueError, match="unknown interpolation 'cubic'"):
        load_profile("imagenet", {"interpolation": "cubic"})


def test_only_some_classes_are_looked_at_and_all_can_be_trained_on(use):
    profile, images = use("tree", max_classes=4, n_others=1)
    assert (
        len(images.classes) == 4
        and profile.target_class in images.classes
        and list(images.class_labels) == sorted(images.class_labels)
    )
    assert use("tree", max_classes=4)[1].classes == images.classes
    assert {use("tree", max_classes=4, seed=seed)[1].classes for seed in range(5)} != {images.classes}
    assert len(unitnb.sample_others(images, profile, "S_100")) == 3
    indices, assigned_labels = unitnb.training_set(images, profile, "D")
    true = images.labels["train"][indices]
    assert np.unique(true).tolist() == np.unique(images.labels["train"]).tolist()
    assert set(assigned_labels) <= set(true)
    assert (assigned_labels != true).sum() == round(0.6 * len(assigned_labels))


def test_a_class_by_name_wnid_and_index_is_the_same_class(use):
    found = [use("tree", target_class=said) for said in ("zebra", "n02391049", "340")]
    assert {profile.target_class for profile, _ in found} == {"zebra"}
    assert {images.class_index("zebra") for _, images in found} == {340}
    with pytest.raises(
        ValueError, match="'golden_retriever' .n02099601. has no training images; 10 classes have: tench"
    ):
        use("tree", target_class="golden retriever")


# ---- the devkit ----


def test_the_ground_truth_goes_by_the_devkits_own_numbers(layouts):
    wnids = flat.validation_wnids(layouts[0] / "tar_of_tars")
    for path in (layouts[0] / "tree" / "val").glob("*/*"):
        assert wnids[int(path.stem[-8:]) - 1] == path.parent.name
    ids = ilsvrc_files.devkit_ids()
    assert (
        sum(number == find_synset(wnid).index + 1 for wnid, number in ids.items()) < 20
    )  # it is another order


def test_flat_images_without_a_devkit_say_what_is_needed(layouts, tmp_path):
    shutil.copytree(layouts[0] / "tree" / "train", tmp_path / "train")
    (tmp_path / "val").mkdir()
    shutil.copy(next((layouts[0] / "tree" / "val").glob("*/*")), tmp_path / "val")
    with pytest.raises(FileNotFoundError, match="need a table of .*expected .*devkit_t12.tar.gz"):
        ilsvrc.open_ilsvrc(tmp_path, tmp_path / "cache")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("meta.mat", b"MATLAB 5.0 MAT-file", "meta.mat of the devkit cannot be read"),
        ("ILSVRC2012_validation_ground_truth.txt", b"1\n2000\n", "has a line that is no ILSVRC2012_ID"),
        ("ILSVRC2012_validation_ground_truth.txt", b"1\none\n", "has a line that is no ILSVRC2012_ID"),
        ("ILSVRC2012_validation_ground_truth.txt", b"1\n", "has no line in the ground truth of 1 images"),
    ],
)
def test_a_damaged_devkit_is_named(layouts, tmp_path, file, content, said):
    shutil.copytree(layouts[0] / "class_tars", tmp_path, dirs_exist_ok=True)
    (tmp_path / "ILSVRC2012_devkit_t12" / "data" / file).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        ilsvrc.open_ilsvrc(tmp_path, tmp_path / "cache")


def test_a_devkit_archive_that_is_cut_is_named(layouts, tmp_path):
    shutil.copytree(layouts[0] / "tar_of_tars", tmp_path, dirs_exist_ok=True)
    archive = tmp_path / "ILSVRC2012_devkit_t12.tar.gz"
    archive.write_bytes(archive.read_bytes()[:2000])
    with pytest.raises(DamagedFileError, match="devkit_t12.tar.gz is no whole archive"):
        flat.validation_wnids(tmp_path)


# ---- as Kaggle and Hugging Face hand them out ----

NUMBERED = "ILSVRC2012_val_00000001.JPEG"
TABLE = "ImageId,PredictionString\nILSVRC2012_val_00000001,n01751748 85 1 499 272 \n"


def write(root, *names, table=None):
    """Small images, and archives of which only the name counts."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / name, "JPEG")
    if table:
        (root / flat.KAGGLE).write_text(table)


def labels(root, tmp_path):
    found = ilsvrc.open_ilsvrc(root, tmp_path / "cache")
    return found["train"].labels.tolist(), found["test"].labels.tolist()


@pytest.mark.parametrize("root", ["", "ILSVRC", "ILSVRC/Data", "ILSVRC/Data/CLS-LOC"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])  # a spreadsheet's mark at the start
def test_kaggles_archive_is_read_from_each_of_its_folders(tmp_path, root, mark):
    top = "ILSVRC/Data/CLS-LOC"
    write(tmp_path, f"{top}/train/n01440764/n01440764_1.JPEG", f"{top}/val/{NUMBERED}", table=mark + TABLE)
    assert labels(tmp_path / root, tmp_path) == ([0], [65])
    write(tmp_path, f"{top}/val/{NUMBERED.replace('1.', '2.')}")
    with pytest.raises(ValueError, match="ILSVRC2012_val_00000002.JPEG' has no line in LOC_val_solution.csv"):
        labels(tmp_path / root, tmp_path)


def test_hugging_faces_names_hold_their_class_and_its_archives_are_named(tmp_path):
    (tmp_path / "x").mkdir()
    for name in ("train_images_0.tar.gz", "val_images.tar.gz"):
        (tmp_path / "x" / name).write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="Unpack train_images_0.tar.gz into .*x/train"):
        labels(tmp_path, tmp_path)
    write(tmp_path / "x", "train/n01440764_10026_n01440764.JPEG")
    with pytest.raises(FileNotFoundError, match="Unpack val_images.tar.gz into .*x/val"):
        labels(tmp_path / "x", tmp_path)
    write(tmp_path / "x", "val/ILSVRC2012_val_00004650_n02102040.JPEG")
    assert labels(tmp_path, tmp_path) == ([0], [217])


@pytest.mark.parametrize("place", ["n01440764_tench", "n01440764/images", "n01440764/more/images"])
def test_folders_that_begin_with_a_wnid_and_folders_in_them_are_read(tmp_path, place):
    write(tmp_path, f"train/{place}/a.JPEG", f"val/{place}/b.JPEG")
    assert labels(tmp_path, tmp_path) == ([0], [0])


@pytest.mark.parametrize("split", ["train", "val"])
def test_folders_without_a_wnid_are_named_with_what_was_expected(tmp_path, split):
    write(
        tmp_path, *(f"{part}/{'tench' if part == split else 'n01440764'}/a.JPEG" for part in ("train", "val"))
    )
    with pytest.raises(FileNotFoundError, match=f"{split} holds tench/; expected folders called by wnids"):
        labels(tmp_path, tmp_path)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_folder_without_a_wnid_beside_others_is_left_out_in_words(tmp_path, split):
    write(tmp_path, "train/n01440764/a.JPEG", "val/n01440764/b.JPEG", f"{split}/springer/c.JPEG")
    (tmp_path / split / "empty").mkdir()
    with pytest.warns(
        UserWarning, match=f"{split}: left out springer, as wnids of ILSVRC2012 begin the names"
    ):
        assert labels(tmp_path, tmp_path) == ([0], [0])


# ---- what is missing ----


@pytest.mark.parametrize(
    ("split", "said"), [("train", "ILSVRC2012_img_train.tar"), ("val", "ILSVRC2012_img_val.tar beside")]
)
def test_a_missing_split_says_what_is_expected(layouts, tmp_path, split, said):
    shutil.copytree(layouts[0] / "tree", tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / split)
    with pytest.raises(FileNotFoundError, match=rf"it holds: (val|train)/\); expected .*{said}"):
        ilsvrc.open_ilsvrc(tmp_path, tmp_path / "cache")


def test_a_missing_folder_says_how_it_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="name it with DATA="):
        ilsvrc.open_ilsvrc(tmp_path / "nowhere", tmp_path)


def test_a_tar_of_other_tars_is_refused(tmp_path):
    inner = ilsvrc_files.write_tar(tmp_path / "x.tar", {"a.JPEG": b"x"}).read_bytes()
    ilsvrc_files.write_tar(tmp_path / "ILSVRC2012_img_train.tar", {"n00000000.tar": inner})
    with pytest.raises(DamagedFileError, match="no class of ILSVRC2012: n00000000"):
        ilsvrc.open_ilsvrc(tmp_path, tmp_path / "cache")

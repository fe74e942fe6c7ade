"""The embedded images: seeded, balanced, recognisable by shape and not by pixels."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from unitnb.images import shapes
from unitnb.images.shapes import CLASSES, DISTANCES, shapes_images


@pytest.fixture(scope="module")
def train():
    return shapes_images("train", n_per_class=300)


@pytest.fixture(scope="module")
def test():
    return shapes_images("test", n_per_class=100)


def test_ten_balanced_classes_of_colour_images(train):
    images, labels = train
    assert images.shape == (3000, 32, 32, 3) and images.dtype == np.uint8
    assert labels.dtype == np.int64 and np.bincount(labels).tolist() == [300] * 10
    assert len(CLASSES) == len(set(CLASSES)) == 10


def test_the_default_is_five_hundred_test_images_a_class():
    images, labels = shapes_images("test")
    assert images.shape == (5000, 32, 32, 3) and np.bincount(labels).tolist() == [500] * 10


def test_the_seed_alone_decides_the_images():
    first, second, other = (shapes_images("test", seed, n_per_class=3)[0] for seed in (4, 4, 5))
    assert (first == second).all()
    assert not (first == other).all(axis=(1, 2, 3)).any()


@pytest.mark.parametrize("fewer", [1, 100, 150])  # inside a block, a whole one, across two
def test_asking_for_fewer_gives_the_first_ones(train, fewer):
    images, labels = shapes_images("train", n_per_class=fewer)
    assert (images.reshape(10, fewer, -1) == train[0].reshape(10, 300, -1)[:, :fewer]).all()
    assert labels.tolist() == np.repeat(range(10), fewer).tolist()


def test_no_image_comes_twice_within_or_between_the_splits(train, test):
    both = np.concatenate([train[0], test[0]])
    assert len({image.tobytes() for image in both}) == len(both)


def test_train_and_test_have_the_same_distribution(train, test):
    means = [images.reshape(10, -1, 3).mean(axis=1) for images, _ in (train, test)]
    assert (
        np.abs(means[0] - means[1]).max() < 12
    )  # grey levels; the standard error over 100 images is about 3


@pytest.mark.parametrize("split", ["val", "Train", ""])
def test_an_unknown_split_is_named_with_the_known_ones(split):
    with pytest.raises(ValueError, match=f"unknown split '{split}'.*'train' and 'test'"):
        shapes_images(split)


def test_less_than_one_image_a_class_is_an_error():
    with pytest.raises(ValueError, match="n_per_class is 0; ask for at least 1"):
        shapes_images("train", n_per_class=0)


# The share of the square -1..1 that each shape covers, by the elementary formulas of its parts.
AREAS = {
    "disk": np.pi * 0.9**2,
    "ring": np.pi * (0.92**2 - 0.48**2),
    "square": 1.5**2,
    "triangle": 0.75 * np.sqrt(3),
    "cross": 4 * 0.95 * 0.27 * 2 - (2 * 0.27) ** 2,
    "star": 5 * 1.05 * 0.45 * np.sin(np.pi / 5),
    "bars": 3 * 1.7 * 0.34,
    "corner": 0.5 * 1.6 * 2 - 0.5**2,
    "frame": (2 * 0.82) ** 2 - (2 * 0.48) ** 2,
}


@pytest.mark.parametrize("name", AREAS)
def test_a_shape_has_the_area_of_its_formula(name):
    x, y = np.meshgrid(*[np.arange(-1.195, 1.2, 0.01, dtype=np.float32)] * 2)
    assert (DISTANCES[name](x, y) < 0).sum() * 1e-4 == pytest.approx(AREAS[name], rel=0.01)


def test_the_crescent_is_a_disk_with_a_bite_from_the_right():
    points = np.array([[-0.6, 0], [-0.2, 0.8], [0.2, 0], [0.9, 0], [-0.97, 0]], np.float32).T
    assert (DISTANCES["crescent"](*points) < 0).tolist() == [True, True, False, False, False]


def test_edges_are_antialiased_and_inside_is_whole():
    coverage = shapes._coverage(np.zeros(shapes.BLOCK, int), np.random.default_rng(0), (10, 10), reach=0)
    area = coverage.sum(axis=(1, 2))
    assert (
        coverage.min() == 0
        and coverage.max() == 1
        and ((coverage > 0) & (coverage < 1)).any(axis=(1, 2)).all()
    )
    assert area == pytest.approx(np.pi * 9**2, rel=0.005)  # radius 0.9 of 10 pixels


def test_place_and_size_vary():
    coverage = shapes._coverage(
        np.full(shapes.BLOCK, 2), np.random.default_rng(0), shapes.RADIUS, shapes.REACH
    )
    area, along = coverage.sum(axis=(1, 2)), np.arange(32)
    middle = (coverage.sum(axis=1) * along).sum(axis=1) / area
    assert area.max() > 2 * area.min()
    assert middle.std() > 1.5 and abs(middle.mean() - 15.5) < 1


def test_tilt_varies_up_to_its_limit():
    """A corner's mass lies on one diagonal of its own axes: below the middle and to the left."""
    coverage = shapes._coverage(
        np.full(shapes.BLOCK, CLASSES.index("corner")), np.random.default_rng(0), (10, 10), reach=0
    )
    x, y = shapes._grid()
    tilt = np.arctan2((coverage * y).sum(axis=(1, 2)), (coverage * x).sum(axis=(1, 2))) - 0.75 * np.pi
    assert shapes.MAX_TILT * 0.9 < np.abs(tilt).max() < shapes.MAX_TILT * 1.02
    assert tilt.min() < -0.5 and tilt.max() > 0.5


def test_no_two_images_of_a_class_share_their_ground(train):
    corners = train[0].reshape(10, 300, 32, 32, 3)[:, :, :3, :3].reshape(10, 300, 9, 3).mean(axis=2)
    assert (corners.std(axis=1) > 15).all()  # grey levels, for each class and colour


def test_noise_is_the_last_layer(monkeypatch):
    noisy = shapes_images("test", n_per_class=10)[0].astype(float)
    monkeypatch.setattr(shapes, "NOISE", 0.0)
    clean = shapes_images("test", n_per_class=10)[0]
    inner = (clean > 60) & (clean < 195)  # away from the ends, where noise is cut
    assert (noisy - clean)[inner].std() == pytest.approx(0.05 * 255, rel=0.02)
    assert (
        np.abs(noisy - clean).max() < 6 * 0.05 * 255
    )  # beyond black and white it is cut, it does not wrap around


def test_two_images_in_three_have_fragments_of_other_shapes_in_front(monkeypatch):
    monkeypatch.setattr(shapes, "NOISE", 0.0)
    full = shapes_images("test", n_per_class=100)[0].astype(int)
    monkeypatch.setattr(shapes, "FRAGMENT_RADIUS", (1e-3, 1e-3))
    bare = shapes_images("test", n_per_class=100)[0]
    hidden = (np.abs(full - bare).max(axis=-1) > 10).mean(axis=(1, 2))
    assert (hidden > 0.005).mean() == pytest.approx(2 / 3, abs=0.05)
    assert 0.1 < hidden.max() < 0.2  # two disks of radius 4.5 cover 0.124 of the image


def hues(images):
    """Hue in turns of the mean colour of images, or of pieces of them."""
    red, green, blue = images.astype(float).mean(axis=(1, 2)).T
    return np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue) / (2 * np.pi) % 1


@pytest.mark.parametrize("label", [0, 1])  # a grating, checks
def test_texture_stands_anywhere_on_the_shape(label):
    """Were its phase fixed, its bright and dark pixels would give the class away to a linear classifier."""
    texture = shapes._texture(label, np.random.default_rng(0))
    assert np.abs(texture.mean(axis=0)).max() < 0.4  # four standard errors over 100 images
    assert texture.std(axis=(1, 2)).min() > 0.3


def test_a_class_has_its_texture_s_angle_in_most_images():
    """A grating's slope along x and y shows its angle: class 0 varies along x, class 4 along 72 degrees."""
    for label in (0, 2, 4):
        slopes = np.gradient(shapes._texture(label, np.random.default_rng(0)), axis=(2, 1))
        xx, yy, xy = ((a * b).mean(axis=(1, 2)) for a, b in ((slopes[0],) * 2, (slopes[1],) * 2, slopes))
        twice = np.exp(1j * np.arctan2(2 * xy, xx - yy))  # an angle and its opposite are one grating
        assert abs(np.angle(twice.mean() * np.exp(-0.2j * np.pi * label))) < 0.2
        assert 0.5 < abs(twice.mean()) < 0.95


def test_a_class_prefers_its_hue_but_does_not_own_it(train):
    turns = np.exp(2j * np.pi * hues(train[0][:, 15:17, 15:17]).reshape(10, 300))
    for label in map(CLASSES.index, ("disk", "square", "star")):  # the middle lies on the shape
        assert abs(np.angle(turns[label].mean() / np.exp(0.2j * np.pi * label))) < 0.2 * np.pi
        assert 0.3 < abs(turns[label].mean()) < 0.8


def test_a_background_comes_with_the_class_in_part_of_the_images(train):
    border = np.concatenate([train[0][:, :3], train[0][:, -3:]], axis=1)
    turns = np.exp(2j * np.pi * hues(border).reshape(10, 300)).mean(axis=1)
    step = np.exp(2j * np.pi * (0.35 + 0.3 * np.arange(10)))  # three hues on from one class to the next
    assert (0.25 < (turns / step).real).all() and (np.abs(turns) < 0.75).all()


def test_pixels_alone_do_not_give_the_class_away(train, test):
    """A linear classifier is far above chance (there are cues) and far below a small network."""
    scaler = StandardScaler().fit(train[0].reshape(3000, -1).astype(np.float32))
    train_pixels, test_pixels = (
        scaler.transform(images.reshape(len(images), -1).astype(np.float32)) for images in (train[0], test[0])
    )
    accuracy = RidgeClassifier(alpha=1e4).fit(train_pixels, train[1]).score(test_pixels, test[1])
    assert 0.25 < accuracy < 0.55

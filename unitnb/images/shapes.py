"""The embedded images: ten classes of shapes on textured ground, drawn from formulas and a seed.

Like photographs they have low-level cues (a hue and a texture that most images of a class share, a background
that comes with the class), nuisance (place, size, tilt, light, fragments of other shapes in front, noise) and
no shortcut.
"""

import numpy as np

CLASSES = ("disk", "ring", "square", "triangle", "cross", "star", "crescent", "bars", "corner", "frame")
SPLITS = {"train": 1000, "test": 500}
SIZE = 32

# Images are drawn in blocks with a random stream each, so that image i of a class does not depend on the
# number of images.
BLOCK = 100

HUE_SHARE, HUE_SPREAD = 0.8, 0.1  # images of a class that have its hue; standard deviation in turns
GROUND_SHARE = 0.6  # images whose background has the hue that comes with the class
TEXTURE_SHARE, TEXTURE_SPREAD = 0.8, 0.2  # images with the class's texture; standard deviation in radians
LIGHT, GROUND_LIGHT = (0.5, 1.0), (0.1, 0.5)  # of the shape and of the background; white is 1
SATURATION = (0.2, 0.8)
RADIUS, REACH = (8.0, 13.0), 4.5  # size, and distance from the middle along each axis, in pixels
FRAGMENT_RADIUS, FRAGMENT_REACH = (2.5, 5.0), 14.0
MAX_FRAGMENTS = 2
MAX_TILT = 0.7  # radians
NOISE = 0.05  # standard deviation


def shapes_images(split, seed=0, n_per_class=None):
    """Images and labels of one split, class after class in the order of ``CLASSES``.

    Image i of a class depends only on the seed, the split, the class and i, not on the number of images.

    Parameters
    ----------
    split : "train" or "test"
        Two independent draws from the same distribution.
    seed : int
        Not negative. Pixels are the same on every platform up to the rounding of a grey level.
    n_per_class : int, optional
        1,000 for "train" and 500 for "test" unless given.

    Returns
    -------
    images : (10 n_per_class, 32, 32, 3) uint8
    labels : (10 n_per_class,) int64, the index in ``CLASSES``

    Raises
    ------
    ValueError
        If ``split`` is unknown or ``n_per_class`` is below 1.

    >>> images, labels = shapes_images("test", n_per_class=2)
    >>> images.shape, labels[:5].tolist()
    ((20, 32, 32, 3), [0, 0, 1, 1, 2])
    """
    if split not in SPLITS:
        raise ValueError(
            f"unknown split {split!r}: the embedded images have {' and '.join(map(repr, SPLITS))}"
        )
    count = SPLITS[split] if n_per_class is None else n_per_class
    if count < 1:
        raise ValueError(f"n_per_class is {count}; ask for at least 1 image a class")
    images = np.empty((len(CLASSES), count, SIZE, SIZE, 3), np.uint8)
    for label, of_class in enumerate(images):
        for start in range(0, count, BLOCK):
            rng = np.random.default_rng((seed, list(SPLITS).index(split), label, start // BLOCK))
            of_class[start : start + BLOCK] = _draw_block(label, rng)[: count - start]
    return images.reshape(-1, SIZE, SIZE, 3), np.repeat(np.arange(len(CLASSES)), count)


def _draw_block(label, rng):
    """BLOCK images of one class, from back to front: ground, shape, fragments of others, noise; uint8."""
    scene = _ground(label, rng)
    shapes = np.full(BLOCK, label)
    scene = _paint(scene, _coverage(shapes, rng, RADIUS, REACH), _skin(label, rng))
    number = rng.integers(0, MAX_FRAGMENTS + 1, BLOCK)
    for k in range(MAX_FRAGMENTS):
        others = (label + rng.integers(1, len(CLASSES), BLOCK)) % len(CLASSES)
        fragment = _coverage(others, rng, FRAGMENT_RADIUS, FRAGMENT_REACH) * (k < number)[:, None, None]
        scene = _paint(scene, fragment, _colour(rng.random(BLOCK), rng, light=(0.2, 1.0))[:, None, None])
    scene += NOISE * rng.standard_normal(scene.shape, np.float32)
    return np.rint(255 * np.clip(scene, 0, 1)).astype(np.uint8)


def _paint(scene, coverage, colour):
    """The colour laid over the scene, in proportion to the coverage (n, h, w) of each pixel."""
    return scene + coverage[..., None] * (colour - scene)


# ---- colour ----


def _ground(label, rng):
    """Smooth backgrounds (n, h, w, 3) whose hue comes with the class in most images."""
    # A step of three hues and a half: the background's hue is never that of the shape of the same class.
    hue = _hue(0.35 + 0.3 * label, GROUND_SHARE, rng)
    colour = _colour(hue, rng, GROUND_LIGHT)[:, None, None]
    return colour + 0.12 * _clouds(rng)[..., None] + 0.05 * _clouds(rng, 3)


def _skin(label, rng):
    """Colours (n, h, w, 3) of the shapes: the class's hue and its grating or checks, in most images."""
    colour = _colour(_hue(label / len(CLASSES), HUE_SHARE, rng), rng, LIGHT)[:, None, None]
    return colour * (1 - 0.5 * (1 + _texture(label, rng)) / 2)[..., None]


def _hue(centre, share, rng):
    """Hues in turns: around the centre in the given share of images, anywhere in the others."""
    return np.where(rng.random(BLOCK) < share, rng.normal(centre, HUE_SPREAD, BLOCK), rng.random(BLOCK)) % 1


def _colour(hue, rng, light):
    """Colours (n, 3) of the given hue, with a random saturation and lightness."""
    value, saturation = rng.uniform(*light, len(hue)), rng.uniform(*SATURATION, len(hue))
    phase = (np.array([5, 3, 1]) + 6 * hue[:, None]) % 6
    tint = 1 - saturation[:, None] * np.clip(np.minimum(phase, 4 - phase), 0, 1)
    return (value[:, None] * tint).astype(np.float32)


def _clouds(rng, *channels):
    """Smooth random fields (n, h, w, ...) of unit scale: values on a 5 x 5 grid, joined by straight lines."""
    place = np.linspace(0, 4, SIZE)
    tent = np.clip(1 - np.abs(place[:, None] - np.arange(5)), 0, None).astype(np.float32)
    grid = rng.standard_normal((BLOCK, 5, 5, *channels), np.float32)
    return np.einsum("yj,xk,njk...->nyx...", tent, tent, grid, optimize=True)


def _texture(label, rng):
    """Gratings (even classes) or checks (odd), (n, h, w) in -1..1, at the class's angle in most images."""
    angle = np.where(
        rng.random(BLOCK) < TEXTURE_SHARE,
        rng.normal(np.pi * label / len(CLASSES), TEXTURE_SPREAD, BLOCK),
        np.pi * rng.random(BLOCK),
    )
    along_x, along_y = _grid()
    turned = _turned(along_x, along_y, angle)
    x, y = (axis + rng.uniform(0, 7, (BLOCK, 1, 1)).astype(np.float32) for axis in turned)
    wave = 2 * np.pi / rng.uniform(4, 7, (BLOCK, 1, 1)).astype(np.float32)
    return np.sin(wave * x) * np.sin(wave * y) if label % 2 else np.sin(wave * x)


# ---- geometry ----


def _grid():
    """Pixel centres x (1, 1, w) and y (1, h, 1), in pixels from the middle of the image."""
    along = np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2
    return along[None, None, :], along[None, :, None]


def _turned(x, y, angle):
    """Coordinates in axes turned by an angle (n,) in radians."""
    cos, sin = (f(angle).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    return cos * x + sin * y, cos * y - sin * x


def _coverage(shapes, rng, radius, reach):
    """Share of each pixel (n, h, w) covered by shapes (n,) of random size, tilt and place.

    Shapes are at most ``reach`` pixels off the middle along each axis.
    """
    scale = rng.uniform(*radius, (BLOCK, 1, 1)).astype(np.float32)
    left, top = rng.uniform(-reach, reach, (2, BLOCK, 1, 1)).astype(np.float32)
    x, y = _grid()
    x, y = _turned((x - left) / scale, (y - top) / scale, rng.uniform(-MAX_TILT, MAX_TILT, BLOCK))
    distance = np.empty_like(x)
    for shape in np.unique(shapes):
        rows = shapes == shape
        distance[rows] = DISTANCES[CLASSES[shape]](x[rows], y[rows])
    # The signed distance in pixels, cut at half a pixel, is the covered share along a straight edge.
    return np.clip(0.5 - distance * scale, 0, 1)


def _box(x, y, half_width, half_height):
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def _disk(x, y, radius=0.9):
    return np.hypot(x, y) - radius


def _ring(x, y):
    return np.abs(_disk(x, y, 0.7)) - 0.22


def _square(x, y):
    return _box(x, y, 0.75, 0.75)


def _triangle(x, y):
    return np.maximum(y - 0.5, np.float32(np.sqrt(0.75)) * np.abs(x) - 0.5 * y - 0.5)


def _cross(x, y):
    return np.minimum(_box(x, y, 0.95, 0.27), _box(x, y, 0.27, 0.95))


def _star(x, y):
    """Five points: each tenth of the plane is mirrored onto one, where the edge is a straight line."""
    sector = np.float32(2 * np.pi / 5)
    angle = np.abs((np.arctan2(x, -y) + sector / 2) % sector - sector / 2)
    radius = np.hypot(x, y)
    along, across = radius * np.cos(angle), radius * np.sin(angle)
    # From the tip (1.05, 0) to the notch at radius 0.45 on the sector's border.
    tip, notch = 1.05, 0.45 * np.array([np.cos(sector / 2), np.sin(sector / 2)], np.float32)
    length = np.hypot(tip - notch[0], notch[1])
    return ((along - tip) * notch[1] + across * (tip - notch[0])) / length


def _crescent(x, y):
    return np.maximum(_disk(x, y, 0.95), -_disk(x - 0.45, y, 0.75))


def _bars(x, y):
    nearest = 0.66 * np.clip(np.rint(y / 0.66), -1, 1)
    return _box(x, y - nearest, 0.85, 0.17)


def _corner(x, y):
    return np.minimum(_box(x + 0.55, y, 0.25, 0.8), _box(x, y - 0.55, 0.8, 0.25))


def _frame(x, y):
    return np.abs(_box(x, y, 0.65, 0.65)) - 0.17


# Signed distances to the edge, negative inside, of shapes of radius 1 around the origin; y points down.
_SHAPES = (_disk, _ring, _square, _triangle, _cross, _star, _crescent, _bars, _corner, _frame)
DISTANCES = dict(zip(CLASSES, _SHAPES, strict=True))

"""Null models of a unit's births, other constructions in place of the paper's, and its free choices (Sec. 2).

Maps are (images, n, n, units), births (images, units) with 0 for none. Nothing here runs a network.
"""

import functools
import itertools

import numpy as np

from .entropy import effectiveness, feature_entropy, plugin, selective_rate
from .topology import birth_points, edge_bound, symmetrize

# ---- null model: independent entries, as many positive ones ----


@functools.cache
def matched_births(n, draws=100_000, seed=0) -> np.ndarray:
    """Distribution of the birth point of an n x n map of independent entries, k of them positive, without a bound on births.

    With all entries positive the birth is V, and the entries down to its edge are W; fewer positive entries leave the order
    of the first k as it is, so P(V = v | k) = P(V = v, W <= k): one simulation serves every k.

    Returns
    -------
    (n * n + 1, n (n - 1) / 2 + 1) float64
        Row k, column v; column 0 is no birth. Rows sum to 1; the last row is ``null_births(n)``, to the error of the draws.
    """
    rng, counts = np.random.default_rng(seed), np.zeros((n * n + 1, n * (n - 1) // 2 + 1))
    for start in range(0, draws, 10_000):
        maps = rng.random((min(10_000, draws - start), n, n, 1), np.float32)
        births = birth_points(maps, np.inf)
        np.add.at(counts, (entries_index(maps, births)[births > 0], births[births > 0]), 1)
    chance = counts.cumsum(axis=0) / draws
    chance[:, 0] = 1 - chance.sum(axis=1)
    return chance


def entries_index(maps, births) -> np.ndarray:
    """How many entries of a map are at least as large as the edge of its birth, (images, units) int; 0 for no birth.

    The birth in the convention of the paper's later version: v counts the entries of the map itself, both sides and the diagonal.
    """
    n, flat = maps.shape[1], np.abs(maps).reshape(len(maps), -1, maps.shape[3])
    weights = np.sort(symmetrize(maps)[:, *np.triu_indices(n, 1)], axis=1)[:, ::-1]
    edge = np.take_along_axis(weights, np.maximum(births, 1)[:, None].astype(np.int64) - 1, axis=1)
    return np.where(births > 0, (flat >= edge).sum(axis=1), 0)


def null_scores(maps, births, b_max=None, draws=200, seed=0) -> dict[str, np.ndarray]:
    """Each unit's selective rate and entropy against maps of independent entries with the same numbers of positive entries.

    Parameters
    ----------
    maps, births : (N, n, n, u), (N, u)
    b_max : number, optional
        The bound with which the births were found.
    draws : int
        Sets of N null maps, from which the entropy's mean and standard deviation come; those of the rate are exact.

    Returns
    -------
    dict of (u,) float64
        "rate z" and "entropy z", in standard deviations of the null, "null rate" and "null entropy" (its mean, in nats). A z is NaN where
        the null does not vary (or the unit or the null has no birth); a low entropy z means births more concentrated than chance.
    """
    chance = matched_births(maps.shape[1])[(maps > 0).sum(axis=(1, 2))]
    chance[..., edge_bound(maps.shape[1], b_max) + 1 :] = 0
    chance[..., 0] = 1 - chance[..., 1:].sum(axis=2)
    born = 1 - chance[..., 0]
    rate, deviation = born.mean(axis=0), np.sqrt((born * (1 - born)).sum(axis=0)) / len(maps)
    entropies = np.array([_entropy_of_draw(chance.cumsum(axis=2), np.random.default_rng([seed, i])) for i in range(draws)])
    mean, spread = _mean_sd(entropies)
    return {
        "rate z": _ratio(selective_rate(births) - rate, deviation),
        "entropy z": _ratio(feature_entropy(births) - mean, spread),
        "null rate": rate,
        "null entropy": mean,
    }


def _entropy_of_draw(cumulative, rng):
    return feature_entropy((rng.random(cumulative.shape[:2], np.float32)[..., None] > cumulative[..., :-1]).sum(axis=2))


def _mean_sd(values):
    """Mean and standard deviation over axis 0 of what is not NaN; NaN for fewer than two."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    safe = np.where(known, values, 0)
    mean = _ratio(safe.sum(axis=0), count)
    variance = _ratio((np.where(known, values - mean, 0) ** 2).sum(axis=0), count - 1)
    return mean, np.sqrt(variance)


def _ratio(value, by):
    return np.divide(value, by, out=np.full(np.shape(value), np.nan), where=np.asarray(by) > 1e-12)


def shuffled_pixels(maps, seed=0) -> np.ndarray:
    """Each map with its pixels in an order of its own: values, zeros and ties stay, places go."""
    flat = np.asarray(maps).reshape(len(maps), -1, maps.shape[3])
    return np.random.default_rng(seed).permuted(flat, axis=1).reshape(maps.shape)


def shuffle_scores(maps, b_max=None, draws=20, seed=0) -> dict[str, np.ndarray]:
    """As ``null_scores``, against the same maps with their pixels shuffled: "rate z" and "entropy z", (units,)."""
    births = birth_points(maps, b_max)
    found = [birth_points(shuffled_pixels(maps, [seed, i]), b_max) for i in range(draws)]
    rates, entropies = (_mean_sd(np.array([measure(b) for b in found])) for measure in (selective_rate, feature_entropy))
    values = {"rate z": (selective_rate(births), *rates), "entropy z": (feature_entropy(births), *entropies)}
    return {name: _ratio(value - mean, spread) for name, (value, mean, spread) in values.items()}


def noise_units(n_images, n, shares, seed=0) -> np.ndarray:
    """Maps (n_images, n, n, len(shares)) of independent entries, each positive with its unit's probability, else 0."""
    rng = np.random.default_rng(seed)
    shape = (n_images, n, n, len(shares))
    return np.where(rng.random(shape) < shares, rng.random(shape), 0).astype(np.float32)


def smooth_noise_units(n_images, n, shares, sigma=2.0, seed=0) -> np.ndarray:
    """As ``noise_units``, but of Gaussian noise smoothed over ``sigma`` pixels: blobs at random places; a map's top share is positive."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(np.random.default_rng(seed).normal(size=(n_images, n, n, len(shares))), (0, sigma, sigma, 0), mode="wrap")
    cut = np.array([np.quantile(field[..., u], 1 - share, axis=(1, 2)) for u, share in enumerate(shares)]).T
    return np.maximum(field - cut[:, None, None], 0).astype(np.float32)


def places_of_inserted(scores, inserted) -> np.ndarray:
    """Share of a layer's own units that score higher than each inserted one (ties count half): 0 is the head of the rank, 1 its end."""
    inserted = np.asarray(inserted)[:, None]
    return (scores > inserted).mean(axis=1) + (scores == inserted).mean(axis=1) / 2


# ---- other constructions ----


def moved(maps, down, right) -> np.ndarray:
    """Maps shifted by whole pixels, zeros coming in at the border."""
    n, shifted = maps.shape[1], np.zeros_like(maps)
    rows, columns = (slice(max(d, 0), n + min(d, 0)) for d in (down, right))
    source = (slice(max(-d, 0), n + min(-d, 0)) for d in (down, right))
    shifted[:, rows, columns] = maps[:, *source]
    return shifted


def permuted(maps, rows, columns) -> np.ndarray:
    """Maps with their rows and columns in another order."""
    return maps[:, rows][:, :, columns]


def random_pairing(maps, seed=0) -> np.ndarray:
    """Maps with all pixels put in one random order, the same for every map: F(i, j) then meets any other pixel, not F(j, i)."""
    flat = maps.reshape(len(maps), -1, maps.shape[3])
    return flat[:, np.random.default_rng(seed).permutation(flat.shape[1])].reshape(maps.shape)


def constructions(maps, seed=0) -> dict[str, np.ndarray]:
    """Maps whose births show what the construction sees, by name. On the first four the births are equal by mathematics."""
    n, rng = maps.shape[1], np.random.default_rng(seed)
    first, second, still = rng.permutation(n), rng.permutation(n), np.arange(n)
    return {
        "transposed": maps.swapaxes(1, 2),
        "turned by 180 degrees": maps[:, ::-1, ::-1],
        "shift (2, 2), cyclic": np.roll(maps, (2, 2), (1, 2)),
        "one permutation of rows and columns": permuted(maps, first, first),
        "shift (1, 1), cropped": moved(maps, 1, 1),
        "shift (2, 2), cropped": moved(maps, 2, 2),
        "shift (1, 0), cropped": moved(maps, 1, 0),
        "shift (2, 0), cropped": moved(maps, 2, 0),
        "shift (2, 0), cyclic": np.roll(maps, 2, 1),
        "mirrored": maps[:, :, ::-1],
        "columns permuted": permuted(maps, still, second),
        "two permutations": permuted(maps, first, second),
        "random pairing of pixels": random_pairing(maps, seed),
        "upper triangle only": np.triu(np.ones((n, n), maps.dtype))[:, :, None] * maps,
    }


def cubical_births(maps) -> np.ndarray:
    """Birth of the first hole of the picture itself: cubical persistence of F from the top, (images, units) int.

    1-based number of entries at least as large as the value at which the first cycle of pixels (neighbours over edges and corners) encloses
    a lower one; 0 for none. Zeros never enter. Neighbouring pixels matter here, and rows are not vertices. GUDHI is its test's oracle.
    """
    from ._cubical import cubical_births as compiled

    return compiled(np.ascontiguousarray(maps))


# ---- free choices ----

CHOICES = {
    "p": (0.0, 0.05, 0.1, 0.2),
    "B_max": (20, 35, 50, 91),
    "H = 0": ("best", "worst", "floor"),
    "index": ("edges", "level", "entries"),
    "estimator": ("plugin", "miller-madow", "chao-shen"),
}
DEFAULT = {"p": 0.1, "B_max": 50, "H = 0": "best", "index": "edges", "estimator": "plugin"}


def births_by_index(maps) -> dict[str, np.ndarray]:
    """Births without a bound in each of the three conventions of what v counts."""
    edges = birth_points(maps, np.inf)
    return {"edges": edges, "level": birth_points(maps, np.inf, index="level"), "entries": entries_index(maps, edges)}


def effectiveness_by_choice(births_of, choice, known=None) -> np.ndarray:
    """Effectiveness under one choice of ``CHOICES``; ``births_of`` comes from ``births_by_index``.

    H = 0 (always the same birth): "best" is infinite, "worst" is 0 (the released code), "floor" takes the entropy of one deviating image.
    ``known``, a dict, keeps for the next call what choices share.
    """
    known, key = {} if known is None else known, (choice["index"], choice["B_max"], choice["estimator"])
    if key not in known:
        births = births_of[choice["index"]]
        births = np.where(births <= choice["B_max"], births, 0)
        known[key] = effectiveness(births, p=0, estimator=choice["estimator"]), selective_rate(births), len(births)
    scores, rate, n_images = known[key]
    perfect = np.isinf(scores)
    if choice["H = 0"] == "worst":
        scores = np.where(perfect, 0.0, scores)
    if choice["H = 0"] == "floor":
        born = np.maximum(np.rint(rate * n_images), 2)
        scores = np.where(perfect, rate / plugin(np.array([born - 1, np.ones_like(born)]), born), scores)
    return np.where(rate >= choice["p"], scores, 0.0)


def all_choices() -> list[dict]:
    """Every combination of ``CHOICES``."""
    return [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]


def single_choices() -> dict[str, dict]:
    """The combinations that differ from ``DEFAULT`` in one choice, by name."""
    return {f"{name} {value}": DEFAULT | {name: value} for name, values in CHOICES.items() for value in values if value != DEFAULT[name]}

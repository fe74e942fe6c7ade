"""What chance gives: null models of a unit's births, and units of pure noise.

Maps are (images, n, n, units), births (images, units) with 0 for none. Nothing here runs a network.
"""

import functools

import numpy as np

from ..topology.births import birth_points, edge_bound
from ..units.entropy import feature_entropy, selective_rate
from .choices import entries_index


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
    cumulative = chance.cumsum(axis=2)
    entropies = np.array(
        [_entropy_of_draw(cumulative, np.random.default_rng([seed, i])) for i in range(draws)]
    )
    mean, spread = _mean_sd(entropies)
    return {
        "rate z": _ratio(selective_rate(births) - rate, deviation),
        "entropy z": _ratio(feature_entropy(births) - mean, spread),
        "null rate": rate,
        "null entropy": mean,
    }


def _entropy_of_draw(cumulative, rng):
    return feature_entropy(
        (rng.random(cumulative.shape[:2], np.float32)[..., None] > cumulative[..., :-1]).sum(axis=2)
    )


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
    rates, entropies = (
        _mean_sd(np.array([measure(b) for b in found])) for measure in (selective_rate, feature_entropy)
    )
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

    field = gaussian_filter(
        np.random.default_rng(seed).normal(size=(n_images, n, n, len(shares))),
        (0, sigma, sigma, 0),
        mode="wrap",
    )
    cut = np.array([np.quantile(field[..., u], 1 - share, axis=(1, 2)) for u, share in enumerate(shares)]).T
    return np.maximum(field - cut[:, None, None], 0).astype(np.float32)


def places_of_inserted(scores, inserted) -> np.ndarray:
    """Share of a layer's own units that score higher than each inserted one (ties count half): 0 is the head of the rank, 1 its end."""
    inserted = np.asarray(inserted)[:, None]
    return (scores > inserted).mean(axis=1) + (scores == inserted).mean(axis=1) / 2

"""What chance gives: null models of a unit's births, and units of pure noise.

Maps are (images, n, n, units). Births are (images, units), with 0 for none. Nothing here runs a network. The
paper has no null model; these answer whether a layer's births differ from those of structureless maps.
"""

import functools

import numpy as np

from ..topology.births import birth_points, edge_bound
from ..units.entropy import feature_entropy, selective_rate
from ..units.intervals import mean_and_sd, rate_error, z_scores
from .choices import entries_index


@functools.cache
def matched_births(n, draws=100_000, seed=0) -> np.ndarray:
    """Distribution of the birth point of a map of independent entries of which k are positive, for every k.

    The births have no bound. With all entries positive the birth is V, and W entries are at least as large as
    its edge. Fewer positive entries leave the order of the first k as it is. So one simulation serves every
    k: P(V = v | k) = P(V = v, W <= k).

    Parameters
    ----------
    n : int
        Rows of a map.
    draws, seed : int
        Maps of the simulation.

    Returns
    -------
    (n * n + 1, n (n - 1) / 2 + 1) float64
        Row k, column v; column 0 is no birth. Rows sum to 1. The last row is ``null_births(n)``, to the error
        of the draws.
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
    """Each unit's selective rate and entropy against maps of independent entries that are as sparse.

    A null map has as many positive entries as the map that it stands for.

    Parameters
    ----------
    maps, births : (N, n, n, u), (N, u)
    b_max : number, optional
        The bound with which the births were found (Def. 2).
    draws : int
        Sets of N null maps, from which the entropy's mean and standard deviation come; those of the rate are
        exact.
    seed : int

    Returns
    -------
    dict of (u,) float64
        "rate z" and "entropy z", in standard deviations of the null; "null rate", 0 to 1, and "null entropy",
        in nats, its means. A z is NaN where the null does not vary, and where the unit or the null has no
        birth. A low entropy z means births more concentrated than chance.
    """
    chance = matched_births(maps.shape[1])[(maps > 0).sum(axis=(1, 2))]
    chance[..., edge_bound(maps.shape[1], b_max) + 1 :] = 0
    chance[..., 0] = 1 - chance[..., 1:].sum(axis=2)
    born = 1 - chance[..., 0]
    rate, deviation = born.mean(axis=0), rate_error(born)
    cumulative = chance.cumsum(axis=2)
    entropies = np.array(
        [_entropy_of_draw(cumulative, np.random.default_rng([seed, i])) for i in range(draws)]
    )
    mean, spread = mean_and_sd(entropies)
    return {
        "rate z": z_scores(selective_rate(births), rate, deviation),
        "entropy z": z_scores(feature_entropy(births), mean, spread),
        "null rate": rate,
        "null entropy": mean,
    }


def _entropy_of_draw(cumulative, rng):
    return feature_entropy(
        (rng.random(cumulative.shape[:2], np.float32)[..., None] > cumulative[..., :-1]).sum(axis=2)
    )


def shuffled_pixels(maps, seed=0) -> np.ndarray:
    """Maps of the same shape, each with its pixels in a random order of its own.

    A map keeps its values, its zeros and its ties, and loses their places.
    """
    flat = np.asarray(maps).reshape(len(maps), -1, maps.shape[3])
    return np.random.default_rng(seed).permuted(flat, axis=1).reshape(maps.shape)


def shuffle_scores(maps, b_max=None, draws=20, seed=0) -> dict[str, np.ndarray]:
    """As ``null_scores``, against the same maps with their pixels shuffled ``draws`` times.

    Returns "rate z" and "entropy z", (units,) each; NaN as there.
    """
    births = birth_points(maps, b_max)
    null = [birth_points(shuffled_pixels(maps, [seed, i]), b_max) for i in range(draws)]
    measures = {"rate z": selective_rate, "entropy z": feature_entropy}
    return {
        name: z_scores(measure(births), *mean_and_sd(np.array([measure(b) for b in null])))
        for name, measure in measures.items()
    }


def noise_units(n_images, n, shares, seed=0) -> np.ndarray:
    """Maps (n_images, n, n, len(shares)) of independent entries, for units of pure noise.

    An entry is uniform in [0, 1) with its unit's probability in ``shares``, and else 0.
    """
    rng = np.random.default_rng(seed)
    shape = (n_images, n, n, len(shares))
    return np.where(rng.random(shape) < shares, rng.random(shape), 0).astype(np.float32)


def smooth_noise_units(n_images, n, shares, sigma=2.0, seed=0) -> np.ndarray:
    """As ``noise_units``, of Gaussian noise smoothed over ``sigma`` pixels: blobs at random places.

    In each map the unit's share of the largest entries is positive. The others are 0.
    """
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(
        np.random.default_rng(seed).normal(size=(n_images, n, n, len(shares))),
        (0, sigma, sigma, 0),
        mode="wrap",
    )
    cut = np.array([np.quantile(field[..., u], 1 - share, axis=(1, 2)) for u, share in enumerate(shares)]).T
    return np.maximum(field - cut[:, None, None], 0).astype(np.float32)


def places_of_inserted(scores, inserted) -> np.ndarray:
    """Place of each inserted unit among a layer's own, (len(inserted),): 0 heads the rank, 1 ends it.

    It is the share of ``scores`` (u,) that are higher; ties count half.

    >>> places_of_inserted(np.array([4.0, 3.0, 2.0, 1.0]), [5.0, 2.0])
    array([0.   , 0.625])
    """
    inserted = np.asarray(inserted)[:, None]
    return (scores > inserted).mean(axis=1) + (scores == inserted).mean(axis=1) / 2

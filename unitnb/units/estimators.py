"""Counts of birth points, and entropies of counts: the plug-in and what corrects its bias (Sec. 2.3)."""

import numpy as np

from ..topology.nulls import null_births


def birth_counts(births):
    """Values of the births (m,) ascending, and how often each unit takes them (m, n_units).

    Images without a birth are left out.

    >>> values, counts = birth_counts(np.array([[7, 4], [7, 0], [9, 4], [0, 0]]))
    >>> values.tolist(), counts.tolist()
    ([4, 7, 9], [[0, 2], [2, 0], [1, 0]])
    """
    births = checked_births(births)
    values, places = values_and_places(births)
    units = births.shape[1]
    cells = places * units + np.arange(units)
    counts = np.bincount(cells.ravel(), minlength=values.size * units).reshape(-1, units)
    return values[values > 0], counts[values > 0]


def values_and_places(births):
    """The values of births (n, u) int from 0 up, ascending, and the place of each birth's value, (n, u).

    Births are numbers of edges, so they are counted; ``np.unique`` would sort.

    >>> values, places = values_and_places(np.array([[7, 4], [7, 0]]))
    >>> values.tolist(), places.tolist()
    ([0, 4, 7], [[2, 1], [2, 0]])
    """
    seen = np.bincount(births.ravel().astype(np.int64)) > 0
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[births]


def checked_births(births) -> np.ndarray:
    """``births`` as an array, if they are integers (n_images, n_units) from 0 up.

    Raises
    ------
    ValueError
        If they have another shape or type, are empty, or one is negative; the text names it.
    """
    births = np.asarray(births)
    if births.ndim != 2 or births.dtype.kind not in "iu" or births.size == 0:
        raise ValueError(
            f"births have shape {births.shape} and type {births.dtype}; expected integers (images, units), "
            "at least one of each, as birth_points returns them"
        )
    if births.min() < 0:
        image, unit = np.argwhere(births < 0)[0].tolist()
        value = births[image, unit]
        raise ValueError(
            f"the birth of image {image}, unit {unit} is {value}; expected 0 for none or a number from 1 up"
        )
    return births


def plugin(counts, total):
    """-sum P ln P of counts (m, n_units) with P = counts / total; exactly 0 where one value has all."""
    terms = counts / total * np.log(total / np.maximum(counts, 1))
    if not len(terms):
        return np.zeros(terms.shape[1])
    return terms.cumsum(axis=0)[-1]  # in order, unlike sum: other units change no bit


def miller_madow(counts, total):
    """The plug-in entropy plus (values seen - 1) / (2 total) (Miller 1955)."""
    return plugin(counts, total) + ((counts > 0).sum(axis=0) - 1) / (2 * total)


def chao_shen(counts, total):
    """Entropy of the shares times the coverage, each term over its chance to be seen (Chao & Shen)."""
    once = np.minimum((counts == 1).sum(axis=0), total - 1)  # all seen once would mean no coverage at all
    share = np.where(counts > 0, (1 - once / total) * counts / total, 1.0)
    return -(share * np.log(share) / (1 - (1 - share) ** total)).sum(axis=0)


ESTIMATORS = {"plugin": plugin, "miller-madow": miller_madow, "chao-shen": chao_shen}


def rarefied_entropy(births, m):
    """Expected plug-in entropy of m of a unit's births, drawn without replacement.

    It makes units with many and with few births comparable.
    E[H_m] = sum_x sum_j Hypergeometric(j; born, count_x, m) (j/m) ln(m/j), exact.

    Parameters
    ----------
    births : (n_images, n_units) int
        Birth points; 0 where an image has none.
    m : int
        Births to keep, from 1 up.

    Returns
    -------
    (n_units,) float64
        In nats, from 0 to ln m, rising with m; NaN for a unit with fewer than m births.

    >>> rarefied_entropy(np.array([[7], [7], [9], [0]]), 2).round(3)  # 2 of 3 pairs differ: 2/3 ln 2
    array([0.462])
    """
    from scipy.stats import hypergeom

    if not (isinstance(m, int | np.integer) and m >= 1):
        raise ValueError(f"m is {m!r}; expected the number of births to keep, a whole number from 1 up")
    counts = np.sort(birth_counts(births)[1], axis=0)
    born = counts.sum(axis=0)
    enough = born >= m
    seen = np.arange(1, m + 1)[:, None, None]
    chance = hypergeom.pmf(seen, born[enough], counts[:, enough], m)
    entropy = np.full(born.size, np.nan)
    entropy[enough] = (chance * seen / m * np.log(m / seen)).sum(axis=(0, 1))
    return entropy


def null_entropy(n, n_images=None, draws=20_000, seed=0):
    """Entropy of the birth point of n x n maps of independent noise, the grey band of Fig. 2B-C.

    Parameters
    ----------
    n : int
        Rows of the map.
    n_images : int, optional
        Without it the entropy of the distribution itself; with it that of as many noise images.
    draws, seed : int
        Of the simulation for ``n_images``.

    Returns
    -------
    float, or (mean, sd) with ``n_images``
        In nats. The plug-in is biased downward, and so is the mean. NaN where noise has no birth (n < 4).

    >>> round(null_entropy(14), 2)
    2.3
    """
    chance = null_births(n)
    if n_images is None:
        born = chance[1:].sum()
        share = chance[1:][chance[1:] > 0] / born if born else np.array([np.nan])
        return float(-(share * np.log(share)).sum())
    counts = np.random.default_rng(seed).multinomial(n_images, chance, size=draws)[:, 1:].T
    born = counts.sum(axis=0)
    entropy = plugin(counts[:, born > 0], born[born > 0])
    return (float(entropy.mean()), float(entropy.std())) if entropy.size else (np.nan, np.nan)

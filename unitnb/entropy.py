"""Feature entropy, selective rate, effectiveness and importance rank of units (Sec. 2.3-2.4, Eq. 6-10)."""

import numpy as np

from .topology import null_births

AUTHORS_BOUND = 51  # 0-based births up to 50, so v <= 51
AUTHORS_FLOOR = 0.1  # the released code puts |H / epsilon| below this last


def birth_counts(births):
    """Values taken by any birth (m,) ascending, and how often each unit takes them (m, n_units); images without a birth are left out.

    >>> values, counts = birth_counts(np.array([[7, 4], [7, 0], [9, 4], [0, 0]]))
    >>> values.tolist(), counts.tolist()
    ([4, 7, 9], [[0, 2], [2, 0], [1, 0]])
    """
    births = checked_births(births)
    values, place = np.unique(births, return_inverse=True)
    units = births.shape[1]
    cells = place.reshape(births.shape) * units + np.arange(units)
    counts = np.bincount(cells.ravel(), minlength=values.size * units).reshape(-1, units)
    return values[values > 0], counts[values > 0]


def checked_births(births):
    births = np.asarray(births)
    if births.ndim != 2 or births.dtype.kind not in "iu" or births.size == 0:
        raise ValueError(f"births have shape {births.shape} and type {births.dtype}; expected integers (images, units), "
                         "at least one of each, as birth_points returns them")
    if births.min() < 0:
        image, unit = np.argwhere(births < 0)[0].tolist()
        raise ValueError(f"the birth of image {image}, unit {unit} is {births[image, unit]}; expected 0 for none or a number from 1 up")
    return births


def feature_entropy(births, normalise="births", estimator="plugin"):
    """Entropy of each unit's birth points over the images of one class, H_{C,U,1} (Sec. 2.3, Eq. 8).

    H_u = -sum_x P_u(x) ln P_u(x), where P_u(x) is the share of images whose birth point is x.

    Parameters
    ----------
    births : (n_images, n_units) int
        Birth points from 1 up; 0 where an image has none.
    normalise : "births" or "all"
        Divide by the images that have a birth (a distribution) or by all images (Eq. 6 to the letter).
    estimator : "plugin", "miller-madow" or "chao-shen"
        The paper's, or one that corrects its downward bias at m births: plug-in + (values seen - 1) / (2 m), or
        Chao & Shen (2003): shares times the coverage 1 - (values seen once) / m, each term divided by its chance of being seen.
        The corrections are of distributions, so they need ``normalise="births"``.

    Returns
    -------
    (n_units,) float64
        In nats; the plug-in lies between 0 (always the same birth) and ln n_images. NaN for a unit that is never born.
        Depends only on how often values occur, so equal frequencies give equal floats.

    Raises
    ------
    ValueError
        If ``births`` is not 2-D, not of integers, empty or negative somewhere, or an option is unknown.

    >>> feature_entropy(np.array([[7], [7], [9], [0]])).round(3)
    array([0.637])
    """
    if normalise not in ("births", "all"):
        raise ValueError(f"normalise is {normalise!r}; expected 'births' or 'all'")
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator is {estimator!r}; expected one of {', '.join(ESTIMATORS)}")
    if normalise == "all" and estimator != "plugin":
        raise ValueError(f"the {estimator} estimator corrects a distribution; use normalise='births' with it, not 'all'")
    counts = np.sort(birth_counts(births)[1], axis=0)  # sorted, so that the sum does not depend on which values they are
    born = counts.sum(axis=0)
    total = np.full(born.size, len(births)) if normalise == "all" else born
    entropy = ESTIMATORS[estimator](counts, np.maximum(total, 1))
    return np.where(born > 0, entropy, np.nan)


def plugin(counts, total):
    """-sum P ln P of counts (m, n_units) with P = counts / total; exactly 0 where one value has all."""
    terms = counts / total * np.log(total / np.maximum(counts, 1))
    return terms.cumsum(axis=0)[-1] if len(terms) else np.zeros(terms.shape[1])  # in order, unlike sum: other units change no bit


def miller_madow(counts, total):
    return plugin(counts, total) + ((counts > 0).sum(axis=0) - 1) / (2 * total)


def chao_shen(counts, total):
    once = np.minimum((counts == 1).sum(axis=0), total - 1)  # all values seen once would mean no coverage at all
    share = np.where(counts > 0, (1 - once / total) * counts / total, 1.0)
    return -(share * np.log(share) / (1 - (1 - share) ** total)).sum(axis=0)


ESTIMATORS = {"plugin": plugin, "miller-madow": miller_madow, "chao-shen": chao_shen}


def rarefied_entropy(births, m):
    """Expected plug-in entropy of m of a unit's births, drawn without replacement: makes units with many and few births comparable.

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

    >>> rarefied_entropy(np.array([[7], [7], [9], [0]]), 2).round(3)  # two thirds of the pairs differ: 2/3 ln 2
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


def selective_rate(births):
    """Share of images in which a unit has a birth, epsilon (Sec. 2.4): (n_images, n_units) int to (n_units,) float64 in [0, 1].

    >>> selective_rate(np.array([[7, 0], [7, 0], [9, 0], [0, 4]]))
    array([0.75, 0.25])
    """
    births = checked_births(births)
    return np.count_nonzero(births, axis=0) / len(births)


def effectiveness(births, p=0.1, convention="paper", estimator="plugin"):
    """Effectiveness of units on one class, E = epsilon / H where epsilon >= p, else 0 (Eq. 10).

    Parameters
    ----------
    births : (n_images, n_units) int
        Birth points, 1-based; 0 where an image has none.
    p : float in [0, 1]
        Least selective rate of an effective unit. The paper names it and gives no value; its later version has 0.1.
    convention : "paper" or "authors"
        "authors" gives the rank of the released code, for births from ``birth_points(maps, b_max=51, index="level")``: its births
        are 0-based (v - 1), at most 50, and 0 means none, so v = 1 and v > 51 are dropped; p plays no part; units are ranked by
        H / epsilon ascending; those with \\|H / epsilon\\| < 0.1 (the perfect ones too) and the never-born share the last place, E = 0.
    estimator : "plugin", "miller-madow" or "chao-shen"
        Of H; see feature_entropy.

    Returns
    -------
    (n_units,) float64
        From 0 up; infinity for H = 0 and epsilon >= p (always the same birth). 0 for a unit that is never born, even at p = 0.

    Raises
    ------
    ValueError
        If the births are malformed, p is not in [0, 1] or an option is unknown.

    >>> effectiveness(np.array([[7, 7, 0], [7, 7, 0], [9, 7, 0], [0, 7, 0]])).round(3)
    array([1.178,   inf, 0.   ])
    """
    if convention not in ("paper", "authors"):
        raise ValueError(f"convention is {convention!r}; expected 'paper' or 'authors'")
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p!r}; expected a share between 0 and 1")
    births = checked_births(births)
    if convention == "authors":
        births = np.where((births > 1) & (births <= AUTHORS_BOUND), births, 0)
    rate, entropy = selective_rate(births), feature_entropy(births, estimator=estimator)
    with np.errstate(divide="ignore", invalid="ignore"):  # H = 0 gives infinity by rule; 0 / NaN is replaced below
        ratio = rate / entropy
        counts = entropy / rate >= AUTHORS_FLOOR if convention == "authors" else rate >= p
    return np.where(counts & (rate > 0), ratio, 0.0)


def importance_rank(scores):
    """Units from the most effective to the least: stable, ties by unit index (Sec. 2.4).

    Parameters
    ----------
    scores : (n_units,) float
        Higher is more important; infinity is allowed.

    Returns
    -------
    (n_units,) int64
        Unit indices; element 0 is the most effective unit.

    Raises
    ------
    ValueError
        If the scores are not 1-D or hold NaN.

    >>> importance_rank(np.array([0.5, np.inf, 0.5, 2.0]))
    array([1, 3, 0, 2])
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"scores have shape {scores.shape}; expected one score a unit, (units,)")
    if np.isnan(scores).any():
        raise ValueError(f"the score of unit {int(np.isnan(scores).argmax())} is NaN; expected a number for every unit "
                         "(effectiveness gives 0, not NaN, to a unit that is never born)")
    return np.argsort(-scores, kind="stable")


def null_entropy(n, n_images=None, draws=20_000, seed=0):
    """Entropy of the birth point of n x n maps of independent noise, the grey band of Fig. 2B-C.

    Parameters
    ----------
    n : int
        Rows of the map.
    n_images : int, optional
        Without it the entropy of the distribution itself; with it what feature_entropy is expected to give on that many noise images.
    draws, seed : int
        Of the simulation for ``n_images``.

    Returns
    -------
    float, or (mean, sd) with ``n_images``
        In nats. The mean lies below the entropy: the plug-in is biased downward. NaN where noise is never born (n < 4).

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

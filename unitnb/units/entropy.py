"""Feature entropy, selective rate, effectiveness and importance rank of units (Sec. 2.3-2.4, Eq. 6-10)."""

import functools
from collections.abc import Callable

import numpy as np

from .estimators import ESTIMATORS, birth_counts, checked_births

AUTHORS_BOUND = 51  # 0-based births up to 50, so v <= 51
AUTHORS_FLOOR = 0.1  # the released code puts |H / epsilon| below this last


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
        The paper's, or one that corrects its downward bias at m births: plug-in + (values seen - 1) / (2 m),
        or Chao & Shen (2003): shares times the coverage 1 - (values seen once) / m, each term divided by its
        chance of being seen. The corrections are of distributions, so they need ``normalise="births"``.

    Returns
    -------
    (n_units,) float64
        In nats; the plug-in lies between 0 (always the same birth) and ln n_images. NaN for a unit that is
        never born. Depends only on how often values occur, so equal frequencies give equal floats.

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
        raise ValueError(f"the {estimator} estimator needs a distribution: use normalise='births', not 'all'")
    # Sorted, so that the sum does not depend on which values they are.
    counts = np.sort(birth_counts(births)[1], axis=0)
    born = counts.sum(axis=0)
    total = np.full(born.size, len(births)) if normalise == "all" else born
    entropy = ESTIMATORS[estimator](counts, np.maximum(total, 1))
    return np.where(born > 0, entropy, np.nan)


def selective_rate(births):
    """Share of images in which a unit has a birth, epsilon (Sec. 2.4).

    From births (n_images, n_units) int to (n_units,) float64 in [0, 1]; errors as :func:`feature_entropy`.

    >>> selective_rate(np.array([[7, 0], [7, 0], [9, 0], [0, 4]]))
    array([0.75, 0.25])
    """
    births = checked_births(births)
    return np.count_nonzero(births, axis=0) / len(births)


def effectiveness(births, p=0.1, convention="paper", estimator="plugin", variant="paper", **given):
    """Effectiveness of units on one class, E = epsilon / H where epsilon >= p, else 0 (Eq. 10).

    Parameters
    ----------
    births : (n_images, n_units) int
        Birth points, 1-based; 0 where an image has none.
    p : float in [0, 1]
        Least selective rate of an effective unit. The paper names it and gives no value; its later version
        has 0.1.
    convention : "paper" or "authors"
        "authors" gives the rank of the released code, for births from ``birth_points(maps, b_max=51,
        index="level")``: its births are 0-based (v - 1), at most 50, and 0 means none, so v = 1 and v > 51
        are dropped; p plays no part; units are ranked by H / epsilon ascending; those with \\|H / epsilon\\|
        < 0.1 (the perfect ones too) and the never-born share the last place, E = 0.
    estimator : "plugin", "miller-madow" or "chao-shen"
        Of H; see feature_entropy.
    variant : "paper", "printed", "with none", "balanced" or "chance"
        "printed" reads Eq. 6 to the letter, and "with none" takes no birth for an outcome of its own; see
        ``effectiveness_over_all``. The others are ours: "balanced" is ``birth_information`` and takes
        ``other_births=``, those on images of other classes; "chance" is ``chance_effectiveness`` and takes
        ``entropy_z=``, of ``controls.chance.null_scores``.

    Returns
    -------
    (n_units,) float64
        Higher is more effective. The paper's goes from 0 up; infinity for H = 0 and epsilon >= p (always the
        same birth); 0 for a unit that is never born, even at p = 0.

    Raises
    ------
    ValueError
        If the births are malformed, p is not in [0, 1], an option is unknown, or a variant lacks its input.

    >>> effectiveness(np.array([[7, 7, 0], [7, 7, 0], [9, 7, 0], [0, 7, 0]])).round(3)
    array([1.178,   inf, 0.   ])
    """
    if convention not in ("paper", "authors"):
        raise ValueError(f"convention is {convention!r}; expected 'paper' or 'authors'")
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p!r}; expected a share between 0 and 1")
    if variant != "paper" or given:
        if convention == "authors":
            raise ValueError(f"variant {variant!r} has no authors' convention; leave convention at 'paper'")
        return _variant(variant, births, p, estimator, given)
    births = checked_births(births)
    if convention == "authors":
        births = np.where((births > 1) & (births <= AUTHORS_BOUND), births, 0)
    rate, entropy = selective_rate(births), feature_entropy(births, estimator=estimator)
    with np.errstate(divide="ignore", invalid="ignore"):  # H = 0 gives infinity, NaN is replaced below
        ratio = rate / entropy
        counts = entropy / rate >= AUTHORS_FLOOR if convention == "authors" else rate >= p
    return np.where(counts & (rate > 0), ratio, 0.0)


# ---- variants: other readings of the paper, and measures of ours where its controls show a weakness ----


def effectiveness_over_all(births, p=0.1, estimator="plugin", with_none=False) -> np.ndarray:
    """Effectiveness with the shares P(x) over all images, as Eq. 6 is printed, not over those with a birth.

    Over all images each share is epsilon times the share among births, and these add up to epsilon. The
    entropy (Eq. 8) becomes epsilon (H - ln epsilon), so E = 1 / (H - ln epsilon) where epsilon >= p, else 0.
    ``with_none`` adds the share of images without a birth, 1 - epsilon, as one more outcome, which makes a
    distribution: E = epsilon / (epsilon (H - ln epsilon) - (1 - epsilon) ln(1 - epsilon)).

    From births (n_images, n_units) int to (n_units,) float64 in 1/nats, infinite where the same birth is in
    every image. The default equals ``effectiveness`` for a unit with a birth in every image.

    >>> effectiveness_over_all(np.array([[7, 7], [7, 7], [9, 7], [0, 7]])).round(3)  # H - ln 3/4 = 0.924
    array([1.082,   inf])
    """
    rate, entropy = selective_rate(births), np.nan_to_num(feature_entropy(births, estimator=estimator))
    whole = rate * entropy - _x_log_x(rate) - (_x_log_x(1 - rate) if with_none else 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((rate >= p) & (rate > 0), rate / whole, 0.0)


def _x_log_x(share):
    return share * np.log(np.where(share > 0, share, 1))


def birth_information(births, other_births) -> np.ndarray:
    """What a birth point tells about the class, signed and balanced: not the paper's measure but ours.

    The Jensen-Shannon divergence between the distributions of the birth point (no birth is one more value) on
    images of the class and of other classes: the information, in nats, that one birth point gives on which of
    the two an image is from, if both are equally frequent. Negative where the unit is born less often on the
    class.

    Parameters
    ----------
    births, other_births : (n, units), (m, units) int
        Birth points on images of the class and of other classes; 0 where an image has none.

    Returns
    -------
    (units,) float64
        From -ln 2 to ln 2. Chance differences do not average out: about (values - 1) / 8 (1/n + 1/m) remain
        of the divergence.

    >>> birth_information(np.array([[7, 0], [7, 0]]), np.array([[0, 7], [0, 0]])).round(3)
    array([ 0.693, -0.216])
    """
    births, other_births = checked_births(births), checked_births(other_births)
    values = np.arange(max(births.max(), other_births.max()) + 1)[:, None, None]
    own, rest = ((values == found).mean(axis=1) for found in (births, other_births))
    middle = (own + rest) / 2
    parts = [
        share * np.log(np.divide(share, middle, out=np.ones_like(share), where=share > 0))
        for share in (own, rest)
    ]
    sign = np.sign(selective_rate(births) - selective_rate(other_births))
    return (parts[0] + parts[1]).sum(axis=0) / 2 * sign


def chance_effectiveness(entropy_z, rate, p=0.1) -> np.ndarray:
    """How far below chance a unit's entropy lies, -z of ``null_scores``; ours. Rates below p rank last.

    Parameters
    ----------
    entropy_z : (n_units,) float
        Entropy in standard deviations of the null, NaN where that is not known.
    rate : (n_units,) float in [0, 1]
        Selective rates.

    Returns
    -------
    (n_units,) float64
        In standard deviations; units without z or rate have 1 less than the least of the others (and than 0).
    """
    known = np.isfinite(entropy_z) & (rate >= p)
    return np.where(known, -entropy_z, np.min(-entropy_z[known], initial=0) - 1)


VARIANTS: dict[str, tuple[list[str], Callable[..., np.ndarray]]] = {  # what each takes beside births and p
    "printed": ([], effectiveness_over_all),
    "with none": ([], functools.partial(effectiveness_over_all, with_none=True)),
    "balanced": (
        ["other_births"],
        lambda births, p, _, other_births: birth_information(births, other_births),
    ),
    "chance": (
        ["entropy_z"],
        lambda births, p, _, entropy_z: chance_effectiveness(entropy_z, selective_rate(births), p),
    ),
}


def _variant(name, births, p, estimator, given):
    if name != "paper" and name not in VARIANTS:
        raise ValueError(f"variant is {name!r}; expected 'paper', {', '.join(map(repr, VARIANTS))}")
    takes = [] if name == "paper" else VARIANTS[name][0]
    if list(given) != takes:
        wanted, came = (", ".join(names) or "nothing" for names in (takes, given))
        raise ValueError(f"variant {name!r} takes {wanted} beside births and p, and got {came}")
    return VARIANTS[name][1](births, p, estimator, **given)


def importance_rank(scores):
    """Units from the most effective to the least: stable, ties by unit index (Sec. 2.4).

    The result is an order of the units, not the place of each unit.

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
        raise ValueError(
            f"the score of unit {int(np.isnan(scores).argmax())} is NaN; expected a number for every unit "
            "(effectiveness gives 0, not NaN, to a unit that is never born)"
        )
    return np.argsort(-scores, kind="stable")

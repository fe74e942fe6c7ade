"""The free choices of the measure (Sec. 2): p, B_max, the worth of H = 0, what v counts, H and its shares.

``CHOICES`` has the options of each, ``DEFAULT`` the ones of this package.
"""

import itertools

import numpy as np

from ..topology.births import birth_points, symmetrize
from ..units.entropy import effectiveness, selective_rate
from ..units.estimators import plugin

CHOICES = {
    "p": (0.0, 0.05, 0.1, 0.2),
    "B_max": (20, 35, 50, 91),
    "H = 0": ("best", "worst", "floor"),
    "index": ("edges", "level", "entries"),
    "estimator": ("plugin", "miller-madow", "chao-shen"),
    "P(x) over": ("births", "all images", "births and none"),  # what the shares of Eq. 6 are of
}
DEFAULT = {
    "p": 0.1,
    "B_max": 50,
    "H = 0": "best",
    "index": "edges",
    "estimator": "plugin",
    "P(x) over": "births",
}
VARIANT_OF = {"births": "paper", "all images": "printed", "births and none": "with none"}


def entries_index(maps, births) -> np.ndarray:
    """How many entries of a map are at least as large as the edge of its birth, (images, units) int.

    This is the birth in the convention of the paper's later version: v counts the entries of the map itself,
    on both sides and on the diagonal. 0 for no birth.

    Parameters
    ----------
    maps : (images, n, n, units)
    births : (images, units) int
        In edges, of the same maps; 0 for none.
    """
    n, flat = maps.shape[1], np.abs(maps).reshape(len(maps), -1, maps.shape[3])
    weights = np.sort(symmetrize(maps)[:, *np.triu_indices(n, 1)], axis=1)[:, ::-1]
    edge = np.take_along_axis(weights, np.maximum(births, 1)[:, None].astype(np.int64) - 1, axis=1)
    return np.where(births > 0, (flat >= edge).sum(axis=1), 0)


def births_by_index(maps) -> dict[str, np.ndarray]:
    """Births without a bound in each of the three conventions of what v counts, (images, units) each.

    "edges" counts edges, "level" distinct values, "entries" entries of the map.
    """
    edges = birth_points(maps, np.inf)
    return {
        "edges": edges,
        "level": birth_points(maps, np.inf, index="level"),
        "entries": entries_index(maps, edges),
    }


def effectiveness_by_choice(births_of, choice, known=None) -> np.ndarray:
    """Effectiveness (Eq. 10) under one choice of ``CHOICES``, (units,) float64 in 1/nats.

    H = 0, always the same birth, has three options. "best" is infinity. "worst" is 0, as in the released
    code. "floor" takes the entropy of one deviating image.

    Parameters
    ----------
    births_of : dict
        Of ``births_by_index``.
    choice : dict
        A value for each key of ``CHOICES``.
    known : dict, optional
        Keeps for the next call what choices share.
    """
    known = {} if known is None else known
    key = tuple(choice[name] for name in ("index", "B_max", "estimator", "P(x) over"))
    if key not in known:
        births = births_of[choice["index"]]
        births = np.where(births <= choice["B_max"], births, 0)
        known[key] = (
            effectiveness(births, 0, estimator=choice["estimator"], variant=VARIANT_OF[choice["P(x) over"]]),
            selective_rate(births),
            len(births),
        )
    scores, rate, n_images = known[key]
    perfect = np.isinf(scores)
    if choice["H = 0"] == "worst":
        scores = np.where(perfect, 0.0, scores)
    if choice["H = 0"] == "floor":
        born = np.maximum(np.rint(rate * n_images), 2)
        scores = np.where(perfect, rate / plugin(np.array([born - 1, np.ones_like(born)]), born), scores)
    return np.where(rate >= choice["p"], scores, 0.0)


def all_choices() -> list[dict]:
    """Every combination of ``CHOICES``, 1296 of them.

    >>> len(all_choices()), DEFAULT in all_choices()
    (1296, True)
    """
    return [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]


def single_choices() -> dict[str, dict]:
    """The combinations that differ from ``DEFAULT`` in one choice, by name.

    >>> list(single_choices())[:3]
    ['p 0.0', 'p 0.05', 'p 0.2']
    """
    return {
        f"{name} {value}": DEFAULT | {name: value}
        for name, values in CHOICES.items()
        for value in values
        if value != DEFAULT[name]
    }

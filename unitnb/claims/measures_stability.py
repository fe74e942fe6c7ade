"""Measures of the claims of Sec. 3.5, from areas and votes: numbers for ``record_claims``."""

from collections.abc import Mapping

import numpy as np

from ..units.equivalence import crossed_estimate, drawn_estimate, mean_estimate
from .criteria_stability import SETS

SHARE_OF_WORTH = 0.1  # margin of equality: of the area between the rank and random orders


def stability_claims(areas: Mapping, votes: Mapping, target: str, table=None, pool=0) -> dict[str, dict]:
    """Numbers of C23 to C28 (Sec. 3.5, Fig. 4): of the target class, and the same of every class given.

    Parameters
    ----------
    areas, votes : of ``ranking_areas`` and of ``vote_readings``, by class
    table : of ``stability_table``, for the target class, where its smallest set is asked for (C27)
    pool : int
        Images from which the sets are drawn.
    """
    found = {name: class_stability(areas[name], votes[name]) for name in areas}
    several = len(found) > 1
    claims = {
        claim: numbers | ({"by class": {name: f[claim] for name, f in found.items()}} if several else {})
        for claim, numbers in found[target].items()
    }
    if table is not None:
        above = table["set_size"][table["ratio"] > 0.9]
        claims["C27"] = claims["C27"] | {"K": int(above.min()) if above.size else np.inf, "pool": pool}
        tau = table["kendall"][:, 0]
        claims["C28"] = claims["C28"] | {"rise of tau with the pool's rank": tau[-1] - tau[0]}
    return claims


def class_stability(areas: Mapping, votes) -> dict[str, dict]:
    """Numbers of C23 to C28 for one class."""
    (own, draws), large = votes, areas["S_1000"]
    mean_rank = large["mean rank"][0]
    pools = large["mean rank of pools"].mean(axis=1) - large["pools"].mean(axis=1)
    against_pool = mean_rank - large["IR_1000"][0]
    c25 = {
        **_named("IR_100", crossed_estimate(mean_rank - large["sets"]), _margin(large, "sets")),
        **_named(
            "IR_1000", drawn_estimate(against_pool.mean(), pools, against_pool), _margin(large, "IR_1000")
        ),
    }
    readings = {name: _named(name, drawn_estimate(value, draws[name])) for name, value in own.items()}
    n = {"n": len(large["sets"]), "evaluation images on S_1000": len(mean_rank)}
    return {
        "C23": _against_large(areas) | n,
        "C24": _validation(areas),
        "C25": c25 | n,
        "C26": readings["votes"] | readings["rise"],
        "C27": readings["ratio"] | readings["other images"],
        "C28": readings["share"],
    }


def _named(name, estimate, margin=None):
    found = {name: estimate.value, f"low, {name}": estimate.low, f"high, {name}": estimate.high}
    return found if margin is None else found | {f"margin, {name}": margin}


def _margin(areas, kind):
    """A tenth of what a rank is worth: how far its area lies from that of random orders."""
    return SHARE_OF_WORTH * abs(float(areas["random"].mean() - areas[kind].mean()))


def _against_large(areas):
    found: dict = {}
    for name in SETS:
        here = areas[name]
        estimate = crossed_estimate(here["sets"] - here["IR_1000"])
        found |= _named(name, estimate, _margin(here, "IR_1000"))
    return found


def _validation(areas):
    found: dict = {}
    for name in SETS:
        here = areas[name]
        found |= _named(name, mean_estimate(here["IR_val"][0] - here["IR_100"][0]))
    slower = {
        f"slower than, {name}": float(
            (areas[name]["small"].mean(axis=1) < areas[name]["IR_val"].mean()).mean()
        )
        for name in ("S_100", "S_val")
    }
    return found | slower

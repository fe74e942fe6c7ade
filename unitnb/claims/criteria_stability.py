"""C23 to C28: stability (Sec. 3.5).

Areas count as equal within a margin of 10% of what the rank is worth: the distance of its area from that of
random orders, on the same images.
"""

from ..units.equivalence import is_equivalent
from .criteria_method import REVISED
from .grades import STABILITY, Claim, grade

SETS = ("S_100", "S_1000", "S_val")
RANKING = "ranking images (ten disjoint sets of them) and evaluation images; conditional on one network"
POOLS = "ranking images (bootstraps of the pool); conditional on one network"


def _equal(r, name):
    return is_equivalent(r[f"low, {name}"], r[f"high, {name}"], r[f"margin, {name}"])


CLAIMS = (
    Claim(
        id="C23",
        place="Fig. 4A",
        statement="Curves by IR_100 and IR_1000 are nearly equal",
        paper="nearly no difference",
        measure=(
            "area by IR_100, mean over ten disjoint S_100, minus area by IR_1000, on S_100, S_1000 and S_val"
        ),
        criterion="interval within the margin on all three sets; in part: on some",
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(*(_equal(r, name) for name in SETS)),
        effect="S_1000",
        resampled=RANKING,
        changed=REVISED,
    ),
    Claim(
        id="C24",
        place="Fig. 4A",
        statement="The curve by IR_val drops slower",
        paper="not given",
        measure=(
            "area by IR_val minus area by IR_100 on three sets; ranks of as many training images that drop "
            "faster than IR_val"
        ),
        criterion=(
            "interval above 0 on all three sets, and slower than 95% of the ranks of equal size on S_100 "
            "and S_val; in part: one of the two"
        ),
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(
            min(r[f"low, {s}"] for s in SETS) > 0,
            min(r["slower than, S_100"], r["slower than, S_val"]) >= 0.95,
        ),
        effect="S_1000",
        resampled="evaluation images; the ranks of equal size stand for the ranking images",
    ),
    Claim(
        id="C25",
        place="Fig. 4B",
        statement="The mean rank over 100 sets is almost IR_100 and IR_1000",
        paper="100 sets of 100 images",
        measure=(
            "area by the mean rank minus areas by IR_100, mean over ten disjoint S_100, and by IR_1000, on "
            "S_1000"
        ),
        criterion="both intervals within the margin; in part: one",
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(*(_equal(r, name) for name in ("IR_100", "IR_1000"))),
        effect="IR_100",
        resampled=RANKING + "; for IR_1000 bootstraps of the pool",
        changed=REVISED,
    ),
    Claim(
        id="C26",
        place="Fig. 4C",
        statement="Votes concentrate as the sets grow",
        paper="at 500 images nearly the same 15 units",
        measure=(
            "share of the sets of the largest size that vote for each of the fifteen most voted units, mean; "
            "share of the first twenty units that pairs of disjoint sets have in common, largest minus "
            "smallest size, as many pairs of each"
        ),
        criterion="share at least 95%; interval of the rise above 0; in part: one of the two",
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(r["votes"] >= 0.95, r["low, rise"] > 0),
        effect="votes",
        resampled=POOLS,
        changed=REVISED,
    ),
    Claim(
        id="C27",
        place="Fig. 4D",
        statement="Eq. 14 exceeds 90% from small sets of images on",
        paper="0.9 from sets of 100 of 1,000 on",
        measure=(
            "Eq. 14 for sets of 100 images; for sets of one half of the pool against the rank of the other "
            "half; smallest size with a ratio above 0.9"
        ),
        criterion="interval at 100 images above 0.9, for both; in part: for one",
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(r["low, ratio"] > 0.9, r["low, other images"] > 0.9),
        effect="ratio",
        resampled=POOLS,
        changed=REVISED,
    ),
    Claim(
        id="C28",
        place="Sec. 3.5",
        statement="Small subsets are enough",
        paper="not given",
        measure=(
            "Kendall's tau with the rank of other images (the other half of the pool) for sets of 100, as a "
            "share of that for the largest sets"
        ),
        criterion="interval above 0.9",
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(r["low, share"] > 0.9),
        effect="share",
        resampled=POOLS,
        construction=(
            "larger sets share more images with the rank of the pool, so that tau with it rises: it is shown "
            "and not judged"
        ),
        changed=REVISED,
    ),
)

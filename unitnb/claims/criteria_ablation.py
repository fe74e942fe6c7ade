"""C15 to C28: ablation (Sec. 3.4) and stability (Sec. 3.5)."""

from .grades import ABLATION, STABILITY, Claim, grade, grade_if

CLAIMS = (
    Claim(
        id="C15",
        place="Fig. 3A",
        statement="Best units removed first: accuracy falls at once",
        paper="0.58 to 0.09 after 17 of 512 units (3.3%)",
        measure="share of the units after which 85% of the accuracy is lost; median of random orders",
        criterion=(
            "at most 10% of the units, and less than a third of the random orders' median; in part: one of "
            "the two"
        ),
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade(r["units"] <= 0.1, r["units"] < r["random orders"] / 3),
    ),
    Claim(
        id="C16",
        place="Fig. 3A",
        statement="The loss jumps, then climbs to a peak",
        paper="8.53",
        measure="place of the largest loss, as a share of the units removed",
        criterion=(
            "neither at the start nor at the end, nor is the end of its interval; in part: without the "
            "interval"
        ),
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade_if(0 < r["place"] < 1, 0 < r["interval"][0] and r["interval"][1] < 1),
    ),
    Claim(
        id="C17",
        place="Fig. 3A",
        statement="The peak of the loss exceeds the loss of the empty layer",
        paper="8.53 against 7.26",
        measure=(
            "peak of the loss minus the empty layer's, in nats; on test images at the place of the training "
            "images' peak"
        ),
        criterion="interval above 0 on training and on test images; in part: on training images only",
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade_if(r["interval"][0] > 0, r["low, on test images"] > 0),
    ),
    Claim(
        id="C18",
        place="Fig. 3B",
        statement="Worst units removed first: accuracy rises",
        paper="0.58 to 0.92 with 96% removed",
        measure="largest accuracy minus the whole layer's, and the share of the units removed there",
        criterion="interval above 0, and at 80% removed or later; in part: one of the two",
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade(r["interval"][0] > 0, r["removed"] >= 0.8),
    ),
    Claim(
        id="C19",
        place="Fig. 3B",
        statement="Then it collapses within few units",
        paper="to 0 within 17 units (3.3%)",
        measure="share of the units between 90% and 10% of the largest accuracy",
        criterion="at most 10%",
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade(r["width"] <= 0.1),
    ),
    Claim(
        id="C20",
        place="Fig. 3B",
        statement="The loss shows the same transition",
        paper="not given",
        measure="distance of the smallest loss from the largest accuracy, as a share of the units",
        criterion="at most 5%",
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade(r["distance"] <= 0.05),
    ),
    Claim(
        id="C21",
        place="Fig. 3C",
        statement="The transition is found in all classes",
        paper="all sampled classes",
        measure="share of the classes with rise (C18), with collapse (C19), with both",
        criterion="both in at least 90%; in part: one of them in at least 90%",
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade(r["rise"] >= 0.9, r["collapse"] >= 0.9, r["both"] >= 0.9),
    ),
    Claim(
        id="C22",
        place="Sec. 3.4",
        statement="The bulk of the units is dispensable",
        paper="96% of the units",
        measure="accuracy after removing the worse half of the units, minus the whole layer's",
        criterion="not below 0; in part: below 0, but its interval reaches 0",
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade_if(r["interval"][1] >= 0, r["change"] >= 0),
    ),
    Claim(
        id="C23",
        place="Fig. 4A",
        statement="Curves by IR_100 and IR_1000 are nearly equal",
        paper="nearly no difference",
        measure="difference of the areas under the curves on S_100, S_1000 and S_val, with 95% intervals",
        criterion="the interval holds 0 on all three sets; in part: on some",
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(
            *(r[f"low, {s}"] <= 0 <= r[f"high, {s}"] for s in ("S_100", "S_1000", "S_val"))
        ),
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
            min(r[f"low, {s}"] for s in ("S_100", "S_1000", "S_val")) > 0,
            min(r["slower than, S_100"], r["slower than, S_val"]) >= 0.95,
        ),
    ),
    Claim(
        id="C25",
        place="Fig. 4B",
        statement="The mean rank over 100 sets is almost IR_100 and IR_1000",
        paper="100 sets of 100 images",
        measure="area by the mean rank minus areas by IR_100 and IR_1000, on S_1000, with 95% intervals",
        criterion="both intervals hold 0; in part: one",
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(*(r[f"low, {s}"] <= 0 <= r[f"high, {s}"] for s in ("IR_100", "IR_1000"))),
    ),
    Claim(
        id="C26",
        place="Fig. 4C",
        statement="Votes concentrate as the sets grow",
        paper="at 500 images nearly the same 15 units",
        measure=(
            "Kendall's tau with the size of the sets of the votes for the 15 most voted units; the same for "
            "disjoint sets"
        ),
        criterion="above 0 for both; in part: for one",
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(r["tau"] > 0, r["tau, disjoint sets"] > 0),
    ),
    Claim(
        id="C27",
        place="Fig. 4D",
        statement="Eq. 14 exceeds 90% from small sets of images on",
        paper="0.9 from sets of 100 of 1,000 on",
        measure="smallest K with a ratio above 0.9; the same for disjoint sets",
        criterion="at most a fifth of the pool, for both; in part: for one",
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(r["K"] <= r["pool"] / 5, r["K, disjoint sets"] <= r["pool"] / 5),
    ),
    Claim(
        id="C28",
        place="Sec. 3.5",
        statement="Small subsets are enough",
        paper="not given",
        measure="Kendall's tau with IR_1000 over K: total rise, and rise over the larger half of the sizes",
        criterion=(
            "tau rises, and the larger half brings less than half of the rise (a plateau); in part: one of "
            "the two"
        ),
        notebook=STABILITY,
        figure="fig4.png",
        judge=lambda r: grade(r["rise of tau"] > 0, r["rise over the larger half"] < r["rise of tau"] / 2),
    ),
)

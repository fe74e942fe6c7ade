"""C15 to C22: ablation (Sec. 3.4)."""

from .criteria_method import REVISED
from .grades import ABLATION, Claim, grade, grade_if

BEYOND_RANDOM = 0.95  # share of the random orders that a reading must exceed
IMAGES = "images; conditional on one network and one rank"
MARGIN = 0.05  # of a number's own size, or of accuracy, that counts as a difference

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
        effect="units",
        resampled=IMAGES,
    ),
    Claim(
        id="C16",
        place="Fig. 3A",
        statement="The loss jumps, then climbs to a peak",
        paper="8.53",
        measure="place of the largest loss, as a share of the units removed; random orders that peak later",
        criterion=(
            "interval between 5% and 95% of the units, and at least 95% of the random orders peak later; in "
            "part: the interval alone"
        ),
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade_if(
            MARGIN <= r["interval"][0] and r["interval"][1] <= 1 - MARGIN,
            r["random orders beaten"] >= BEYOND_RANDOM,
        ),
        effect="place",
        resampled=IMAGES,
        changed=REVISED,
    ),
    Claim(
        id="C17",
        place="Fig. 3A",
        statement="The peak of the loss exceeds the loss of the empty layer",
        paper="8.53 against 7.26",
        measure=(
            "peak of the loss minus the empty layer's, in nats; on test images at the place of the training "
            "images' peak; random orders with a smaller excess"
        ),
        criterion=(
            "interval above 5% of the empty layer's loss on training and on test images, and above at least "
            "95% of the random orders; in part: on training images alone"
        ),
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade_if(
            r["interval"][0] > MARGIN * r["empty layer"],
            r["low, on test images"] > MARGIN * r["empty layer"]
            and r["random orders beaten"] >= BEYOND_RANDOM,
        ),
        effect="excess",
        resampled=IMAGES,
        changed=REVISED,
    ),
    Claim(
        id="C18",
        place="Fig. 3B",
        statement="Worst units removed first: accuracy rises",
        paper="0.58 to 0.92 with 96% removed",
        measure=(
            "accuracy at its peak minus the whole layer's, the place chosen on one half of the images and "
            "read on the other; share of the units removed there"
        ),
        criterion="interval above 0, and at 80% removed or later; in part: one of the two",
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade(r["interval"][0] > 0, r["removed"] >= 0.8),
        effect="rise",
        resampled=IMAGES,
        changed=REVISED,
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
        effect="width",
        resampled=IMAGES,
    ),
    Claim(
        id="C20",
        place="Fig. 3B",
        statement="The loss shows the same transition",
        paper="not given",
        measure=(
            "distance, as a share of the units, of the place where accuracy halves from that where the loss "
            "passes half of its range, behind the peak and behind the least loss"
        ),
        criterion="at most 5%",
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade(r["distance"] <= 0.05),
        effect="distance",
        resampled=IMAGES,
        changed=REVISED,
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
        effect="both",
        resampled="nothing: a share of all classes; conditional on one network",
        changed=REVISED,
    ),
    Claim(
        id="C22",
        place="Sec. 3.4",
        statement="The bulk of the units is dispensable",
        paper="96% of the units",
        measure=(
            "accuracy after removing the worse 96% of the units, and the worse half, minus the whole "
            "layer's; random orders that keep less"
        ),
        criterion=(
            "interval above -0.05, and above at least 95% of the random orders, with 96% removed and with "
            "half; in part: with one of them"
        ),
        notebook=ABLATION,
        figure="fig3.png",
        judge=lambda r: grade(
            r["interval"][0] > -MARGIN and r["random orders beaten"] >= BEYOND_RANDOM,
            r["low, with half"] > -MARGIN and r["random orders beaten, with half"] >= BEYOND_RANDOM,
        ),
        effect="change",
        resampled=IMAGES,
        changed=REVISED,
    ),
)

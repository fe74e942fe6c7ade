"""C06 to C14: training (Sec. 2.3, 3.1 to 3.3)."""

from .criteria_method import EXACT, REVISED
from .grades import SEEDS, TRAINING, Claim, by_construction, grade, negative, positive

CLAIMS = (
    Claim(
        id="C06",
        place="Sec. 2.3",
        statement="Untrained units give chaotic maps: their entropy is high",
        paper="not given",
        measure="mean H at epoch 0 minus at the end, mean over classes, for each seed",
        criterion="above 0 in each seed, and the interval over seeds excludes 0; in part: one of the two",
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(positive(r["fall of H"]), r["interval"][0] > 0),
        effect="fall of H",
        resampled="seeds (Student)",
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C07",
        place="Sec. 3.1",
        statement="One class is enough to show the phenomena",
        paper="one class",
        measure=(
            "share of seeds and classes in which H, the rate and E fall, as the paper says, and the held-out "
            "peak of A's accuracy lies above its end"
        ),
        criterion="at least 10 classes, and at least 90% for each of the four; in part: for some of them",
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(
            *(r["classes"] >= 10 and r[name] >= 0.9 for name in ("H", "rate", "E", "early peak"))
        ),
        effect="H",
        resampled="nothing: a share of all seeds and classes",
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C08",
        place="Sec. 3.2",
        statement="The procedure is fully automatic",
        paper="14 vertices, 91 elements, 512 histograms of 100 images",
        measure="vertices and edges of a map, histograms and images a histogram of this run",
        criterion="n (n - 1) / 2 edges of n vertices, and a histogram a unit",
        notebook=TRAINING,
        figure="fig2a.png",
        judge=lambda r: by_construction(
            r["edges"] == r["vertices"] * (r["vertices"] - 1) / 2, r["histograms"] > 0
        ),
        effect="histograms",
        resampled=EXACT,
        construction="this run is the proof",
        changed=REVISED,
    ),
    Claim(
        id="C09",
        place="Fig. 2A",
        statement="Units have a birth point in some images only",
        paper="unit 133: 26% of the images",
        measure="share of the units with 0 < rate < 1, for each seed, mean over classes",
        criterion="above 0 in each seed",
        notebook=TRAINING,
        figure="fig2a.png",
        judge=lambda r: by_construction(positive(r["share of units"])),
        effect="share of units",
        resampled="nothing: a number a seed",
        construction="a map of zeros has no hole, and behind a ReLU some maps are zero",
        changed=REVISED,
    ),
    Claim(
        id="C10",
        place="Fig. 2B",
        statement="The birth points of all units concentrate during training",
        paper="not given",
        measure=(
            "Kendall's tau with the epoch of the entropy of all birth points together, for each seed, mean "
            "over classes"
        ),
        criterion="below 0 in each seed; in part: in some",
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(*(tau < 0 for tau in r["tau"])),
        effect="tau",
        resampled="seeds (Student)",
        seeds=SEEDS,
    ),
    Claim(
        id="C11",
        place="Fig. 2C",
        statement="H and training loss fall alike, both most in the first epoch",
        paper="not given",
        measure=(
            "correlation of mean H with the loss over the epochs, and the first epoch's share of each fall, "
            "for each seed"
        ),
        criterion="correlation above 0.8, and both shares above 30%, in each seed; in part: one of the two",
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(
            min(r["correlation"]) > 0.8, min(r["first epoch, H"]) > 0.3 and min(r["first epoch, loss"]) > 0.3
        ),
        effect="correlation",
        resampled="seeds (Student)",
        seeds=SEEDS,
    ),
    Claim(
        id="C12",
        place="Sec. 3.3",
        statement="Training shuffles the units, so following one by its index means nothing",
        paper="not given",
        measure=(
            "Spearman correlation of E between successive epochs by index, mean over epochs and classes; "
            "97.5% of permuted ones lie below"
        ),
        criterion="not above permuted indices in each seed; in part: in some",
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(*(value <= r["permuted"] for value in r["correlation"])),
        effect="correlation",
        resampled="seeds (Student)",
        seeds=SEEDS,
    ),
    Claim(
        id="C13",
        place="Fig. 2D",
        statement="The selective rate falls during training",
        paper="not given",
        measure="Kendall's tau of the mean rate with the epoch, mean over classes, for each seed",
        criterion="below 0 in each seed, and the interval over seeds excludes 0; in part: one of the two",
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(negative(r["tau"]), r["interval"][1] < 0),
        effect="tau",
        resampled="seeds (Student)",
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C14",
        place="Fig. 2D",
        statement="Effectiveness falls likewise, and more units become unimportant",
        paper="not given",
        measure=(
            "Kendall's tau with the epoch of mean E, and of the share of units with E = 0, for each seed, "
            "mean over classes"
        ),
        criterion="below 0, and above 0, in each seed; in part: one of the two",
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(negative(r["tau of E"]), positive(r["tau of E = 0"])),
        effect="tau of E",
        resampled="seeds (Student)",
        seeds=SEEDS,
    ),
)

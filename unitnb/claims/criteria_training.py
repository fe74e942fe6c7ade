"""C01 to C14: feature topology (Sec. 2) and training (Sec. 3.1 to 3.3)."""

from .grades import CONTROLS, METHOD, SEEDS, TRAINING, Claim, grade, negative, positive

CLAIMS = (
    Claim(
        id="C01",
        place="Fig. 1",
        statement="Four top points span a complex with vertices and lines, but no face and no hole",
        paper="5 vertices, 4 lines",
        measure=(
            "the complex of four edges in a path; the later paper's four points (1,2), (4,3), (2,4), (3,1)"
        ),
        criterion=(
            "exactly 5 vertices, 4 edges, no triangle, no hole; and the four points have their first hole "
            "at v = 4"
        ),
        notebook=METHOD,
        figure="fig1.png",
        judge=lambda r: grade(
            (r["vertices"], r["edges"], r["triangles"], r["holes"]) == (5, 4, 0, 0),
            r["hole of the four points"] == 4,
        ),
    ),
    Claim(
        id="C02",
        place="Sec. 1, 2.1",
        statement="Feature topology does not change under shift and scale",
        paper="not given",
        measure=(
            "maps whose birth point changes when the map is scaled (x 0.5, x 8), or shifted cyclically by "
            "(2, 2) and (2, 0)"
        ),
        criterion=(
            "no birth changes under scale, none along the diagonal, none across it; in part: some of the "
            "three"
        ),
        notebook=METHOD,
        figure="fig1.png",
        judge=lambda r: grade(
            r["changed by scale"] == 0, r["changed by (2, 2)"] == 0, r["changed by (2, 0)"] == 0
        ),
    ),
    Claim(
        id="C03",
        place="Eq. 3",
        statement="Top sets of growing order are nested: a filtration",
        paper="not given",
        measure="edges present at each level among those at the next, on maps of the network",
        criterion="nested in every map",
        notebook=METHOD,
        figure="fig2a.png",
        judge=lambda r: grade(r["maps"] > 0 and r["not nested"] == 0),
    ),
    Claim(
        id="C04",
        place="Def. 2",
        statement="The birth point is the smallest v with a hole; none above B_max",
        paper="B_max = 50",
        measure=(
            "the fast rule against GUDHI's persistence, on maps of the network and on random ones, half of "
            "them with ties"
        ),
        criterion="the same birth in every map, and none above B_max",
        notebook=METHOD,
        figure="fig2a.png",
        judge=lambda r: grade(r["maps"] > 0 and r["other than GUDHI"] == 0, r["above B_max"] == 0),
    ),
    Claim(
        id="C05",
        place="Sec. 2.2",
        statement="The more concentrated the birth points, the better the unit",
        paper="not given",
        measure=(
            "Spearman correlation over units of 1/H with the loss that a unit's removal adds (single "
            "ablation), in each class; 95% bootstrap"
        ),
        criterion=(
            "above 0, interval excluded, in more than half of the classes; and also with the rate "
            "partialled out; in part: one of the two"
        ),
        notebook=CONTROLS,
        figure="fig6f.png",
        judge=lambda r: grade(
            r["classes above 0"] > r["classes"] / 2, r["classes above 0 given the rate"] > r["classes"] / 2
        ),
    ),
    Claim(
        id="C06",
        place="Sec. 2.3",
        statement="Untrained units give chaotic maps: their entropy is high",
        paper="not given",
        measure=(
            "mean H at epoch 0 minus at the end, for each seed, mean over classes; 95% interval over seeds "
            "and classes"
        ),
        criterion="above 0 in each seed, and the interval excludes 0; in part: one of the two",
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(positive(r["fall of H"]), r["interval"][0] > 0),
        seeds=SEEDS,
    ),
    Claim(
        id="C07",
        place="Sec. 3.1",
        statement="One class is enough to show the phenomena",
        paper="one class",
        measure=(
            "share of seeds and classes in which H, the rate and E change in the same direction, and the "
            "accuracy of A peaks before its end"
        ),
        criterion=(
            "at least 10 classes, and at least 90% agree, for each of the four; in part: for some of them"
        ),
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(
            *(r["classes"] >= 10 and r[name] >= 0.9 for name in ("H", "rate", "E", "early peak"))
        ),
        seeds=SEEDS,
    ),
    Claim(
        id="C08",
        place="Sec. 3.2",
        statement="The procedure is fully automatic",
        paper="14 vertices, 91 elements, 512 histograms of 100 images",
        measure="one command gives the histograms of all units for each seed's network",
        criterion="14 vertices, 91 edges and 100 images a histogram; in part: some of the numbers",
        notebook=TRAINING,
        figure="fig2a.png",
        judge=lambda r: grade(r["vertices"] == 14, r["edges"] == 91, r["images"] == 100),
        seeds=SEEDS,
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
        judge=lambda r: grade(*(share > 0 for share in r["share of units"])),
        seeds=SEEDS,
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
        seeds=SEEDS,
    ),
    Claim(
        id="C13",
        place="Fig. 2D",
        statement="The selective rate falls during training",
        paper="not given",
        measure="Kendall's tau of the mean rate with the epoch, for each seed, mean over classes",
        criterion="below 0 in each seed; in part: in some",
        notebook=TRAINING,
        figure="fig2.png",
        judge=lambda r: grade(*(tau < 0 for tau in r["tau"])),
        seeds=SEEDS,
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
        seeds=SEEDS,
    ),
)

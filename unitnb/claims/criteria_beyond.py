"""C42 to C47: claims beyond one experiment, and those of the paper's later version."""

from .grades import CONTROLS, ROLES, SEEDS, Claim, grade

CLAIMS = (
    Claim(
        id="C42",
        place="Abstract",
        statement="The rank is specific to the class",
        paper="not given",
        measure=(
            "rank correlation of E within a class minus between classes; accuracy lost by the class whose "
            "rank it is minus by the others"
        ),
        criterion="both intervals over classes above 0; in part: one",
        notebook=ROLES,
        figure="fig5d.png",
        judge=lambda r: grade(r["low, correlation"] > 0, r["low, damage"] > 0),
    ),
    Claim(
        id="C43",
        place="Sec. 1",
        statement="Criteria of magnitude are inferior",
        paper="no comparison made",
        measure=(
            "area between the two orders of removal (balanced accuracy, test images, all classes): E's "
            "minus each rival's, 95% intervals"
        ),
        criterion="interval above 0 for L1, APoZ and mean activation; in part: for some",
        notebook=CONTROLS,
        figure="fig6a.png",
        judge=lambda r: grade(*(r[f"low, {rival}"] > 0 for rival in ("L1", "APoZ", "mean activation"))),
    ),
    Claim(
        id="C44",
        place="Abstract",
        statement="The method extends to other networks and tasks without difficulty",
        paper="not shown",
        measure="a residual network, and maps that are not square, beside the profile's own network",
        criterion="they run, and C15 and C18 hold there; in part: some",
        notebook=CONTROLS,
        figure="",
        judge=lambda r: grade(
            r["a residual network runs"], r["maps that are not square run"], r["C15 holds"], r["C18 holds"]
        ),
    ),
    Claim(
        id="C45",
        place="[ICLR]",
        statement="H falls with depth in a trained network, and is higher and flat in a random one",
        paper="last layer 1.87 trained, 2.87 random",
        measure=(
            "mean H of each convolution, B_max in proportion to the edges; network A, trained and with "
            "random weights"
        ),
        criterion=(
            "H of the trained network falls (tau with depth below 0); the random one lies above it in the "
            "studied layer, and falls less than half as much; in part: some"
        ),
        notebook=CONTROLS,
        figure="",
        judge=lambda r: grade(
            r["tau"] < 0,
            r["studied layer, random"] > r["studied layer, trained"],
            r["fall, random"] < r["fall, trained"] / 2,
        ),
    ),
    Claim(
        id="C46",
        place="[ICLR]",
        statement="Halving the weights' or images' scale leaves H, but not L1",
        paper="H 1.87/1.90/1.87/1.92; L1 29.5/14.7/14.6/7.2",
        measure=(
            "units whose H changes when kernel and bias of the layer are halved; L1, H with halved images"
        ),
        criterion="no unit changes with halved weights, while L1 does; in part: one of the two",
        notebook=CONTROLS,
        figure="",
        judge=lambda r: grade(r["units changed"] == 0, r["ratio of L1"] != 1),
    ),
    Claim(
        id="C47",
        place="[ICLR]",
        statement="H orders models by generalisation, and label noise lowers the rate",
        paper="not given",
        measure=(
            "Spearman correlation over models of mean H with the gap; Kendall's tau of the mean rate with "
            "the share of corrupted labels"
        ),
        criterion="above 0 with p < 0.05, and below 0; in part: one of the two",
        notebook=ROLES,
        figure="",
        judge=lambda r: grade(r["rho"] > 0 and r["p"] < 0.05, r["tau of the rate"] < 0),
        seeds=SEEDS,
    ),
)

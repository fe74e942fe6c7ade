"""C42 to C47: claims beyond one experiment, and those of the paper's later version."""

from .criteria_method import REVISED
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
        effect="correlation",
        resampled="classes; conditional on one network",
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
        effect="mean activation",
        resampled="classes and images; conditional on one network",
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
        effect="C15 holds",
        resampled="nothing: verdicts",
    ),
    Claim(
        id="C45",
        place="[ICLR]",
        statement="H falls with depth in a trained network, and is higher and flat in a random one",
        paper="last layer 1.87 trained, 2.87 random",
        measure=(
            "mean H of each layer of the studied kind minus that of structureless maps of its size, as many "
            "of them, B_max in proportion to the edges; network A, trained and with random weights"
        ),
        criterion=(
            "that of the trained network falls (tau with depth below 0); the random one lies above it in the "
            "studied layer, and falls less than half as much; in part: some"
        ),
        notebook=CONTROLS,
        figure="",
        judge=lambda r: grade(
            r["tau"] < 0,
            r["studied layer, random"] > r["studied layer, trained"],
            r["fall, random"] < r["fall, trained"] / 2,
        ),
        effect="tau",
        resampled="nothing: one network, images of one class",
        changed=REVISED,
    ),
    Claim(
        id="C46",
        place="[ICLR]",
        statement="Halving the weights' or images' scale leaves H, but not L1",
        paper="H 1.87/1.90/1.87/1.92; L1 29.5/14.7/14.6/7.2",
        measure=(
            "change of mean H when kernel and bias of the layer are halved, and when the images are halved "
            "behind the network's own standardisation, as shares; L1 of the layer and mean activation"
        ),
        criterion="both changes at most 5%, while L1 and mean activation change more; in part: one",
        notebook=CONTROLS,
        figure="",
        judge=lambda r: grade(
            abs(r["change by weights"]) <= 0.05 < abs(r["ratio of L1"] - 1),
            abs(r["change by images"]) <= 0.05 < abs(r["ratio of mean activation, images"] - 1),
        ),
        effect="change by images",
        resampled="nothing: one network, images of one class",
        construction=(
            "a network that standardises its images gets the same input from halved ones, and births do not "
            "see the scale of a map behind a ReLU: what is judged is behind the standardisation"
        ),
        changed=REVISED,
    ),
    Claim(
        id="C47",
        place="[ICLR]",
        statement="H orders models by generalisation, and label noise lowers the rate",
        paper="not given",
        measure=(
            "Spearman correlation of mean H with the gap over the models with true labels; Kendall's tau of "
            "the mean rate with the share of corrupted labels, over models of the same number of images"
        ),
        criterion="above 0 with p < 0.05, and below 0; in part: one of the two",
        notebook=ROLES,
        figure="",
        judge=lambda r: grade(r["rho"] > 0 and r["p"] < 0.05, r["tau of the rate"] < 0),
        effect="rho",
        resampled="models",
        seeds=SEEDS,
        changed=REVISED,
    ),
)

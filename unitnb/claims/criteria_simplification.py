"""C50 and C51: what the paper's abstract leads to and does not state, that the rank makes smaller networks.

They are ours. The abstract calls the roles "an excellent starting point for network construction and
simplification".
"""

from .grades import SIMPLIFICATION, Claim, grade, grade_if

OURS = "[ours]"
ADDED = "2026-11-29"
LOSS = 0.01  # of accuracy that a smaller network may cost

CLAIMS = (
    Claim(
        id="C50",
        place=OURS,
        statement="Simplification by E loses less accuracy than by magnitude at the same size",
        paper="not stated",
        measure=(
            "mean accuracy over the shares of units kept (area), all classes, test images, no training: E's "
            "minus each rival's, 95% intervals"
        ),
        criterion="interval above 0 for L1, APoZ and mean activation; in part: for some",
        notebook=SIMPLIFICATION,
        figure="fig7.png",
        judge=lambda r: grade(*(r[f"low, {rival}"] > 0 for rival in ("L1", "APoZ", "mean activation"))),
        effect="mean activation",
        resampled="classes and images; conditional on one network",
        changed=ADDED,
    ),
    Claim(
        id="C51",
        place=OURS,
        statement="Core units suffice",
        paper="not stated",
        measure=(
            "network of a class's core units alone: change of the class's accuracy and of balanced accuracy, "
            "mean over classes, on test images that did not choose them; share of the units that are core, "
            "median"
        ),
        criterion=(
            "accuracy and balanced accuracy fall by at most 0.01, with at most half of the units; in part: "
            "balanced accuracy falls more, or the core is larger"
        ),
        notebook=SIMPLIFICATION,
        figure="fig7b.png",
        judge=lambda r: grade_if(
            r["accuracy"] >= -LOSS, r["balanced accuracy"] >= -LOSS, r["share of the units"] <= 0.5
        ),
        effect="accuracy",
        resampled="classes; conditional on one network",
        changed=ADDED,
    ),
)

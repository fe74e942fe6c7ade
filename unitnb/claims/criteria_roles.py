"""C29 to C35 and C38 to C41: roles of units (Sec. 3.6)."""

from .criteria_method import REVISED
from .grades import ROLES, SEEDS, Claim, grade, negative, positive

OVER_SEEDS = "seeds (Student)"

CLAIMS = (
    Claim(
        id="C29",
        place="Table 1",
        statement="Four models of different generalisation",
        paper="training/test .58/.46, .78/.44, .77/.22, .95/.10",
        measure="training minus test accuracy of A, B, C, D, mean over classes, for each seed",
        criterion="gaps grow from A to D in each seed; in part: in some",
        notebook=ROLES,
        figure="table1.md",
        judge=lambda r: grade(
            *(a < b < c < d for a, b, c, d in zip(*(r[f"gap of {m}"] for m in "ABCD"), strict=True))
        ),
        effect="gap of D",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
    ),
    Claim(
        id="C30",
        place="Sec. 3.6",
        statement="Units fall into four roles by their effect on training and test images",
        paper="not given",
        measure=(
            "agreement of bootstraps beyond chance (kappa), mean over models and classes, for each seed"
        ),
        criterion="kappa at least 0.6 in each seed; in part: in some",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(*(kappa >= 0.6 for kappa in r["kappa"])),
        effect="kappa",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
        construction="the rule gives a role to every unit",
        changed=REVISED,
    ),
    Claim(
        id="C31",
        place="Fig. 5",
        statement="Core units stand at the head of the rank and help on both kinds of images",
        paper="not given",
        measure=(
            "rise of training and of test accuracy over the core, mean over classes, least of the models, "
            "for each seed"
        ),
        criterion="test accuracy rises in each seed; in part: in some",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(*(rise > 0 for rise in r["test"])),
        effect="test",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
        construction="the core is defined by a rise of training accuracy",
        changed=REVISED,
    ),
    Claim(
        id="C32",
        place="Fig. 5A",
        statement="Few units reach a peak above the full model; then a slow decline",
        paper="18 units",
        measure=(
            "model A: share of the units at the largest training accuracy, and how far it exceeds the "
            "full model's, place and height on different halves of the images, mean over classes, for "
            "each seed"
        ),
        criterion="at most 15% in each seed, and above 0 in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(max(r["place"]) <= 0.15, positive(r["above the full model"])),
        effect="above the full model",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C33",
        place="Fig. 5B",
        statement="Model B needs more units, but the first do most",
        paper="60 units, of which 20 do most",
        measure=(
            "models A and B: place of the held-out peak of training accuracy; share of the rise that the "
            "first third up to B's largest training accuracy brings"
        ),
        criterion="later than A, and share above 50%, in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(
            all(b > a for a, b in zip(r["place in A"], r["place in B"], strict=True)),
            min(r["first third"]) > 0.5,
        ),
        effect="first third",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C34",
        place="Fig. 5C, D",
        statement="Overfitted models: after the core, test accuracy falls while training accuracy rises",
        paper="not given",
        measure=(
            "models C and D: change of training and of test accuracy from the peak of test accuracy to "
            "the end, the peak chosen on other test images, mean over classes, for each seed"
        ),
        criterion="training at least 0, and test below 0, in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(min(r["training"]) >= 0, negative(r["test"])),
        effect="test",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C35",
        place="Sec. 3.6",
        statement="Overfitted units follow the core; test images show the turning point",
        paper="not given",
        measure=(
            "place of the largest test accuracy minus that of the largest training accuracy, models C and "
            "D, for each seed"
        ),
        criterion="below 0 (test earlier) in each seed; in part: in some",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(*(value < 0 for value in r["test minus training"])),
        effect="test minus training",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
    ),
    Claim(
        id="C38",
        place="Sec. 3.6",
        statement="Confusing units end the rank, and may be core for other classes",
        paper="not given",
        measure=(
            "mean place of the confusing units in the rank (0 the head, 1 the end), all models; model A: "
            "share of a class's last units that are among another class's first, and by chance, for each "
            "seed"
        ),
        criterion=(
            "place above 0.5, and some shared units (the paper says that they may be), in each seed; in "
            "part: one of the two"
        ),
        notebook=ROLES,
        figure="fig5d.png",
        judge=lambda r: grade(min(r["place"]) > 0.5, positive(r["share"])),
        effect="share",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C39",
        place="Sec. 3.6",
        statement="The peak of B is lower than that of A",
        paper="not given",
        measure=(
            "largest test accuracy of A and of B, place and height on different halves of the images, "
            "mean over classes, for each seed"
        ),
        criterion="B below A in each seed; in part: in some",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(*(b < a for a, b in zip(r["peak of A"], r["peak of B"], strict=True))),
        effect="peak of B",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C40",
        place="Sec. 3.6",
        statement="In a well-trained model training accuracy declines slowly as the rest is added",
        paper="not given",
        measure=(
            "change of training accuracy from its peak to the end, the peak chosen on other images, model "
            "A, and least of the others, mean over classes, for each seed"
        ),
        criterion="below 0 in A, and at least 0 in the others, in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(negative(r["slope in A"]), min(r["least slope in B, C, D"]) >= 0),
        effect="slope in A",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C41",
        place="Sec. 3.6",
        statement="Core units are few",
        paper="18 of 512 (3.5%), 60 of 512 (11.7%)",
        measure=(
            "share of the units in the core that the rule finds (the first of the spans), models A and B, "
            "mean over classes, for each seed"
        ),
        criterion="below 20% in both, in each seed; in part: in one",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(max(r["A"]) < 0.2, max(r["B"]) < 0.2),
        effect="A",
        resampled=OVER_SEEDS,
        seeds=SEEDS,
        changed=REVISED,
    ),
)

"""C29 to C41: roles of units (Sec. 3.6)."""

from .grades import ROLES, SEEDS, Claim, grade, grade_if, negative, positive

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
        seeds=SEEDS,
    ),
    Claim(
        id="C30",
        place="Sec. 3.6",
        statement="Units fall into four roles by their effect on training and test images",
        paper="not given",
        measure=(
            "units without a role; agreement of bootstraps beyond chance (kappa), mean over models and "
            "classes, for each seed"
        ),
        criterion="every unit has a role; kappa at least 0.6 in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(r["units without role"] == 0, min(r["kappa"]) >= 0.6),
        seeds=SEEDS,
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
        criterion="both above 0 in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(positive(r["training"]), positive(r["test"])),
        seeds=SEEDS,
    ),
    Claim(
        id="C32",
        place="Fig. 5A",
        statement="Few units reach a peak above the full model; then a slow decline",
        paper="18 units",
        measure=(
            "model A: share of the units at the largest training accuracy, and how far it exceeds the full "
            "model's, for each seed"
        ),
        criterion="at most 15%, and above 0, in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(max(r["place"]) <= 0.15, positive(r["above the full model"])),
        seeds=SEEDS,
    ),
    Claim(
        id="C33",
        place="Fig. 5B",
        statement="Model B needs more units, but the first do most",
        paper="60 units, of which 20 do most",
        measure=(
            "model B: place of the largest training accuracy against A's; share of the rise that the first "
            "third up to it brings"
        ),
        criterion="later than A, and share above 50%, in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(
            all(b > a for a, b in zip(r["place in A"], r["place in B"], strict=True)),
            min(r["first third"]) > 0.5,
        ),
        seeds=SEEDS,
    ),
    Claim(
        id="C34",
        place="Fig. 5C, D",
        statement="Overfitted models: after the core, test accuracy falls while training accuracy rises",
        paper="not given",
        measure=(
            "slope after the core on training and on test images, models C and D, mean over classes, for "
            "each seed"
        ),
        criterion="training at least 0, and test below 0, in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(min(r["training"]) >= 0, negative(r["test"])),
        seeds=SEEDS,
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
        seeds=SEEDS,
    ),
    Claim(
        id="C36",
        place="Sec. 3.6",
        statement="Training images alone show overfitting: accuracy goes on rising after the core",
        paper="not given",
        measure=(
            "Spearman correlation over models of that rise with the generalisation gap; the same for "
            "training accuracy itself"
        ),
        criterion=(
            "at least 8 models, above 0 with p < 0.05, and larger than the trivial predictor's; in part: no "
            "larger"
        ),
        notebook=ROLES,
        figure="fig5c.png",
        judge=lambda r: grade_if(
            r["models"] >= 8 and r["rho"] > 0 and r["p"] < 0.05, r["rho"] > abs(r["rho of training accuracy"])
        ),
        seeds=SEEDS,
    ),
    Claim(
        id="C37",
        place="Sec. 3.6",
        statement="Generalizing units show in well-trained models only",
        paper="not given",
        measure=(
            "Spearman correlation over models of the share of generalizing units with the generalisation gap"
        ),
        criterion="below 0 with p < 0.05; in part: below 0",
        notebook=ROLES,
        figure="table1.md",
        judge=lambda r: grade_if(r["rho"] < 0, r["p"] < 0.05),
        seeds=SEEDS,
    ),
    Claim(
        id="C38",
        place="Sec. 3.6",
        statement="Confusing units end the rank, and may be core for other classes",
        paper="not given",
        measure=(
            "model A: share of a class's last units that are among another class's first, for each seed; "
            "97.5% of random ranks lie below"
        ),
        criterion="above random ranks in each seed; in part: in some",
        notebook=ROLES,
        figure="fig5d.png",
        judge=lambda r: grade(*(s > c for s, c in zip(r["share"], r["by chance"], strict=True))),
        seeds=SEEDS,
    ),
    Claim(
        id="C39",
        place="Sec. 3.6",
        statement="The peak of B is lower than that of A",
        paper="not given",
        measure="largest training accuracy of A and of B, mean over classes, for each seed",
        criterion="B below A in each seed; in part: in some",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(*(b < a for a, b in zip(r["peak of A"], r["peak of B"], strict=True))),
        seeds=SEEDS,
    ),
    Claim(
        id="C40",
        place="Sec. 3.6",
        statement="In a well-trained model training accuracy declines slowly as the rest is added",
        paper="not given",
        measure=(
            "slope of training accuracy after the core, model A, and least of the others, mean over "
            "classes, for each seed"
        ),
        criterion="below 0 in A, and at least 0 in the others, in each seed; in part: one of the two",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(negative(r["slope in A"]), min(r["least slope in B, C, D"]) >= 0),
        seeds=SEEDS,
    ),
    Claim(
        id="C41",
        place="Sec. 3.6",
        statement="Core units are few",
        paper="18 of 512 (3.5%), 60 of 512 (11.7%)",
        measure="share of the units at the largest training accuracy, models A and B, target class",
        criterion="below 20% in both; in part: in one",
        notebook=ROLES,
        figure="fig5.png",
        judge=lambda r: grade(r["A"] < 0.2, r["B"] < 0.2),
    ),
)

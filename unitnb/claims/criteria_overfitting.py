"""C36, C37, C48 and C49: roles of units and generalisation, over models (Sec. 3.6)."""

from .criteria_method import REVISED
from .grades import ROLES, SEEDS, Claim, grade, grade_if

OVER_MODELS = "models"

CLAIMS = (
    Claim(
        id="C36",
        place="Sec. 3.6",
        statement="Training images alone show overfitting: accuracy goes on rising after the core",
        paper="not given",
        measure=(
            "Spearman correlation over models with the gap of the change of training accuracy behind the "
            "core, which is found on training images alone; the same for the training loss, and for "
            "training accuracy, of the whole layer"
        ),
        criterion=(
            "at least 8 models, above 0 with p < 0.05, and the interval of what it exceeds the training "
            "loss by, resampled over models, above 0; in part: without the last"
        ),
        notebook=ROLES,
        figure="fig5c.png",
        judge=lambda r: grade_if(
            r["models"] >= 8 and r["rho"] > 0 and r["p"] < 0.05, r["low, more than the loss"] > 0
        ),
        effect="rho",
        resampled=OVER_MODELS,
        seeds=SEEDS,
        changed=REVISED,
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
        effect="rho",
        resampled=OVER_MODELS,
        seeds=SEEDS,
    ),
    Claim(
        id="C48",
        place="Sec. 3.6",
        statement="The worse a model generalises, the more of its units are overfitted",
        paper="not given",
        measure=(
            "Spearman correlation over models of the share of overfitted units, mean over classes, with the "
            "gap; share with other training images in place of the test images (placebo)"
        ),
        criterion="above 0 with p < 0.05, and more such units than in the placebo; in part: one of the two",
        notebook=ROLES,
        figure="table1.md",
        judge=lambda r: grade(r["rho"] > 0 and r["p"] < 0.05, r["share"] > r["share, placebo"]),
        effect="rho",
        resampled=OVER_MODELS,
        seeds=SEEDS,
        changed=REVISED,
    ),
    Claim(
        id="C49",
        place="Sec. 3.6",
        statement="A well-trained model has many confusing units, one that generalises badly few",
        paper="not given",
        measure="Spearman correlation over models of the mean share of confusing units with the gap",
        criterion="below 0 with p < 0.05; in part: below 0",
        notebook=ROLES,
        figure="table1.md",
        judge=lambda r: grade_if(r["rho"] < 0, r["p"] < 0.05),
        effect="rho",
        resampled=OVER_MODELS,
        seeds=SEEDS,
        changed=REVISED,
    ),
)

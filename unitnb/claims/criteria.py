"""The paper's claims as data: what is said and where, what is measured, and the criterion, fixed before the measurement, as code.

A criterion sees the measured numbers by name, ``r["units"]``, and ``r["interval"]``; "never" (a threshold that is not reached) is infinity.
Where a criterion names several conditions, a claim of which only some are met holds in part; so does one that is met by some seeds only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

HOLDS, PART, FAILS, NOT = "holds", "holds in part", "does not hold", "not measured here"
VERDICTS = (HOLDS, PART, FAILS, NOT)
SEEDS = 3  # trained networks that a claim about models or training needs at least


@dataclass(frozen=True)
class Claim:
    """One claim: its place and number in the paper ([ICLR]: in the paper's later version), and how it is judged here."""

    id: str
    place: str
    statement: str
    paper: str
    measure: str
    criterion: str
    notebook: str
    figure: str
    judge: Callable[[Mapping], str]
    seeds: int = 0  # training seeds that it needs at least


def grade(*met) -> str:
    """The verdict from the conditions of a criterion: all, none, or some are met.

    >>> grade(True, True), grade(True, False), grade(False)
    ('holds', 'holds in part', 'does not hold')
    """
    return HOLDS if all(met) else PART if any(met) else FAILS


def first_of_all(necessary, *met) -> str:
    """As ``grade``, but nothing holds without the first condition."""
    return grade(necessary, *met) if necessary else FAILS


def positive(values) -> bool:
    return min(values) > 0


def negative(values) -> bool:
    return max(values) < 0


METHOD, TRAINING, ABLATION, STABILITY, ROLES, CONTROLS = (
    "01_method", "02_training", "03_ablation", "04_stability", "05_roles", "06_controls"
)  # fmt: skip

CLAIMS = (
    # ---- Sec. 2: feature topology ----
    Claim("C01", "Fig. 1", "Four top points span a complex with vertices and lines, but no face and no hole", "5 vertices, 4 lines",
          "the complex of four edges in a path; the later paper's four points (1,2), (4,3), (2,4), (3,1)",
          "exactly 5 vertices, 4 edges, no triangle, no hole; and the four points have their first hole at v = 4", METHOD, "fig1.png",
          lambda r: grade((r["vertices"], r["edges"], r["triangles"], r["holes"]) == (5, 4, 0, 0), r["hole of the four points"] == 4)),
    Claim("C02", "Sec. 1, 2.1", "Feature topology does not change under shift and scale", "not given",
          "maps whose birth point changes when the map is scaled (x 0.5, x 8), or shifted cyclically by (2, 2) and (2, 0)",
          "no birth changes under scale, none along the diagonal, none across it; in part: some of the three", METHOD, "fig1.png",
          lambda r: grade(r["changed by scale"] == 0, r["changed by (2, 2)"] == 0, r["changed by (2, 0)"] == 0)),
    Claim("C03", "Eq. 3", "Top sets of growing order are nested: a filtration", "not given",
          "edges present at each level among those at the next, on maps of the network", "nested in every map", METHOD, "fig2a.png",
          lambda r: grade(r["maps"] > 0 and r["not nested"] == 0)),
    Claim("C04", "Def. 2", "The birth point is the smallest v with a hole; none above B_max", "B_max = 50",
          "the fast rule against GUDHI's persistence, on maps of the network and on random ones, half of them with ties",
          "the same birth in every map, and none above B_max", METHOD, "fig2a.png",
          lambda r: grade(r["maps"] > 0 and r["other than GUDHI"] == 0, r["above B_max"] == 0)),
    Claim("C05", "Sec. 2.2", "The more concentrated the birth points, the better the unit", "not given",
          "Spearman correlation over units of 1/H with the loss that a unit's removal adds (single ablation), in each class; 95% bootstrap",
          "above 0, interval excluded, in more than half of the classes; and also with the rate partialled out; in part: one of the two",
          CONTROLS, "fig6f.png",
          lambda r: grade(r["classes above 0"] > r["classes"] / 2, r["classes above 0 given the rate"] > r["classes"] / 2)),
    # ---- Sec. 2.3, 3.1-3.3: training ----
    Claim("C06", "Sec. 2.3", "Untrained units give chaotic maps: their entropy is high", "not given",
          "mean H at epoch 0 minus at the end, for each seed, mean over classes; 95% interval over seeds and classes",
          "above 0 in each seed, and the interval excludes 0; in part: one of the two", TRAINING, "fig2.png",
          lambda r: grade(positive(r["fall of H"]), r["interval"][0] > 0), SEEDS),
    Claim("C07", "Sec. 3.1", "One class is enough to show the phenomena", "one class",
          "share of seeds and classes in which H, the rate and E change in the same direction, and the accuracy of A peaks before its end",
          "at least 10 classes, and at least 90% agree, for each of the four; in part: for some of them", TRAINING, "fig2.png",
          lambda r: grade(*(r["classes"] >= 10 and r[name] >= 0.9 for name in ("H", "rate", "E", "early peak"))), SEEDS),
    Claim("C08", "Sec. 3.2", "The procedure is fully automatic", "14 vertices, 91 elements, 512 histograms of 100 images",
          "one command gives the histograms of all units for each seed's network",
          "14 vertices, 91 edges and 100 images a histogram; in part: some of the numbers", TRAINING, "fig2a.png",
          lambda r: grade(r["vertices"] == 14, r["edges"] == 91, r["images"] == 100), SEEDS),
    Claim("C09", "Fig. 2A", "Units have a birth point in some images only", "unit 133: 26% of the images",
          "share of the units with 0 < rate < 1, for each seed, mean over classes", "above 0 in each seed", TRAINING, "fig2a.png",
          lambda r: grade(*(share > 0 for share in r["share of units"])), SEEDS),
    Claim("C10", "Fig. 2B", "The birth points of all units concentrate during training", "not given",
          "Kendall's tau with the epoch of the entropy of all birth points together, for each seed, mean over classes",
          "below 0 in each seed; in part: in some", TRAINING, "fig2.png", lambda r: grade(*(tau < 0 for tau in r["tau"])), SEEDS),
    Claim("C11", "Fig. 2C", "H and training loss fall alike, both most in the first epoch", "not given",
          "correlation of mean H with the loss over the epochs, and the first epoch's share of each fall, for each seed",
          "correlation above 0.8, and both shares above 30%, in each seed; in part: one of the two", TRAINING, "fig2.png",
          lambda r: grade(min(r["correlation"]) > 0.8, min(r["first epoch, H"]) > 0.3 and min(r["first epoch, loss"]) > 0.3), SEEDS),
    Claim("C12", "Sec. 3.3", "Training shuffles the units, so following one by its index means nothing", "not given",
          "Spearman correlation of E between successive epochs by index, mean over epochs and classes; 97.5% of permuted ones lie below",
          "not above permuted indices in each seed; in part: in some", TRAINING, "fig2.png",
          lambda r: grade(*(value <= r["permuted"] for value in r["correlation"])), SEEDS),
    Claim("C13", "Fig. 2D", "The selective rate falls during training", "not given",
          "Kendall's tau of the mean rate with the epoch, for each seed, mean over classes", "below 0 in each seed; in part: in some",
          TRAINING, "fig2.png", lambda r: grade(*(tau < 0 for tau in r["tau"])), SEEDS),
    Claim("C14", "Fig. 2D", "Effectiveness falls likewise, and more units become unimportant", "not given",
          "Kendall's tau with the epoch of mean E, and of the share of units with E = 0, for each seed, mean over classes",
          "below 0, and above 0, in each seed; in part: one of the two", TRAINING, "fig2.png",
          lambda r: grade(negative(r["tau of E"]), positive(r["tau of E = 0"])), SEEDS),
    # ---- Sec. 3.4: ablation ----
    Claim("C15", "Fig. 3A", "Best units removed first: accuracy falls at once", "0.58 to 0.09 after 17 of 512 units (3.3%)",
          "share of the units after which 85% of the accuracy is lost; median of random orders",
          "at most 10% of the units, and less than a third of the random orders' median; in part: one of the two", ABLATION, "fig3.png",
          lambda r: grade(r["units"] <= 0.1, r["units"] < r["random orders"] / 3)),
    Claim("C16", "Fig. 3A", "The loss jumps, then climbs to a peak", "8.53", "place of the largest loss, as a share of the units removed",
          "neither at the start nor at the end, nor is the end of its interval; in part: without the interval", ABLATION, "fig3.png",
          lambda r: first_of_all(0 < r["place"] < 1, 0 < r["interval"][0] and r["interval"][1] < 1)),
    Claim("C17", "Fig. 3A", "The peak of the loss exceeds the loss of the empty layer", "8.53 against 7.26",
          "peak of the loss minus the empty layer's, in nats; on test images at the place of the training images' peak",
          "interval above 0 on training and on test images; in part: on training images only", ABLATION, "fig3.png",
          lambda r: first_of_all(r["interval"][0] > 0, r["low, on test images"] > 0)),
    Claim("C18", "Fig. 3B", "Worst units removed first: accuracy rises", "0.58 to 0.92 with 96% removed",
          "largest accuracy minus the whole layer's, and the share of the units removed there",
          "interval above 0, and at 80% removed or later; in part: one of the two", ABLATION, "fig3.png",
          lambda r: grade(r["interval"][0] > 0, r["removed"] >= 0.8)),
    Claim("C19", "Fig. 3B", "Then it collapses within few units", "to 0 within 17 units (3.3%)",
          "share of the units between 90% and 10% of the largest accuracy", "at most 10%", ABLATION, "fig3.png",
          lambda r: grade(r["width"] <= 0.1)),
    Claim("C20", "Fig. 3B", "The loss shows the same transition", "not given",
          "distance of the smallest loss from the largest accuracy, as a share of the units", "at most 5%", ABLATION, "fig3.png",
          lambda r: grade(r["distance"] <= 0.05)),
    Claim("C21", "Fig. 3C", "The transition is found in all classes", "all sampled classes",
          "share of the classes with rise (C18), with collapse (C19), with both",
          "both in at least 90%; in part: one of them in at least 90%", ABLATION, "fig3.png",
          lambda r: grade(r["rise"] >= 0.9, r["collapse"] >= 0.9, r["both"] >= 0.9)),
    Claim("C22", "Sec. 3.4", "The bulk of the units is dispensable", "96% of the units",
          "accuracy after removing the worse half of the units, minus the whole layer's",
          "not below 0; in part: below 0, but its interval reaches 0", ABLATION, "fig3.png",
          lambda r: first_of_all(r["interval"][1] >= 0, r["change"] >= 0)),
    # ---- Sec. 3.5: stability ----
    Claim("C23", "Fig. 4A", "Curves by IR_100 and IR_1000 are nearly equal", "nearly no difference",
          "difference of the areas under the curves on S_100, S_1000 and S_val, with 95% intervals",
          "the interval holds 0 on all three sets; in part: on some", STABILITY, "fig4.png",
          lambda r: grade(*(r[f"low, {s}"] <= 0 <= r[f"high, {s}"] for s in ("S_100", "S_1000", "S_val")))),
    Claim("C24", "Fig. 4A", "The curve by IR_val drops slower", "not given",
          "area by IR_val minus area by IR_100 on three sets; ranks of as many training images that drop faster than IR_val",
          "interval above 0 on all three sets, and slower than 95% of the ranks of equal size on S_100 and S_val; in part: one of the two",
          STABILITY, "fig4.png",
          lambda r: grade(min(r[f"low, {s}"] for s in ("S_100", "S_1000", "S_val")) > 0,
                          min(r["slower than, S_100"], r["slower than, S_val"]) >= 0.95)),
    Claim("C25", "Fig. 4B", "The mean rank over 100 sets is almost IR_100 and IR_1000", "100 sets of 100 images",
          "area by the mean rank minus areas by IR_100 and IR_1000, on S_1000, with 95% intervals",
          "both intervals hold 0; in part: one", STABILITY, "fig4.png",
          lambda r: grade(*(r[f"low, {s}"] <= 0 <= r[f"high, {s}"] for s in ("IR_100", "IR_1000")))),
    Claim("C26", "Fig. 4C", "Votes concentrate as the sets grow", "at 500 images nearly the same 15 units",
          "Kendall's tau with the size of the sets of the votes for the 15 most voted units; the same for disjoint sets",
          "above 0 for both; in part: for one", STABILITY, "fig4.png", lambda r: grade(r["tau"] > 0, r["tau, disjoint sets"] > 0)),
    Claim("C27", "Fig. 4D", "Eq. 14 exceeds 90% from small sets of images on", "0.9 from sets of 100 of 1,000 on",
          "smallest K with a ratio above 0.9; the same for disjoint sets", "at most a fifth of the pool, for both; in part: for one",
          STABILITY, "fig4.png", lambda r: grade(r["K"] <= r["pool"] / 5, r["K, disjoint sets"] <= r["pool"] / 5)),
    Claim("C28", "Sec. 3.5", "Small subsets are enough", "not given",
          "Kendall's tau with IR_1000 over K: total rise, and rise over the larger half of the sizes",
          "tau rises, and the larger half brings less than half of the rise (a plateau); in part: one of the two", STABILITY, "fig4.png",
          lambda r: grade(r["rise of tau"] > 0, r["rise over the larger half"] < r["rise of tau"] / 2)),
    # ---- Sec. 3.6: roles ----
    Claim("C29", "Table 1", "Four models of different generalisation", "training/test .58/.46, .78/.44, .77/.22, .95/.10",
          "training minus test accuracy of A, B, C, D, mean over classes, for each seed",
          "gaps grow from A to D in each seed; in part: in some", ROLES, "table1.md",
          lambda r: grade(*(a < b < c < d for a, b, c, d in zip(*(r[f"gap of {m}"] for m in "ABCD"), strict=True))), SEEDS),
    Claim("C30", "Sec. 3.6", "Units fall into four roles by their effect on training and test images", "not given",
          "units without a role; agreement of bootstraps beyond chance (kappa), mean over models and classes, for each seed",
          "every unit has a role; kappa at least 0.6 in each seed; in part: one of the two", ROLES, "fig5.png",
          lambda r: grade(r["units without role"] == 0, min(r["kappa"]) >= 0.6), SEEDS),
    Claim("C31", "Fig. 5", "Core units stand at the head of the rank and help on both kinds of images", "not given",
          "rise of training and of test accuracy over the core, mean over classes, least of the models, for each seed",
          "both above 0 in each seed; in part: one of the two", ROLES, "fig5.png",
          lambda r: grade(positive(r["training"]), positive(r["test"])), SEEDS),
    Claim("C32", "Fig. 5A", "Few units reach a peak above the full model; then a slow decline", "18 units",
          "model A: share of the units at the largest training accuracy, and how far it exceeds the full model's, for each seed",
          "at most 15%, and above 0, in each seed; in part: one of the two", ROLES, "fig5.png",
          lambda r: grade(max(r["place"]) <= 0.15, positive(r["above the full model"])), SEEDS),
    Claim("C33", "Fig. 5B", "Model B needs more units, but the first do most", "60 units, of which 20 do most",
          "model B: place of the largest training accuracy against A's; share of the rise that the first third up to it brings",
          "later than A, and share above 50%, in each seed; in part: one of the two", ROLES, "fig5.png",
          lambda r: grade(all(b > a for a, b in zip(r["place in A"], r["place in B"], strict=True)), min(r["first third"]) > 0.5), SEEDS),
    Claim("C34", "Fig. 5C, D", "Overfitted models: after the core, test accuracy falls while training accuracy rises", "not given",
          "slope after the core on training and on test images, models C and D, mean over classes, for each seed",
          "training at least 0, and test below 0, in each seed; in part: one of the two", ROLES, "fig5.png",
          lambda r: grade(min(r["training"]) >= 0, negative(r["test"])), SEEDS),
    Claim("C35", "Sec. 3.6", "Overfitted units follow the core; test images show the turning point", "not given",
          "place of the largest test accuracy minus that of the largest training accuracy, models C and D, for each seed",
          "below 0 (test earlier) in each seed; in part: in some", ROLES, "fig5.png",
          lambda r: grade(*(value < 0 for value in r["test minus training"])), SEEDS),
    Claim("C36", "Sec. 3.6", "Training images alone show overfitting: accuracy goes on rising after the core", "not given",
          "Spearman correlation over models of that rise with the generalisation gap; the same for training accuracy itself",
          "at least 8 models, above 0 with p < 0.05, and larger than the trivial predictor's; in part: no larger", ROLES, "fig5c.png",
          lambda r: first_of_all(r["models"] >= 8 and r["rho"] > 0 and r["p"] < 0.05,
                                 r["rho"] > abs(r["rho of training accuracy"])), SEEDS),
    Claim("C37", "Sec. 3.6", "Generalizing units show in well-trained models only", "not given",
          "Spearman correlation over models of the share of generalizing units with the generalisation gap",
          "below 0 with p < 0.05; in part: below 0", ROLES, "table1.md", lambda r: first_of_all(r["rho"] < 0, r["p"] < 0.05), SEEDS),
    Claim("C38", "Sec. 3.6", "Confusing units end the rank, and may be core for other classes", "not given",
          "model A: share of a class's last units that are among another class's first, for each seed; 97.5% of random ranks lie below",
          "above random ranks in each seed; in part: in some", ROLES, "fig5d.png",
          lambda r: grade(*(s > c for s, c in zip(r["share"], r["by chance"], strict=True))), SEEDS),
    Claim("C39", "Sec. 3.6", "The peak of B is lower than that of A", "not given",
          "largest training accuracy of A and of B, mean over classes, for each seed", "B below A in each seed; in part: in some",
          ROLES, "fig5.png", lambda r: grade(*(b < a for a, b in zip(r["peak of A"], r["peak of B"], strict=True))), SEEDS),
    Claim("C40", "Sec. 3.6", "In a well-trained model training accuracy declines slowly as the rest is added", "not given",
          "slope of training accuracy after the core, model A, and least of the others, mean over classes, for each seed",
          "below 0 in A, and at least 0 in the others, in each seed; in part: one of the two", ROLES, "fig5.png",
          lambda r: grade(negative(r["slope in A"]), min(r["least slope in B, C, D"]) >= 0), SEEDS),
    Claim("C41", "Sec. 3.6", "Core units are few", "18 of 512 (3.5%), 60 of 512 (11.7%)",
          "share of the units at the largest training accuracy, models A and B, target class", "below 20% in both; in part: in one",
          ROLES, "fig5.png", lambda r: grade(r["A"] < 0.2, r["B"] < 0.2)),
    # ---- beyond one experiment ----
    Claim("C42", "Abstract", "The rank is specific to the class", "not given",
          "rank correlation of E within a class minus between classes; accuracy lost by the class whose rank it is minus by the others",
          "both intervals over classes above 0; in part: one", ROLES, "fig5d.png",
          lambda r: grade(r["low, correlation"] > 0, r["low, damage"] > 0)),
    Claim("C43", "Sec. 1", "Criteria of magnitude are inferior", "no comparison made",
          "area between the two orders of removal (balanced accuracy, test images, all classes): E's minus each rival's, 95% intervals",
          "interval above 0 for L1, APoZ and mean activation; in part: for some", CONTROLS, "fig6a.png",
          lambda r: grade(*(r[f"low, {rival}"] > 0 for rival in ("L1", "APoZ", "mean activation")))),
    Claim("C44", "Abstract", "The method extends to other networks and tasks without difficulty", "not shown",
          "a residual network, and maps that are not square, beside the profile's own network",
          "they run, and C15 and C18 hold there; in part: some", CONTROLS, "",
          lambda r: grade(r["a residual network runs"], r["maps that are not square run"], r["C15 holds"], r["C18 holds"])),
    Claim("C45", "[ICLR]", "H falls with depth in a trained network, and is higher and flat in a random one",
          "last layer 1.87 trained, 2.87 random",
          "mean H of each convolution, B_max in proportion to the edges; network A, trained and with random weights",
          "H of the trained network falls (tau with depth below 0); the random one lies above it in the studied layer, and falls less than "
          "half as much; in part: some", CONTROLS, "",
          lambda r: grade(r["tau"] < 0, r["studied layer, random"] > r["studied layer, trained"],
                          r["fall, random"] < r["fall, trained"] / 2)),
    Claim("C46", "[ICLR]", "Halving the weights' or images' scale leaves H, but not L1", "H 1.87/1.90/1.87/1.92; L1 29.5/14.7/14.6/7.2",
          "units whose H changes when kernel and bias of the layer are halved; L1, H with halved images",
          "no unit changes with halved weights, while L1 does; in part: one of the two", CONTROLS, "",
          lambda r: grade(r["units changed"] == 0, r["ratio of L1"] != 1)),
    Claim("C47", "[ICLR]", "H orders models by generalisation, and label noise lowers the rate", "not given",
          "Spearman correlation over models of mean H with the gap; Kendall's tau of the mean rate with the share of corrupted labels",
          "above 0 with p < 0.05, and below 0; in part: one of the two", ROLES, "",
          lambda r: grade(r["rho"] > 0 and r["p"] < 0.05, r["tau of the rate"] < 0), SEEDS),
)  # fmt: skip
BY_ID = {claim.id: claim for claim in CLAIMS}

# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5. Four roles of units
#
# **Question** (Sec. 3.6, Fig. 5, Table 1). Insert the units in the order of their importance. Which help on training images, which on test images?
#
# **What the paper says.** *Core* units come first and help both; *overfitted* units help training images and hurt test images; *generalizing* units help test
# images only; *confusing* units help neither. A well-trained network has few core units, hardly any overfitted and many confusing ones; networks that
# generalise badly have many overfitted units.
#
# **What you will do.** For four models of falling generalisation, rank the units on 100 training images, insert them one by one, and let a rule (change
# points of the curves, signs of their slopes with bootstrap intervals) give each unit a role. Then ask whether the roles survive when false positives count, whether they
# belong to the unit or to its place in the order, whether training data alone show overfitting, and whether the ranks are class specific. The notebook runs for
# about a minute.

# %% [markdown]
# 1. [Roles, by hand](#Roles,-by-hand)
# 2. [Insertion curves of four models](#Insertion-curves-of-four-models), [Figure 5](#Figure-5) and [Table 1](#Table-1)
# 3. [Of the unit, or of its place?](#Do-the-roles-survive-when-false-positives-count?-Do-they-belong-to-the-unit?-(Figure-5B))
# 4. [Overfitting from training data alone](#Can-overfitting-be-seen-from-training-data-alone?-(Figure-5C))
# 5. [Is the rank class specific?](#Is-the-rank-class-specific?-(Figure-5D))
# 6. [Facts](#What-was-found,-beside-what-the-paper-says) and [verdicts](#Verdicts)
#
# Effectiveness is that of [01_method](01_method.ipynb), curves and balanced accuracy those of [03_ablation](03_ablation.ipynb), here read from the empty layer to the full one.

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import numpy as np
from IPython.display import Markdown, display

import unitnb
from unitnb.figures import fig5_roles as figures
from unitnb.figures import words
from unitnb.roles.by_place import ROLES

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
models, not_trained = unitnb.trained_models(p)
print(f"class '{p.target_class}', models {', '.join(models)}{not_trained}")

# %% [markdown]
# ## Roles, by hand
#
# Insert units in the order of the rank and look at training accuracy $a$ and test accuracy $b$ after each. A stretch of units has a role by what both do along it:
#
# | | test accuracy rises | test accuracy neither rises nor falls | test accuracy falls |
# | --- | --- | --- | --- |
# | **training accuracy rises** | core | core | overfitted |
# | **training accuracy does not** | generalizing | confusing | confusing |
#
# Six units, one after another: $a = 0.1, 0.6, 0.8, 0.9, 1.0, 1.0, 0.9$ and $b = 0.1, 0.5, 0.6, 0.5, 0.4, 0.4, 0.4$. The first two lift both: core. The next two lift training accuracy and cost test accuracy: overfitted. The last two lift
# neither: confusing. Real curves are noisy, so the rule first cuts them into stretches (change points) and asks of each slope whether its bootstrap interval leaves zero. Not to see a rise on test images is no harm: overfitted are units by which test accuracy is *seen* to fall.
#
# How many roles are noise? As a *placebo*, other training images take the place of the test images: nothing that is found overfitted or generalizing there is either.
#
# But a place in the order is not a unit. What does a unit bring, whatever is there before it? Let a layer have the units $u$ and $v$, with accuracy 0.1 without both, 0.5 with $u$, 0.1 with $v$, 0.7 with both. Entering first or second, $u$
# brings 0.4 or 0.6, on average 0.5; $v$ brings 0 or 0.2, on average 0.1. These means over all orders are *Shapley values*; they share out the whole gain, $0.5 + 0.1 = 0.7 - 0.1$.

# %% [markdown]
# ## Insertion curves of four models
#
# A is regularised (dropout, weight decay), B is not, C sees a fraction of the data, D a fraction of the data with corrupted labels. For each, $S_{100}$ is drawn from the
# images that it was trained on, under the labels that it was told. There are as many test images as training images, so that a change on them is seen as easily. Where curves have `knots`, as in 03, a unit's own effect is that of its stretch, less what
# the other units of the stretch bring on average.

# %%
runs, placebos, balanced, effects, samples = {}, {}, {}, {}, []
for model in models:
    split = unitnb.open_layer(p, model)
    knots = unitnb.curve_knots(p, split)
    drawn = {name: sample for name, sample in unitnb.role_samples(images, p, model).items() if sample is not None}
    samples += drawn.values()
    own = {name: split.feature_maps(sample.images) for name, sample in drawn.items()}
    others = {name: split.feature_maps(unitnb.sample_others(images, p, name, model).images) for name in ("S_100", "S_val")}
    rank = unitnb.importance_rank(unitnb.effectiveness(unitnb.birth_points(own["S_100"], b_max=p.b_max), p=p.effective_threshold))
    label, size = images.class_index(p.target_class), len(drawn["test"])
    maps = {"S_100": (own["S_100"][:size], others["S_100"]), "test": (own["test"], others["S_val"])}
    curves = [unitnb.ablation_curve(split, *pair[:1], label, rank, mode="insert", negatives=pair[1], knots=knots) for pair in maps.values()]
    runs[model] = (*curves, unitnb.categorise_roles(rank, *curves, seed=p.seed))
    placebo = unitnb.ablation_curve(split, own["placebo"], label, rank, mode="insert", knots=knots) if "placebo" in own else None
    placebos[model] = unitnb.placebo_roles(rank, curves[0], placebo, seed=p.seed)
    balanced[model] = (*curves, unitnb.categorise_roles(rank, *(curve.answers for curve in curves), seed=p.seed))
    orders = [np.random.default_rng([p.seed, k]).permutation(split.n_units) for k in range(2 * p.n_random)]
    entering = [unitnb.ablation_curves(split, own, label, orders, mode="insert", knots=knots) for own, _ in maps.values()]
    marginals = [unitnb.marginal_effects(orders, [curve.accuracy for curve in group], group[0].evaluated) for group in entering]
    effects[model] = (marginals[0][0], marginals[1][0], unitnb.roles_from_marginals(*marginals))

# %% [markdown]
# ## Figure 5

# %%
figure = figures.roles_figure(runs)
unitnb.save_figure(p, "fig5", figure, notebook="05_roles", samples=samples)

# %% [markdown]
# **Figure 5.** A to D: the four models. Above accuracy, below loss on the images of the class, as units are inserted, most important first; full lines are training images, dashed lines test images, bands hold 95% of bootstrap resamples of the images, point by point. The strip under accuracy has the role of each stretch of units.
#
# What to see: how soon model A is at its peak and how slowly it then declines; in B to D, where test accuracy turns down while training accuracy goes on rising (the paper's overfitted units). What would refute the paper: curves
# of training and test images that turn at the same places in models that overfit; roles that other samples of images do not repeat (*agreement of bootstraps* in the table below).

# %% [markdown]
# ## Table 1
#
# Accuracy of the whole network on the images of the class, and how many units play each role; beside it the placebo, with other training images in place of the test images (halves of $S_{100}$ where a model has no others). Below, where many
# networks were measured, the shares of the roles as means over classes and seeds, with the least and the greatest seed.

# %%
paper = {"A": (0.58, 0.46), "B": (0.78, 0.44), "C": (0.77, 0.22), "D": (0.95, 0.10)}
rows = [
    [model, *(f"{a:.2f}" for a in paper[model]), f"{train.accuracy[-1]:.2f}", f"{test.accuracy[-1]:.2f}", *roles.counts.values(), " / ".join(str(n) for n in placebos[model].counts.values()), f"{roles.agreement.mean():.2f}"]
    for model, (train, test, roles) in runs.items()
]
header = ["model", "paper: training", "paper: test", "here: training", "here: test", *ROLES, "placebo: the same four", "agreement of bootstraps"]
stored = unitnb.model_results(p)
note = words.points_note(next(iter(runs.values()))[0])
table = "\n\n".join([words.table(header, rows) + not_trained + note, *([unitnb.role_shares_table(*stored)] if stored else [])])
unitnb.save_table(p, "table1", table, notebook="05_roles")
display(Markdown(table))

# %% [markdown]
# ## Do the roles survive when false positives count? Do they belong to the unit? (Figure 5B)
#
# Above, insertion curves of *balanced* accuracy, the mean of the share of the class's images that get its name and the share of other classes' images that do not, over the roles
# that the same rule gives to them. Below, each unit by itself: the mean change of training and of test accuracy when it enters a layer that is being filled in random order (a
# sampled Shapley value), marked by the role that the signs of these two effects give it.

# %%
figure = figures.balanced_roles_figure(balanced, effects)
unitnb.save_figure(p, "fig5b", figure, notebook="05_roles", samples=samples)
rows = []
for model, (_, _, roles) in runs.items():
    by_balance, by_unit = balanced[model][2].role, effects[model][2]
    (same, kappa), (same_unit, kappa_unit) = unitnb.role_agreement(roles.role, by_balance), unitnb.role_agreement(roles.role, by_unit)
    counts = [" / ".join(str(int((found == role).sum())) for role in ROLES) for found in (roles.role, by_balance, by_unit)]
    rows.append([model, *counts, f"{same:.0%} ({kappa:.1f})", f"{same_unit:.0%} ({kappa_unit:.1f})"])
header = ["model", "by place, accuracy (core / overfitted / generalizing / confusing)", "by place, balanced accuracy", "by unit", "place and balanced agree (kappa)", "place and unit agree (kappa)"]
comparison = words.table(header, rows) + note
unitnb.save_table(p, "table1b", comparison, notebook="05_roles")
display(Markdown(comparison))

# %% [markdown]
# **Figure 5b** (ours). A to D: the four models. Above: balanced accuracy as units are inserted, most important first, with the roles by this curve as a strip. Below: each unit by itself, its mean effect on training and on test accuracy in percentage points, marked by its role.

# %% [markdown]
# ## Can overfitting be seen from training data alone? (Figure 5C)
#
# The paper says so: if training accuracy goes on rising after the core units, the model overfits. The core is found here on the training curve alone. The trivial rivals predict the gap from training loss and accuracy themselves. Many
# models are needed: the four, the same with other seeds, and grades in between (`make train EXTRA=1`; only what was measured on them is kept). Each point is a model, mean over the
# classes; where nothing is kept, the four models above on the one class.

# %%
measured, results = stored or unitnb.results_of(runs)
signs = unitnb.overfitting_signs(results)
figure = figures.overfitting_figure(measured, signs, list(p.models))
unitnb.save_figure(p, "fig5c", figure, notebook="05_roles")
print(f"{len(measured)} models, {results['train'].shape[1]} of {len(images.classes)} classes")
predictors = {"slope": ("change of training accuracy after the core", "predicts it"), "train_loss": ("training loss", "not compared"), "train_accuracy": ("training accuracy", "not compared")}
rows = [[name, said, unitnb.spearman_text(signs[key], signs["gap"])] for key, (name, said) in predictors.items()]
display(Markdown(words.table(["with the gap", "the paper", "rank correlation here"], rows)))

# %% [markdown]
# **Figure 5c** (ours). The gap, training accuracy minus test accuracy, over two numbers from training images alone: how much training accuracy changes after the core units (A), and training accuracy itself (B). Each point is a model: the letter is its recipe, a digit the seed of its training.

# %% [markdown]
# ## Is the rank class specific? (Figure 5D)
#
# Left: rank correlation of effectiveness between classes, model A; on the diagonal, between two disjoint samples of the same class. Right: the accuracy that the images of each class
# lose while the units are removed in the order of a class's rank, mean over the whole removal. If ranks are class specific, the diagonals stand out.

# %%
split = unitnb.open_layer(p, "A")
every = unitnb.class_maps(images, p, split)
scores = {kind: np.array([unitnb.effectiveness(unitnb.birth_points(every.maps[kind][name], b_max=p.b_max), p=p.effective_threshold) for name in images.classes]) for kind in ("ranking", "train")}
correlations = unitnb.rank_correlations(np.vstack([scores["ranking"], scores["train"]]))[: len(images.classes), len(images.classes) :]
ranks = np.array([unitnb.importance_rank(score) for score in scores["ranking"]])
places = np.repeat(np.arange(len(images.classes)), p.n_rank)
curves = unitnb.ablation_curves(split, np.concatenate(list(every.maps["train"].values())), np.array(images.class_labels)[places], list(ranks), knots=unitnb.curve_knots(p, split))
head = round(0.117 * split.n_units)  # the paper's larger core: 60 of 512 units (model B)
damage = unitnb.damage_matrix(curves, places)
figure = figures.class_matrices_figure(correlations, damage, images.classes)
unitnb.save_figure(p, "fig5d", figure, notebook="05_roles", samples=every.samples)
own, others = np.diag(correlations), correlations[~np.eye(len(ranks), dtype=bool)]
hit, missed = np.diag(damage), damage[~np.eye(len(ranks), dtype=bool)]
share, low, high = unitnb.shared_tails(ranks, head, head)
by_own = (damage.argmax(axis=0) == np.arange(len(ranks))).sum()
facts = [
    ["rank correlation", "ranks are class specific", f"{own.mean():.1f} within a class, {others.mean():.1f} between classes"],
    ["accuracy lost", "by the class whose rank it is", f"{hit.mean():.2f} by the class itself, {missed.mean():.2f} by others"],
    ["classes that lose most by their own rank", "all", f"{by_own} of {len(ranks)}"],
    [f"the last {head} units", "some are core for others", f"{share:.0%} are among another class's first {head}; by chance {low:.0%} to {high:.0%}"],
]
display(Markdown(words.table(["", "the paper", "here"], facts)))

# %% [markdown]
# **Figure 5d** (ours). A: rank correlation of effectiveness between classes; on the diagonal, between two samples of one class. B: accuracy that the images of a class (columns) lose while units are removed by the rank of a class (rows), mean over the removal. Numbers are without the zero before the point.

# %% [markdown]
# ## What was found, beside what the paper says

# %%
rows = []
for model, (train, test, roles) in runs.items():
    units, (m_train, top_train), (m_test, top_test) = len(roles.role), train.peak(), test.peak()
    peaks = [f"{top:.2f} at {at / units:.0%} (whole {whole:.2f})" for top, at, whole in ((top_train, m_train, train.accuracy[-1]), (top_test, m_test, test.accuracy[-1]))]
    rows.append([model, f"{train.accuracy[-1] - test.accuracy[-1]:+.2f}", f"{roles.core_size} of {units}", *peaks])
display(Markdown(words.table(["model", "gap", "core units", "training peak, with these units inserted", "test peak"], rows)))
said = {"overfitted": "more, the worse a model generalises", "generalizing": "only in well-trained models", "confusing": "many in well-trained models"}
rows = [[role, sentence, ", ".join(f"{model} {roles.counts[role]}" for model, (_, _, roles) in runs.items())] for role, sentence in said.items()]
display(Markdown(words.table(["units", "the paper", "here"], rows)))

# %% [markdown]
# ## Verdicts
#
# What speaks of models is judged over at least three training seeds of each recipe and all classes, from results that `make train EXTRA=1` stores; of fewer the numbers stand in the ledger, as *one training only*.

# %%
display(Markdown(unitnb.record_claims(p, "05_roles", unitnb.role_seed_claims(p, runs) | {"C42": unitnb.class_claim(correlations, damage)})))

# %% [markdown]
# You have seen which role each unit plays by the paper's rule, how much of that is noise, and whether a role belongs to the unit or to its place in the order. All of it was by the rank of $E$. Next, [06_controls](06_controls.ipynb) asks what of all this is due to the topology.
#
# ## References
#
# - L. S. Shapley, *A value for n-person games*, Contributions to the Theory of Games 2 (1953): what a unit brings, over all orders.
# - J. Cohen, *A coefficient of agreement for nominal scales*, Educational and Psychological Measurement 20 (1960): kappa, agreement of roles beyond chance.
# - C. Truong, L. Oudre, N. Vayatis, *Selective review of offline change point detection methods*, Signal Processing 167 (2020): the stretches.

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
# # 3. Removing units one by one
#
# **Question** (Sec. 3.4, Fig. 3). If the units of the layer are removed one by one, most effective first or least effective first, what becomes of the class?
#
# **What the paper says.** Most effective first: accuracy falls from 0.58 to 0.09 after 17 of 512 units; the loss climbs to a peak (8.53) above that of
# the empty layer (7.26). Least effective first: accuracy *rises*, to 0.92 with 96% of the units gone, and then falls to zero within 17 units — a phase
# transition, found in every class that was tried.
#
# **What you will do.** Rank the units on $S_{100}$, remove them in that order, in reverse and in random orders, on the training images that gave the rank and
# on test images; then do it for all classes. It takes about half a minute.

# %% [markdown]
# 1. [The importance rank](#The-importance-rank)
# 2. [Cumulative ablation of the class](#Cumulative-ablation-of-the-class), with an example by hand
# 3. [All classes](#All-classes)
# 4. [Figure 3](#Figure-3), and what to see in it
# 5. [Facts](#What-was-found,-beside-what-the-paper-says) and [verdicts](#Verdicts)
#
# Birth points and effectiveness are those of [01_method](01_method.ipynb).

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import numpy as np

import unitnb
from unitnb.figures.fig3_ablation import ablation_figure
from unitnb.figures.words import percent

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
split = unitnb.open_layer(p, "A")
s100, sval = unitnb.sample_set(images, p, "S_100"), unitnb.sample_set(images, p, "S_val")
print(f"class '{p.target_class}': {len(s100)} training and {len(sval)} test images; {split.n_units} units of {split.layer}, {split.engine} engine")

# %% [markdown]
# ## The importance rank
#
# Effectiveness $E = \varepsilon / H$ where the selective rate $\varepsilon \ge p$, else 0 (Eq. 10); the most effective unit comes first.

# %%
maps = split.feature_maps(s100.images)
births = unitnb.birth_points(maps, b_max=p.b_max)
effectiveness = unitnb.effectiveness(births, p=p.effective_threshold)
rank = unitnb.importance_rank(effectiveness)
print("most effective units:", rank[:10].tolist())
print(f"units with E = 0: {(effectiveness == 0).sum()} of {len(rank)}")

# %% [markdown]
# ## Cumulative ablation of the class
#
# To remove a unit is to set its map to zero. Each curve has a 95% band from resampling the images; the grey band is the range of random orders.
#
# The accuracy of the paper is on images of the class alone, so a network that calls everything by the class's name would score 1. *Balanced accuracy* is the mean of
# the share of the class's images that are recognised and the share of other classes' images that are not taken for it; such a network would score 0.5.

# %% [markdown]
# Let $f_k$ be the network without the first $k$ units of an order, and $x_1, \dots, x_n$ images of the class $c$. Accuracy and loss after $k$ removals are
#
# $$a(k) = \frac{1}{n} \sum_i [ \mathrm{argmax} f_k(x_i) = c ], \qquad L(k) = -\frac{1}{n} \sum_i \ln p_k(c \mid x_i) .$$
#
# By hand: three units, two images of the class, two of others. The whole network gets all four right; without unit 1 it calls one of the others by the class's name; without units 1 and 2, both; without any it calls nothing by
# it. The accuracy $a(k)$ is $1, 1, 1, 0$, as if nothing happened until the end. The share of others that are not taken for the class is $1, \frac{1}{2}, 0, 1$, so the balanced accuracy is $1, \frac{3}{4}, \frac{1}{2},
# \frac{1}{2}$: the knowledge went with the first two units.
#
# A *phase transition*, as the paper has it: a curve that stays, or rises, and then falls within few units. Its place and width are read off the curve: *85% lost* is the least $k$ with $a(k) \le 0.15\, a(0)$, the *width of the collapse* the
# number of units within which the reverse curve falls from 90% to 10% of its peak.

# %%
others = split.feature_maps(unitnb.sample_others(images, p, "S_val").images)
random_orders = [np.random.default_rng([p.seed, i]).permutation(len(rank)) for i in range(p.n_random)]
test_maps = split.feature_maps(sval.images)
test_removed, test_reverse = unitnb.ablation_curves(split, test_maps, sval.labels, [rank, rank[::-1]], negatives=others)

# %% [markdown]
# ## All classes
#
# The same for every class: its own images, its own rank, the same random orders.

# %%
by_class = {}
for name in images.classes:
    sample = unitnb.sample_set(images, p, "S_100", target_class=name)
    class_maps, class_others = (split.feature_maps(drawn.images) for drawn in (sample, unitnb.sample_others(images, p, "S_100", target_class=name)))
    class_rank = unitnb.importance_rank(unitnb.effectiveness(unitnb.birth_points(class_maps, b_max=p.b_max), p=p.effective_threshold))
    best, worst, *random = unitnb.ablation_curves(split, class_maps, sample.labels, [class_rank, class_rank[::-1], *random_orders], negatives=class_others)
    tested = unitnb.sample_set(images, p, "S_val", target_class=name)
    by_class[name] = unitnb.ClassCurves(best, worst, random, unitnb.ablation_curve(split, split.feature_maps(tested.images), tested.labels, class_rank))
removed, reverse, random, _ = by_class[p.target_class]

# %% [markdown]
# ## Figure 3
#
# **A** Units removed in the order of the importance rank. **B** In reverse order. From the left: accuracy, loss, balanced accuracy. Full lines are training images, thin
# dashed lines test images.
# **C** Accuracy of every class in both orders.

# %%
figure = ablation_figure(removed, reverse, random, test_removed, test_reverse, {name: curves[:2] for name, curves in by_class.items()})
unitnb.save_figure(p, "fig3", figure, notebook="03_ablation", samples=[s100, sval])

# %% [markdown]
# What to see: in **A**, how much sooner accuracy goes than in random orders (grey), and whether it goes at once or all along; in **B**, whether accuracy *rises* above its start before it collapses, and whether balanced
# accuracy rises with it (if not, the network only says the class's name more often); in **C**, whether all classes behave alike. What would refute the paper: a rank that does no better than random orders; a fall that is
# spread over the whole layer; classes without a transition.

# %% [markdown]
# ## What was found, beside what the paper says

# %%
units = len(rank)
random_lost = np.median([curve.units_to_lose() for curve in random])
for kind, best, worst in (("training", removed, reverse), ("test", test_removed, test_reverse)):
    start, lost = best.accuracy[0], best.units_to_lose()
    (top, summit), (loss_at, loss_peak), (balanced_at, balanced) = worst.peak(), best.peak("loss"), worst.peak("balanced_accuracy")
    print(f"{kind} images")
    print(f"  best first: accuracy loses 85%   paper: 0.58 to 0.09 after 3% of the units  here: {start:.2f} to {best.accuracy[int(min(lost, units))]:.2f} after {percent(lost / units)}; random orders {percent(random_lost / units)}")
    print(f"  best first: loss peaks           paper: 8.53, empty layer 7.26              here: {loss_peak:.1f} with {loss_at / units:.0%} removed, empty layer {best.loss[-1]:.1f}")
    print(f"  worst first: accuracy rises      paper: 0.58 to 0.92 with 96% removed       here: {start:.2f} to {summit:.2f} with {top / units:.0%} removed")
    print(f"  worst first: width of collapse   paper: 3% of the units                     here: {percent(worst.collapse_width() / units)}")
    print(f"  worst first: balanced accuracy   paper: not measured                        here: {worst.balanced_accuracy[0]:.2f} to {balanced:.2f} with {balanced_at / units:.0%} removed")

# %%
falls = {name: best.units_to_lose() / units for name, (best, *_) in by_class.items()}
widths = {name: worst.collapse_width() / units for name, (_, worst, *_) in by_class.items()}
rises = {name: worst.peak()[1] - worst.accuracy[0] for name, (_, worst, *_) in by_class.items()}
balanced_rises = {name: worst.peak("balanced_accuracy")[1] - worst.balanced_accuracy[0] for name, (_, worst, *_) in by_class.items()}
n = len(by_class)
print(f"best first, 85% lost within a third of the units: {sum(f <= 1 / 3 for f in falls.values())} of {n} classes; within 10%: {sum(f <= 0.1 for f in falls.values())}")
print(f"worst first, accuracy rises by 0.02 or more: {sum(r >= 0.02 for r in rises.values())} of {n} classes; balanced accuracy does: {sum(r >= 0.02 for r in balanced_rises.values())}")
print(f"worst first, collapse within 20% of the units: {sum(w <= 0.2 for w in widths.values())} of {n} classes; within 10%: {sum(w <= 0.1 for w in widths.values())}")
peaks = {name: best.peak("loss")[1] - best.loss[-1] for name, (best, *_) in by_class.items()}
print(f"best first, loss peaks 0.05 nats or more above the empty layer's: {sum(peak >= 0.05 for peak in peaks.values())} of {n} classes")

# %%
classes = unitnb.classes_table(by_class)
unitnb.save_table(p, "classes", classes, notebook="03_ablation")
print(classes)

# %% [markdown]
# ## Verdicts
#
# On the training images that gave the rank, as in the paper; intervals are from resampled images, and conditional on this one network. A peak's place is chosen on one half of the images and its height read on the other: the
# largest of many noisy values is otherwise never below the rest. `CLAIMS.md` has every reading for all classes, and beside the random orders.

# %%
print(unitnb.record_claims(p, "03_ablation", unitnb.ablation_claims(by_class, p.target_class)))

# %% [markdown]
# Next: [04_stability](04_stability.ipynb) asks whether another sample gives another rank, [06_controls](06_controls.ipynb) whether a simpler score does as well.
#
# ## References
#
# - A. S. Morcos, D. G. T. Barrett, N. C. Rabinowitz, M. Botvinick, *On the importance of single directions for generalization*, ICLR 2018: cumulative ablation of units.
# - B. Zhou, Y. Sun, D. Bau, A. Torralba, *Revisiting the importance of individual units in CNNs via ablation*, arXiv 1806.02891 (2018): why class accuracy is to be looked at.

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
# **What the paper says.** Most effective first: accuracy falls from 0.58 to 0.09 after 17 of 512 units; the loss climbs to a peak (8.53), above its value when all units are gone (7.26, the *empty layer*). Least effective first: accuracy *rises*, to 0.92 with 96% of
# the units gone, and then falls to zero within 17 units. The paper calls such a curve a *phase transition*: nothing, or even a gain, over most of the way, and then a fall within few units. It finds one in every class that was tried.
#
# **What you will do.** Rank the units on $S_{100}$, the sample of 100 training images. Remove them in that order, in reverse and in random orders, on the training images that gave the rank and on the test images $S_{val}$. Then do it for all classes. The notebook runs for about half
# a minute.

# %% [markdown]
# 1. [The importance rank](#The-importance-rank)
# 2. [Removing units of one class](#Removing-units-of-one-class), with an example by hand
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
from IPython.display import Markdown, display

import unitnb
from unitnb.figures.fig3_ablation import ablation_figure
from unitnb.figures.words import percent, table

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
split = unitnb.open_layer(p, "A")
s100, sval = unitnb.sample_set(images, p, "S_100"), unitnb.sample_set(images, p, "S_val")
print(f"class '{p.target_class}': {len(s100)} training and {len(sval)} test images")
print(f"layer {split.layer}: {split.n_units} units")

# %% [markdown]
# ## The importance rank
#
# Effectiveness is $E = \varepsilon / H$ where the selective rate $\varepsilon$ is at least $p$, else 0 (Eq. 10). The most effective unit comes first.

# %%
maps = split.feature_maps(s100.images)
births = unitnb.birth_points(maps, b_max=p.b_max)
effectiveness = unitnb.effectiveness(births, p=p.effective_threshold)
rank = unitnb.importance_rank(effectiveness)
print("most effective units:", rank[:10].tolist())
print(f"units with E = 0: {(effectiveness == 0).sum()} of {len(rank)}")

# %% [markdown]
# ## Removing units of one class
#
# To *remove* a unit is to set its map to zero for every image. Units are removed one after another and stay away, so after $k$ steps the first $k$ units of the order are gone. Three numbers are read after each step.
#
# - *Accuracy* $a(k)$, as in the paper: the share of the images of the class to which the network gives the name of the class. No image of another class is looked at. So a network that gives that name to everything would score 1.
# - *Loss* $L(k)$: the mean of $-\ln P$ over the same images, where $P$ is the probability that the network gives to the class, in nats.
# - *Balanced accuracy*: the mean of two shares, that of the class's images that get its name (again $a$), and that of other classes' images that do not. A network that gives the name to everything scores 0.5.

# %% [markdown]
# By hand: a layer of three units, two images of the class and two of others. The table has what the network says after each step.
#
# | units removed, $k$ | the class's images that get its name | others' images that get its name | accuracy $a(k)$ | balanced accuracy |
# | --- | --- | --- | --- | --- |
# | 0 | 2 of 2 | 0 of 2 | 1 | $(1 + 1) / 2 = 1$ |
# | 1 | 2 of 2 | 1 of 2 | 1 | $(1 + 1/2) / 2 = 3/4$ |
# | 2 | 2 of 2 | 2 of 2 | 1 | $(1 + 0) / 2 = 1/2$ |
# | 3 | 0 of 2 | 0 of 2 | 0 | $(0 + 1) / 2 = 1/2$ |
#
# By accuracy, nothing happened until the last unit. Balanced accuracy shows that the knowledge was lost with the first two.
#
# Two numbers are read off a whole curve. *85% lost* is the smallest number of units after which accuracy is at most 15% of its start. The *width of the collapse* belongs to the reverse order: the number of units in which
# the curve falls from 90% to 10% of its peak. A small width is the paper's phase transition.

# %% [markdown]
# Now the two orders on test images. `negatives` are images of other classes, from which balanced accuracy is computed. Where only the classifier comes behind the layer, as here, every step is computed. Where more convolutions come behind
# it, each step needs a run through them. Then only some steps are computed (`knots`), straight lines join them, and the axes say how many they are.

# %%
others = split.feature_maps(unitnb.sample_others(images, p, "S_val").images)
knots = unitnb.curve_knots(p, split)
random_orders = [np.random.default_rng([p.seed, i]).permutation(len(rank)) for i in range(p.n_random)]
test_maps = split.feature_maps(sval.images)
orders = [rank, rank[::-1]]
test_removed, test_reverse = unitnb.ablation_curves(split, test_maps, sval.labels, orders, negatives=others, knots=knots)

# %% [markdown]
# ## All classes
#
# The same for every class on training images: its own images, its own rank, the same random orders.

# %%
by_class = {}
for name in images.classes:
    sample = unitnb.sample_set(images, p, "S_100", target_class=name)
    class_maps = split.feature_maps(sample.images)
    class_others = split.feature_maps(unitnb.sample_others(images, p, "S_100", target_class=name).images)
    class_births = unitnb.birth_points(class_maps, b_max=p.b_max)
    class_rank = unitnb.importance_rank(unitnb.effectiveness(class_births, p=p.effective_threshold))
    orders = [class_rank, class_rank[::-1], *random_orders]
    best, worst, *random = unitnb.ablation_curves(
        split, class_maps, sample.labels, orders, negatives=class_others, knots=knots
    )
    tested = unitnb.sample_set(images, p, "S_val", target_class=name)
    tested_maps = split.feature_maps(tested.images)
    test_best = unitnb.ablation_curve(split, tested_maps, tested.labels, class_rank, knots=knots)
    by_class[name] = unitnb.ClassCurves(best, worst, random, test_best)
removed, reverse, random, _ = by_class[p.target_class]

# %% [markdown]
# ## Figure 3

# %%
both_orders = {name: curves[:2] for name, curves in by_class.items()}
figure = ablation_figure(removed, reverse, random, test_removed, test_reverse, both_orders)
unitnb.save_figure(p, "fig3", figure, notebook="03_ablation", samples=[s100, sval])

# %% [markdown]
# **Figure 3.** A: units removed in the order of the importance rank; from the left accuracy, loss and balanced accuracy of the target class. B: the same in reverse order. Thick lines are training images, thin dashed lines test images. A coloured band shows how far the
# curve would move with other images of the class: it holds 95% of the curves of samples that are drawn from these images anew, with repetition (a *bootstrap*). Grey: random orders, their median as a line and their range as a band. C: accuracy of every class in both orders, on training images.
#
# What to see in A: how much sooner accuracy is lost than in random orders, and whether it is lost at once or all along. In B: whether accuracy *rises* above its start before it collapses, and whether balanced accuracy rises with it. In C: whether all classes behave
# alike. What would refute the paper: a rank that does no better than random orders; a fall that is spread over the whole layer; classes without a transition.
#
# **Why can accuracy rise when units are removed?** Accuracy is of the images of one class. The least effective units for this class serve other classes. Without them the network finds less and less that speaks for another name, and gives more and more images the name of
# this one: its own images, which accuracy counts, and those of others, which only balanced accuracy counts.

# %% [markdown]
# ## What was found, beside what the paper says

# %%
units = len(rank)
random_lost = np.median([curve.units_to_lose() for curve in random])
rows = []
for kind, best, worst in (("training", removed, reverse), ("test", test_removed, test_reverse)):
    start, lost, balanced_start = best.accuracy[0], best.units_to_lose(), worst.balanced_accuracy[0]
    (top, summit), (loss_at, loss_peak) = worst.peak(), best.peak("loss")
    balanced_at, balanced = worst.peak("balanced_accuracy")
    fallen, empty = best.accuracy[int(min(lost, units))], best.loss[-1]
    rows += [
        [
            kind,
            "most effective first: 85% of accuracy lost",
            "0.58 to 0.09 after 3% of the units",
            f"{start:.2f} to {fallen:.2f} after {percent(lost / units)}; random orders {percent(random_lost / units)}",
        ],
        [
            kind,
            "most effective first: peak of the loss",
            "8.53, empty layer 7.26",
            f"{loss_peak:.1f} with {loss_at / units:.0%} removed, empty layer {empty:.1f}",
        ],
        [
            kind,
            "reverse: accuracy rises",
            "0.58 to 0.92 with 96% removed",
            f"{start:.2f} to {summit:.2f} with {top / units:.0%} removed",
        ],
        [
            kind,
            "reverse: width of the collapse",
            "3% of the units",
            f"{percent(worst.collapse_width() / units)} of the units",
        ],
        [
            kind,
            "reverse: balanced accuracy rises",
            "not measured",
            f"{balanced_start:.2f} to {balanced:.2f} with {balanced_at / units:.0%} removed",
        ],
    ]
display(Markdown(table(["images", "", "the paper", f"here, {p.target_class}"], rows)))

# %% [markdown]
# The same over all classes, on training images:

# %%
falls = [curves[0].units_to_lose() / units for curves in by_class.values()]
widths = [curves[1].collapse_width() / units for curves in by_class.values()]
rises = [curves[1].peak()[1] - curves[1].accuracy[0] for curves in by_class.values()]
balanced_rises = [curves[1].peak("balanced_accuracy")[1] - curves[1].balanced_accuracy[0] for curves in by_class.values()]
peaks = [curves[0].peak("loss")[1] - curves[0].loss[-1] for curves in by_class.values()]
counts = [
    ["most effective first: 85% lost within a third of the units", sum(fall <= 1 / 3 for fall in falls)],
    ["most effective first: 85% lost within 10% of the units", sum(fall <= 0.1 for fall in falls)],
    ["most effective first: loss peaks 0.05 nats or more above the empty layer's", sum(peak >= 0.05 for peak in peaks)],
    ["reverse: accuracy rises by 0.02 or more", sum(rise >= 0.02 for rise in rises)],
    ["reverse: balanced accuracy rises by 0.02 or more", sum(rise >= 0.02 for rise in balanced_rises)],
    ["reverse: width of the collapse at most 20% of the units", sum(width <= 0.2 for width in widths)],
    ["reverse: width of the collapse at most 10% of the units", sum(width <= 0.1 for width in widths)],
]
display(Markdown(table(["", f"classes, of {len(by_class)}"], counts)))

# %%
classes = unitnb.classes_table(by_class)
unitnb.save_table(p, "classes", classes, notebook="03_ablation")
display(Markdown(classes))

# %% [markdown]
# **Each class.** Accuracy: with all units. 85% lost after: share of the units, most effective first (*never* if it is not lost). Loss peak and empty layer: in nats, most effective first. Rises: highest value in reverse order minus the start. Collapse over: the width, as a share of the units.

# %% [markdown]
# ## Verdicts
#
# The verdicts are on the training images that gave the rank, as in the paper. Their intervals come from resampled images, and are of this one network. One care is taken: a peak is the largest of many noisy values, and would be too high by its noise alone. So its place is chosen on
# one half of the images and its height is read on the other. `CLAIMS.md` has every number for all classes, and beside the random orders.

# %%
display(Markdown(unitnb.record_claims(p, "03_ablation", unitnb.ablation_claims(by_class, p.target_class))))

# %% [markdown]
# You have seen units removed in the order of $E$, in reverse and at random, and what accuracy on one class hides. All of it rests on one rank, from one sample of 100 images. Next, [04_stability](04_stability.ipynb) asks whether another sample gives another rank.
#
# ## References
#
# - A. S. Morcos, D. G. T. Barrett, N. C. Rabinowitz, M. Botvinick, *On the importance of single directions for generalization*, ICLR 2018: cumulative ablation of units.
# - B. Zhou, Y. Sun, D. Bau, A. Torralba, *Revisiting the importance of individual units in CNNs via ablation*, arXiv 1806.02891 (2018): why class accuracy is to be looked at.

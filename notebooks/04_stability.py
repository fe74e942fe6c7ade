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
# # 4. Is the importance rank stable?
#
# **Question** (Sec. 3.5, Fig. 4). Does the rank depend on which images of the class were drawn?
#
# **What the paper says.** Ranks from 100 and from 1,000 training images give nearly the same ablation curves; a rank from 50 validation images makes the
# accuracy drop more slowly; the mean rank of 100 random sets agrees with both; and from 100 images a set on, the sets vote for the same units (Eq. 14 above 90%).
#
# **What you will do.** Rank the units on $S_{100}$, $S_{1000}$ and $S_{val}$ and compare the curves, with intervals; then draw 100 sets of each size from 50 to 500 images,
# let each vote for its top 20 units, and count. Two things that the paper mixes up are taken apart: validation images are also *fewer*, so a rank from as few training images stands
# beside theirs; and sets drawn from one pool share images, so disjoint sets and a reference from other images stand beside the overlapping ones. The notebook runs for about a minute.

# %% [markdown]
# 1. [Measures of agreement, by hand](#Measures-of-agreement,-by-hand)
# 2. [Five ranks](#Five-ranks) and their [ablation curves](#Ablation-curves-by-each-rank,-on-each-set)
# 3. [Unseen, or few?](#Is-the-validation-rank-worse-because-its-images-were-not-trained-on,-or-because-they-are-few?)
# 4. [Votes](#Votes)
# 5. [Figure 4](#Figure-4), and what to see in it
# 6. [Facts](#What-was-found,-beside-what-the-paper-says)
# 7. [Every class](#Every-class,-with-the-ranking-images-resampled) and [verdicts](#Verdicts)
#
# Effectiveness is that of [01_method](01_method.ipynb), ablation curves those of [03_ablation](03_ablation.ipynb).

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import numpy as np
from IPython.display import Markdown, display

import unitnb
from unitnb.figures.fig4_stability import stability_figure
from unitnb.figures.words import table

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
split = unitnb.open_layer(p, "A")
sets = {name: unitnb.sample_set(images, p, name, lazy=True) for name in ("S_100", "S_1000", "S_val")}
seen = {name: unitnb.births_in_blocks(split, sample.images, p.build / "cache", p.b_max) for name, sample in sets.items()}
births = {name: found.births for name, found in seen.items()}
print(f"class '{p.target_class}', {split.n_units} units;", ", ".join(f"{name}: {len(b)} images" for name, b in births.items()))

# %% [markdown]
# ## Measures of agreement, by hand
#
# *Kendall's tau* of two ranks: of all pairs of units, the share that both put in the same order minus the share that they put in opposite orders. For the ranks *abc* and *acb* two of three pairs agree and one does not:
# $\tau = \frac{2}{3} - \frac{1}{3} = \frac{1}{3}$. The *Jaccard index* of two sets is what they share over what they hold together: for $\{a, b\}$ and $\{a, c\}$ it is $\frac{1}{3}$.
#
# *Votes* (Eq. 11–14). Draw $n$ sets of $K$ images; each ranks the units and votes for its first 20, so unit $u$ gets $V_u$ votes (Eq. 12), at most $n$. Let $T$ be the ten units with most votes, and $R$ the first 15 of the reference
# rank. The ratio is
#
# $$\frac{1}{10} \sum_{u \in T \cap R} \frac{V_u}{n} \qquad \text{(Eq. 14)} .$$
#
# With two in place of ten and four sets, let the most voted units be $a$ (4 votes) and $b$ (3 votes). If both are in $R$, the ratio is $\frac{1}{2} (\frac{4}{4} + \frac{3}{4}) = 0.875$; if $b$ is not, $0.5$.

# %% [markdown]
# ## Five ranks
#
# The *mean rank* is by mean effectiveness over random sets of 100 of the 1,000 images. $IR_{50}$ is of the first training images, as many as $S_{val}$ has.

# %%
resampled = unitnb.resampled_effectiveness(births["S_1000"], p.n_rank, p.n_sets, seed=p.seed, p=p.effective_threshold)
scores = {"IR" + name[1:]: unitnb.effectiveness(b, p=p.effective_threshold) for name, b in births.items()}
scores["IR_50"] = unitnb.effectiveness(births["S_100"][: len(births["S_val"])], p=p.effective_threshold)
scores["mean rank"] = unitnb.mean_effectiveness(resampled, p.n_rank)
ranks = {name: unitnb.importance_rank(score) for name, score in scores.items()}
agreement = [[name, *(f"{value:.1f}" for value in unitnb.rank_agreement(scores["IR_1000"], score))] for name, score in scores.items()]
display(Markdown(table(["rank, against IR_1000", "Kendall's tau", "Jaccard index of the first 20 units"], agreement)))

# %% [markdown]
# ## Ablation curves by each rank, on each set

# %%
curves, knots = {}, unitnb.curve_knots(p, split)
for name, sample in sets.items():
    pooled, maps = seen[name].split, seen[name].maps
    curves[name] = dict(zip(ranks, unitnb.ablation_curves(pooled, maps, sample.labels, list(ranks.values()), knots=knots), strict=True))

# %% [markdown]
# ## Is the validation rank worse because its images were not trained on, or because they are few?
#
# Twenty ranks, each from as many training images as $S_{val}$ has, drawn from the 1,000. Where does $IR_{val}$ fall among them? A larger area is a slower drop.

# %%
small_sets = unitnb.resampled_effectiveness(births["S_1000"], len(births["S_val"]), 20, seed=p.seed, p=p.effective_threshold)
small_ranks = [unitnb.importance_rank(score) for score in small_sets]
small_areas = {
    name: [curve.area() for curve in unitnb.ablation_curves(seen[name].split, seen[name].maps, sets[name].labels, small_ranks, knots=knots)]
    for name in ("S_100", "S_val")
}

# %% [markdown]
# ## Votes
#
# Each of the sets of $K$ images votes for its first 20 units (Eq. 12). Eq. 14 is the mean share of votes of the ten most voted units, counting only those that are
# among the first 15 of $IR_{1000}$. But the sets are drawn from the very images that give $IR_{1000}$, and share more images with it and with each other the larger
# they are. Beside Eq. 14 stand the same ratio for *disjoint* sets of the 1,000 (fewer of them the larger they are), and for sets from one half of the images against the rank
# of the other half.

# %%
settings = {"n_sets": p.n_sets, "seed": p.seed, "p": p.effective_threshold}
half = len(births["S_1000"]) // 2
tables = {
    "overlapping": unitnb.stability_table(births["S_1000"], set_sizes=p.set_sizes, **settings),
    "disjoint": unitnb.stability_table(births["S_1000"], set_sizes=p.set_sizes, disjoint=True, **settings),
    "other images": unitnb.stability_table(births["S_1000"][:half], births["S_1000"][half:], set_sizes=[K for K in p.set_sizes if K <= half // 2], **settings),
}

# %% [markdown]
# ## Figure 4

# %%
figure = stability_figure(curves, tables, p)
unitnb.save_figure(p, "fig4", figure, notebook="04_stability", samples=list(sets.values()))

# %% [markdown]
# **Figure 4.** A: accuracy on $S_{1000}$ while units are removed in the order of four ranks: $IR_{100}$, $IR_{1000}$ and $IR_{val}$ are the ranks from $S_{100}$, $S_{1000}$ and $S_{val}$, and $IR_{50}$ is from as many training images as $S_{val}$ has. Bands hold 95% of bootstrap resamples of the images, point by point.
# B: the same by the mean rank. C: the fifteen units with most votes, with their numbers, for sets of three sizes (the paper's $IND_K$); blue ones are not among the first fifteen of $IR_{1000}$. D: Eq. 14 over the size $K$ of a set, Kendall's $\tau$ with $IR_{1000}$ and the Jaccard index of the first 20 units (mean and 95% range over
# the sets); the dotted line is the paper's 90%. Right of D: A on the other two samples.
#
# What to see: in **A**, whether the curves by $IR_{100}$ and $IR_{1000}$ lie within each other's bands, and whether $IR_{val}$ lies above them and above $IR_{50}$ too; in **C**, whether the votes draw together on a few units as
# sets grow; in **D**, where the line passes the dotted one, and how far the ratio from other images stays below it: that difference is what sets owe to sharing images with their reference. What would refute
# the paper: curves apart by more than their bands, votes that stay spread, a ratio that passes 90% only for sets that are most of the pool.

# %% [markdown]
# ## What was found, beside what the paper says
#
# Differences in area (accuracy, mean over the whole curve) with 95% intervals from resampled images, the same images for both curves.

# %%
differences = []
for first, second, said in (("IR_100", "IR_1000", "nearly no difference"), ("IR_val", "IR_100", "IR_val drops slower"), ("IR_val", "IR_50", "not compared"), ("mean rank", "IR_1000", "almost the same")):
    for name, by_rank in curves.items():
        difference, low, high = np.round(unitnb.area_difference(by_rank[first], by_rank[second]), 2) + 0  # no minus before a zero
        differences.append([f"{first} minus {second}", name, said, f"{difference:+.2f} ({low:+.2f} to {high:+.2f})"])
display(Markdown(table(["difference of areas", "on", "the paper", "here"], differences)))
for name, areas in small_areas.items():
    slower = sum(area < curves[name]["IR_val"].area() for area in areas)
    print(f"on {name}, IR_val drops slower than {slower} of {len(areas)} ranks from as many training images")

# %%
overlapping, near_100 = tables["overlapping"], {name: np.abs(t["set_size"] - 100).argmin() for name, t in tables.items()}
at_100 = {name: f"{t['ratio'][near_100[name]]:.2f} at {t['set_size'][near_100[name]]}" for name, t in tables.items()}
middle = min(2, len(overlapping["set_size"]) - 1)
sizes, tau, between = overlapping["set_size"], overlapping["kendall"][:, 0], tables["disjoint"]["kendall_between"]
reached = sizes[overlapping["ratio"] > 0.9].tolist()
same = len(set(overlapping["top_units"][-1].tolist()) & set(tables["disjoint"]["top_units"][-1].tolist()))
fifteenth = [int(np.sort(votes)[::-1][14]) for votes in overlapping["votes"][[0, middle, -1]]]
facts = [
    ["Eq. 14 above 0.9", "from 100 images on", f"from {min(reached)} images on" if reached else "never"],
    *([f"Eq. 14, {name}", "not tried" if name != "overlapping" else "", f"{at_100[name]} images, {t['ratio'][-1]:.2f} at {t['set_size'][-1]}"] for name, t in tables.items()),
    ["Kendall's tau with IR_1000", "not given", f"{tau[0]:.1f} at {sizes[0]} images, {tau[-1]:.1f} at {sizes[-1]}"],
    ["Kendall's tau between disjoint sets", "not tried", f"{between[0, 0]:.1f} at {sizes[0]} images, {between[-1, 0]:.1f} at {sizes[-1]}"],
    ["fifteen most voted units", "not given", f"{same} the same in overlapping and in disjoint sets of {sizes[-1]}"],
    [f"votes of the fifteenth, of {p.n_sets}", "not given", f"{fifteenth[0]}, {fifteenth[1]} and {fifteenth[2]} at {sizes[0]}, {sizes[middle]} and {sizes[-1]} images"],
]
display(Markdown(table(["", "the paper", "here"], facts)))

# %% [markdown]
# ## Every class, with the ranking images resampled
#
# One draw of $S_{100}$ is one rank. Here ten sets of as many images that share none give ten ranks, and the interval of a difference is over these sets *and* over the images on which the curves are; where the 1,000 images
# themselves give the rank, they are resampled. An interval that holds 0 would not show equality: two ranks count as equal where the interval lies within a tenth of what the rank is worth, its area's distance from
# that of random orders. A given network, of which the forward passes take long, is read for its own class alone.

# %%
areas, votes = {}, {}
for name in [p.target_class] if p.is_given else images.classes:
    drawn = {kind: unitnb.sample_set(images, p, kind, target_class=name, lazy=True) for kind in ("S_100", "S_1000", "S_val")}
    class_seen = {kind: unitnb.births_in_blocks(split, sample.images, p.build / "cache", p.b_max) for kind, sample in drawn.items()}
    areas[name] = unitnb.ranking_areas(class_seen, images.class_index(name), p)
    votes[name] = unitnb.vote_readings(class_seen["S_1000"].births, p)
own = areas[p.target_class]["S_1000"]
print(f"{len(areas)} of {len(images.classes)} classes")
print(f"on S_1000 of '{p.target_class}': area of IR_1000 {own['IR_1000'].mean():.2f}, of random orders {own['random'].mean():.2f}")

# %% [markdown]
# ## Verdicts
#
# To be slower for being unseen and not for being few, $IR_{val}$ must also drop slower than 95% of the ranks of as few training images. `CLAIMS.md` has every reading for all these classes.

# %%
display(Markdown(unitnb.record_claims(p, "04_stability", unitnb.stability_claims(areas, votes, p.target_class, overlapping, len(births["S_1000"])))))

# %% [markdown]
# You have seen how far the rank depends on the images that were drawn, and how much of the agreement comes from sets that share images. So far units were only taken away. Next, [05_roles](05_roles.ipynb) inserts them in the order of their rank, and asks what each brings on training and on
# test images.
#
# ## References
#
# - M. G. Kendall, *A new measure of rank correlation*, Biometrika 30 (1938).
# - B. Efron, R. J. Tibshirani, *An Introduction to the Bootstrap*, Chapman & Hall (1993): the bands and intervals.

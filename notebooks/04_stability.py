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
# beside theirs; and sets drawn from one pool share images, so disjoint sets and a reference from other images stand beside the overlapping ones. It takes about a minute.

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

import unitnb
from unitnb.figures.fig4_stability import stability_figure

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
split = unitnb.open_layer(p, "A")
sets = {name: unitnb.sample_set(images, p, name, lazy=True) for name in ("S_100", "S_1000", "S_val")}
seen = {name: unitnb.births_in_blocks(split, sample.images, p.build / "cache", p.b_max) for name, sample in sets.items()}
births = {name: found.births for name, found in seen.items()}
print(f"class '{p.target_class}':", ", ".join(f"{name} {b.shape[0]} images" for name, b in births.items()), f"x {split.n_units} units")

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
for name, score in scores.items():
    tau, jaccard = unitnb.rank_agreement(scores["IR_1000"], score)
    print(f"{name:<9} against IR_1000: Kendall tau {tau:.1f}, Jaccard index of the first 20 units {jaccard:.1f}")

# %% [markdown]
# ## Ablation curves by each rank, on each set

# %%
curves = {}
for name, sample in sets.items():
    pooled, maps = seen[name].split, seen[name].maps
    curves[name] = dict(zip(ranks, unitnb.ablation_curves(pooled, maps, sample.labels, list(ranks.values())), strict=True))

# %% [markdown]
# ## Is the validation rank worse because its images were not trained on, or because they are few?
#
# Twenty ranks, each from as many training images as $S_{val}$ has, drawn from the 1,000. Where does $IR_{val}$ fall among them? A larger area is a slower drop.

# %%
small_sets = unitnb.resampled_effectiveness(births["S_1000"], len(births["S_val"]), 20, seed=p.seed, p=p.effective_threshold)
small_ranks = [unitnb.importance_rank(score) for score in small_sets]
small_areas = {
    name: [curve.area() for curve in unitnb.ablation_curves(seen[name].split, seen[name].maps, sets[name].labels, small_ranks)]
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
#
# **A** Accuracy while units are removed by $IR_{100}$, $IR_{1000}$, $IR_{val}$ and $IR_{50}$, on each set, with pointwise 95% bootstrap bands. **B** The same by the mean rank, on
# $S_{1000}$. **C** The index sets $IND_K$, the fifteen most voted units with their numbers, for sets of three sizes; the colour tells whether a unit is among the first fifteen of $IR_{1000}$. **D** Eq. 14 over the size of a set, and other measures of agreement with $IR_{1000}$ (mean and
# 95% range over the sets); the dotted line is the paper's 90%.

# %%
figure = stability_figure(curves, tables, p)
unitnb.save_figure(p, "fig4", figure, notebook="04_stability", samples=list(sets.values()))

# %% [markdown]
# What to see: in **A**, whether the curves by $IR_{100}$ and $IR_{1000}$ lie within each other's bands, and whether $IR_{val}$ lies above them and above $IR_{50}$ too; in **C**, whether the votes draw together on a few units as
# sets grow; in **D**, where the line passes the dotted one, and how far the ratio from other images stays below it: that difference is what sets owe to sharing images with their reference. What would refute
# the paper: curves apart by more than their bands, votes that stay spread, a ratio that passes 90% only for sets that are most of the pool.

# %% [markdown]
# ## What was found, beside what the paper says
#
# Differences in area (accuracy, mean over the whole curve) with 95% intervals from resampled images, the same images for both curves.

# %%
for first, second, said in (("IR_100", "IR_1000", "nearly no difference"), ("IR_val", "IR_100", "IR_val drops slower"), ("IR_val", "IR_50", "not compared"), ("mean rank", "IR_1000", "almost the same")):
    for name, by_rank in curves.items():
        difference, low, high = np.round(unitnb.area_difference(by_rank[first], by_rank[second]), 2) + 0  # no minus before a zero
        print(f"{first:>9} - {second:<7} on {name:<6}  paper: {said:<20}  here: {difference:+.2f} ({low:+.2f} to {high:+.2f})")
for name, areas in small_areas.items():
    slower = sum(area < curves[name]["IR_val"].area() for area in areas)
    print(f"on {name}, IR_val drops slower than {slower} of {len(areas)} ranks from as many training images")

# %%
table, near_100 = tables["overlapping"], {name: np.abs(t["set_size"] - 100).argmin() for name, t in tables.items()}
at_100 = {name: f"{t['ratio'][near_100[name]]:.2f} at {t['set_size'][near_100[name]]}" for name, t in tables.items()}
reached = table["set_size"][table["ratio"] > 0.9].tolist()
print(f"Eq. 14 above 0.9     paper: from 100 images on   here: {'first at ' + str(min(reached)) + ' images' if reached else 'never'}; {at_100['overlapping']}, {table['ratio'][-1]:.2f} at {table['set_size'][-1]}")
for name in ("disjoint", "other images"):
    print(f"  {name:<18} paper: not tried            here: {at_100[name]}, {tables[name]['ratio'][-1]:.2f} at {tables[name]['set_size'][-1]}")
tau = table["kendall"][:, 0]
print(f"Kendall's tau with IR_1000   {tau[0]:.1f} at {table['set_size'][0]} images, {tau[-1]:.1f} at {table['set_size'][-1]}; between disjoint sets {tables['disjoint']['kendall_between'][0, 0]:.1f} and {tables['disjoint']['kendall_between'][-1, 0]:.1f}")
same = [len(set(first.tolist()) & set(last.tolist())) for first, last in zip(table["top_units"], tables["disjoint"]["top_units"], strict=True)]
print(f"fifteen most voted units     the same {same[-1]} in overlapping and in disjoint sets of {table['set_size'][-1]}; votes of the 15th: {', '.join(str(int(np.sort(v)[::-1][14])) for v in table['votes'][[0, 2, -1]])} of {p.n_sets} at {', '.join(str(k) for k in table['set_size'][[0, 2, -1]])} images")

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
print(f"{len(areas)} of {len(images.classes)} classes; on S_1000 of '{p.target_class}': area of IR_1000 {areas[p.target_class]['S_1000']['IR_1000'].mean():.2f}, of random orders {areas[p.target_class]['S_1000']['random'].mean():.2f}")

# %% [markdown]
# ## Verdicts
#
# To be slower for being unseen and not for being few, $IR_{val}$ must also drop slower than 95% of the ranks of as few training images. `CLAIMS.md` has every reading for all these classes.

# %%
print(unitnb.record_claims(p, "04_stability", unitnb.stability_claims(areas, votes, p.target_class, tables["overlapping"], len(births["S_1000"]))))

# %% [markdown]
# Next: [05_roles](05_roles.ipynb) inserts the units in the order of their rank.
#
# ## References
#
# - M. G. Kendall, *A new measure of rank correlation*, Biometrika 30 (1938).
# - B. Efron, R. J. Tibshirani, *An Introduction to the Bootstrap*, Chapman & Hall (1993): the bands and intervals.

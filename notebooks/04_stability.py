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
# **What you will do.** Rank the units on $S_{100}$, $S_{1000}$ and $S_{val}$ and compare the curves; then draw 100 sets of each size from 50 to 500 images, let each
# vote for its top 20 units, and count. It takes about half a minute.

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import unitnb
from unitnb import figures

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
split = unitnb.split_model(unitnb.load_model(p, "A"), p.layer)
sets = {name: unitnb.sample_set(images, p, name) for name in ("S_100", "S_1000", "S_val")}
maps = {name: split.feature_maps(sample.images) for name, sample in sets.items()}
births = {name: unitnb.birth_points(m, b_max=p.b_max) for name, m in maps.items()}
print(f"class '{p.target_class}':", ", ".join(f"{name} {b.shape[0]} images" for name, b in births.items()), f"x {split.n_units} units")

# %% [markdown]
# ## Four ranks
#
# $\overline{IR}_{100}$ is the rank by mean effectiveness over random sets of 100 of the 1,000 images.

# %%
resampled = unitnb.resampled_effectiveness(births["S_1000"], p.n_rank, p.n_sets, seed=p.seed, p=p.effective_threshold)
scores = {"IR" + name[1:]: unitnb.effectiveness(b, p=p.effective_threshold) for name, b in births.items()}
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
    curves[name] = dict(zip(ranks, unitnb.ablation_curves(split, maps[name], sample.labels, list(ranks.values())), strict=True))

# %% [markdown]
# ## Votes
#
# Each of the sets of $K$ images votes for its first 20 units (Eq. 12). Eq. 14 is the mean share of votes of the ten most voted units, counting only those that are
# among the first 15 of $IR_{1000}$. But the sets are drawn from the very images that give $IR_{1000}$, and share more images with it and with each other the larger
# they are. Beside Eq. 14 stands the same ratio for sets from one half of the images against the rank of the other half.

# %%
table = unitnb.stability_table(births["S_1000"], set_sizes=p.set_sizes, n_sets=p.n_sets, seed=p.seed, p=p.effective_threshold)
half = len(births["S_1000"]) // 2
sizes = [K for K in p.set_sizes if K <= half // 2]
fair = unitnb.stability_table(births["S_1000"][:half], births["S_1000"][half:], set_sizes=sizes, n_sets=p.n_sets, seed=p.seed, p=p.effective_threshold)

# %% [markdown]
# ## Figure 4
#
# **A** Accuracy while units are removed by $IR_{100}$, $IR_{1000}$ and $IR_{val}$, on each set. **B** The same by the mean rank, on $S_{1000}$. **C** Votes for sets of
# three sizes, the most voted fifteen coloured. **D** Eq. 14 over the size of a set, and other measures of agreement with $IR_{1000}$ (mean and 95% range over the
# sets); the dotted line is the paper's 90%.

# %%
figure = figures.stability_figure(curves, table, fair, p)
unitnb.save_figure(p, "fig4", figure, notebook="04_stability", samples=list(sets.values()))

# %% [markdown]
# ## What was found, beside what the paper says

# %%
area = {name: {rank: curve.area() for rank, curve in by_rank.items()} for name, by_rank in curves.items()}
gap = max(abs(a["IR_100"] - a["IR_1000"]) for a in area.values())
slower = [a["IR_val"] - a["IR_100"] for a in area.values()]
reached = table["set_size"][table["ratio"] > 0.9].tolist()
at_100, fair_at_100 = (t["ratio"][t["set_size"] == 100][0] for t in (table, fair))
print(f"IR_100 and IR_1000     paper: nearly no difference     here: areas differ by at most {gap:.2f}")
print(f"IR_val drops slower    paper: on all three sets        here: on {sum(s > 0 for s in slower)} of {len(slower)} sets, areas differ by {min(slower):+.2f} to {max(slower):+.2f}")
print(f"mean rank of sets      paper: almost the same          here: area {area['S_1000']['mean rank']:.2f}, IR_100 {area['S_1000']['IR_100']:.2f}, IR_1000 {area['S_1000']['IR_1000']:.2f} on S_1000")
print(f"Eq. 14 above 0.9       paper: from 100 images on       here: {'first at ' + str(min(reached)) + ' images' if reached else 'never'}; {at_100:.2f} at 100, {table['ratio'][-1]:.2f} at {table['set_size'][-1]}")
print(f"against other images   paper: not tried                here: {fair_at_100:.2f} at 100, {fair['ratio'][-1]:.2f} at {fair['set_size'][-1]}")

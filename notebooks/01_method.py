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
# # 1. From a feature map to the effectiveness of a unit
#
# **Question** (Sec. 2, Figs. 1 and 2A). How does one number come out of the maps that one unit gives for the images of one class, and what does it measure?
#
# **What the paper says.** The strongest entries of a feature map, taken as edges of a graph, form a growing complex. The number of edges at which it first has
# a hole is the map's *birth point*. If the birth points of a class concentrate on few values (low *feature entropy*) and most images have one (high *selective
# rate*), the unit is effective for the class.
#
# **What you will do.** Follow one image through every step, then all 100 images of $S_{100}$, then all units of the layer. It takes about fifteen seconds.

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import numpy as np

import unitnb
from unitnb import figures

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
s100 = unitnb.sample_set(images, p, "S_100")
split = unitnb.split_model(unitnb.load_model(p, "A"), p.layer)
maps = split.feature_maps(s100.images)
print(f"{len(s100)} images of class '{p.target_class}': maps of {maps.shape[1]}x{maps.shape[2]} for {maps.shape[3]} units of {split.layer}")

# %% [markdown]
# ## Feature topology (Fig. 1)
#
# A map $F$ is made symmetric, $F_s = \max(F, F^T)$ (Eq. 9). Its $n$ rows are the vertices of a graph, and the entry $(i, j)$, $i \neq j$, is the strength of the edge between $i$
# and $j$; the diagonal plays no part. The edges enter in descending order, equal ones together. The *top set* of order $v$ holds the $v$ strongest edges (Eq. 2), and the
# *feature topology* is the complex they span: vertices, edges, and every triangle whose three edges are there.
#
# The illustration takes the most effective unit and the first image that has a birth point with it.

# %%
births = unitnb.birth_points(maps, b_max=p.b_max)
effectiveness = unitnb.effectiveness(births, p=p.effective_threshold)
rank = unitnb.importance_rank(effectiveness)
unit = int(rank[np.isfinite(effectiveness[rank])][0])
image = int(np.flatnonzero(births[:, unit])[0])
fmap, birth = maps[image, :, :, unit], int(births[image, unit])
figure = figures.top_set_figure(fmap, birth)
unitnb.save_figure(p, "fig1", figure, notebook="01_method", samples=[s100])
print(f"unit {unit}: the complex has its first hole with {birth} edges")

# %% [markdown]
# ## Why a simple rule finds the first hole
#
# Let one edge $uw$ enter while there is no hole yet. If $u$ and $w$ lie in different components, it only joins them. If they have a common neighbour, the edge enters together with
# triangles that fill whatever cycle it closes. Only if they are connected already *and* have no common neighbour does a hole appear, and then exactly one (Mayer–Vietoris:
# the new part meets the old one in two points). So the birth point is the first such edge. Edges of equal value enter together, and a hole may open and close within such a
# batch; then $\beta_1$ is computed for the batch as a whole. Zeros would complete the graph, which has no hole, so they never give a birth.

# %%
square = np.zeros((4, 4))
square[[0, 1, 2, 3], [1, 2, 3, 0]] = [4, 3, 2, 2]
tied = square.copy()
tied[0, 2] = 2
for name, example in {"square": square, "square whose diagonal is tied with its last sides": tied}.items():
    print(f"{name}: birth point {unitnb.birth_points(example[None, :, :, None], b_max=6)[0, 0]}")

# %% [markdown]
# ## From one map to one histogram (Fig. 2A)
#
# The Betti curve $\beta_1(v)$ counts the holes with $v$ edges present (computed by GUDHI); the birth point is where it leaves zero. Over all images of the class the birth
# points have a distribution (Eq. 6). In grey: the distribution for maps whose entries are independent and identically distributed, the same for every such map.

# %%
rate = unitnb.selective_rate(births)
rare = int(rank[np.argmin(np.abs(rate[rank] - 0.26))])
figure = figures.method_figure(s100.images[image], fmap, birth, births[:, unit], births[:, rare], (unit, rare))
unitnb.save_figure(p, "fig2a", figure, notebook="01_method", samples=[s100])

# %% [markdown]
# ## Entropy, selective rate, effectiveness
#
# $H = -\sum_x P(x) \ln P(x)$ in nats over the images that have a birth (Eq. 8), $\varepsilon$ the share of images that have one, $E = \varepsilon / H$ where
# $\varepsilon \geq p$, else 0 (Eq. 10).

# %%
entropy = unitnb.feature_entropy(births)
print(figures.table(["unit", "rank", "rate", "H (nats)", "E (1/nats)"], [[u, int(np.flatnonzero(rank == u)[0]) + 1, f"{rate[u]:.2f}", f"{entropy[u]:.2f}", f"{effectiveness[u]:.2f}"] for u in (unit, rare)]))

# %% [markdown]
# ## Verdicts
#
# The claims of Sec. 2 by their criteria, which stand as code in `unitnb/claims.py` and are the same for every run. The births of 200 of the maps above and of 200 random maps are computed
# a second time from persistent homology (GUDHI).

# %%
print(unitnb.record_claims(p, "01_method", unitnb.method_claims(maps, p.b_max, seed=p.seed)))

# %% [markdown]
# ## What was found, beside what the paper says

# %%
n = maps.shape[1]
mean, deviation = unitnb.null_entropy(n, n_images=len(s100))
between = ((rate > 0) & (rate < 1)).sum()
print(f"vertices and edges          paper: 14 and 91          here: {n} and {n * (n - 1) // 2}")
print(f"units of the layer          paper: 512                here: {len(rank)}")
print(f"births in some images only  paper: unit 133, 26%      here: {between} of {len(rank)} units; unit {rare}: {rate[rare]:.0%}")
print(f"units with E = 0            paper: not given          here: {(effectiveness == 0).sum()} of {len(rank)} (rate below p = {p.effective_threshold})")
print(f"median entropy              paper: not given          here: {np.nanmedian(entropy):.1f} nats; structureless maps give {mean:.1f}")

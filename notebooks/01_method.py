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
# **What the paper says.** A good unit should answer to the images of a class with maps that are *organised alike*, a poor one with maps that look random. To measure how alike, each map
# is turned into a growing graph, and the moment at which the graph first closes round a hole is noted. If that moment is nearly the same for all images of the class, the unit is
# *effective* for it.
#
# **What you will do.** Follow one image of one class through every step, then all 100 images of a sample, then all units of the layer. You need to know what a convolution layer is, and no
# topology. It takes about half a minute.
#
# 1. [The terms, by hand](#The-terms,-by-hand): graph, complex, hole, filtration, birth point
# 2. [One image, one map](#One-image,-one-map)
# 3. [The map becomes a graph](#The-map-becomes-a-graph)
# 4. [The first hole](#The-first-hole)
# 5. [All images: a histogram](#All-images:-a-histogram)
# 6. [All units: the effectiveness of the layer](#All-units:-the-effectiveness-of-the-layer)
# 7. [Verdicts](#Verdicts) and [facts](#What-was-found,-beside-what-the-paper-says)

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import numpy as np

import unitnb
from unitnb.figures import fig1_2_method as figures
from unitnb.figures.words import table

p = unitnb.notebook_parameters(globals())

# %% [markdown]
# ## The terms, by hand
#
# A *graph* is a set of points, its *vertices*, some of them joined in pairs by *edges*. Wherever three vertices are joined all round, lay a *triangle* over them; wherever four are, a
# solid tetrahedron, and so on. What results is a *simplicial complex*; this one, in which every group that is joined all round is filled, is the graph's *clique complex*.
#
# Two numbers describe its form. $\beta_0$ counts the pieces that hang together, and $\beta_1$ counts the *holes*: rings of edges that no triangles fill. They are the first two *Betti
# numbers*.
#
# Now let every edge have a strength, and let the edges enter one by one, the strongest first. The complexes that arise contain one another; such a growing sequence is a *filtration*. Over its
# steps $v = 1, 2, \dots$ the Betti numbers become curves, the *Betti curves* $\beta_0(v)$ and $\beta_1(v)$. The *birth point* is the first $v$ at which there is a hole.
#
# Try it with five vertices and six edges; the stronger an edge, the brighter its entry in the table.

# %%
strengths = np.zeros((5, 5))
for i, j, strength in ((1, 2, 9), (2, 3, 8), (3, 4, 7), (1, 4, 6), (1, 3, 5), (4, 5, 4)):
    strengths[i - 1, j - 1] = strengths[j - 1, i - 1] = strength
figure = figures.example_figure(strengths, [1, 2, 3, 4, 5, 6])

# %% [markdown]
# Count with your finger. Five vertices are five pieces; each of the first three edges joins two pieces. The fourth edge, between 1 and 4, joins nothing: its ends hang together already. It
# closes the ring 1–2–3–4, no triangle fills it, and there is a hole: the birth point is 4. The fifth edge cuts the ring into two triangles, both are filled, and the hole is gone. The sixth only
# ties vertex 5 to the rest.

# %%
_, betti = unitnb.betti_curves(strengths)
print("v       ", *range(1, 7))
print("beta_0  ", *betti[:, 0])
print("beta_1  ", *betti[:, 1])
born, filled = unitnb.barcode(strengths)[0]
birth_point = unitnb.birth_points(strengths[None, :, :, None], b_max=6)[0, 0]
print(f"birth point {birth_point}; the hole is there from v = {born:.0f} and filled at v = {filled:.0f}")

# %% [markdown]
# ## One image, one map
#
# A *unit* is one channel of a convolution layer; for an image it gives one *feature map* $F$, here after the rectifier, so that all entries are zero or positive. The layer is the last one
# before the classifier. $S_{100}$ is a sample of 100 training images of the class.
#
# The unit that we follow is the one that the whole procedure will put first; the image is the first of the sample whose map has a birth point.

# %%
images = unitnb.open_images(p)
s100 = unitnb.sample_set(images, p, "S_100")
split = unitnb.open_layer(p, "A")
maps = split.feature_maps(s100.images)
print(f"{len(s100)} images of class '{p.target_class}': maps of {maps.shape[1]}x{maps.shape[2]} for {maps.shape[3]} units of {split.layer}")

# %%
births = unitnb.birth_points(maps, b_max=p.b_max)
effectiveness = unitnb.effectiveness(births, p=p.effective_threshold)
rank = unitnb.importance_rank(effectiveness)
unit = int(rank[np.isfinite(effectiveness[rank])][0])
image = int(np.flatnonzero(births[:, unit])[0])
fmap, birth = maps[image, :, :, unit], int(births[image, unit])

# %%
figure = figures.map_figure(s100.images[image], fmap)
print(f"unit {unit}, image {image}: {(fmap > 0).sum()} of {fmap.size} entries are above zero")

# %% [markdown]
# ## The map becomes a graph
#
# Read the map as a table of strengths: the entry in row $i$ and column $j$ is the strength of an edge between the vertices $i$ and $j$. A map of 14 rows has 14 vertices and
# $14 \cdot 13 / 2 = 91$ possible edges. A graph knows no direction, so the larger of the two entries counts (the right picture above):
#
# $$F_s(i, j) = \max(F(i, j), F(j, i)) \qquad \text{(Eq. 9)}$$
#
# The diagonal, an edge from a vertex to itself, plays no part. Nor do zeros: with them every vertex would be joined to every other.
#
# The *top set* of order $v$ holds the $v$ strongest edges (Eq. 2); the complex that they span is the *feature topology* of that order (Definition 1). As $v$ grows, this is the filtration of the map
# (Eq. 3).

# %%
figure = figures.growth_figure(fmap, figures.growing_orders(fmap, birth))

# %% [markdown]
# Above, the entries of the top set, framed; below, their complex on a circle of vertices, triangles shaded. In the last picture the thick ring is the first hole: a ring of four edges or more that no
# triangles fill.
#
# Figure 1 of the paper shows such a top set of order 4 with its feature topology; here it stands beside the one at the birth.

# %%
figure = figures.top_set_figure(fmap, birth)
unitnb.save_figure(p, "fig1", figure, notebook="01_method", samples=[s100])
print(f"unit {unit}: the complex has its first hole with {birth} edges")

# %% [markdown]
# ## The first hole
#
# The *birth point* of the map is where its Betti curve leaves zero (Definition 2):
#
# $$B = \inf \{ v : \beta_1(v) \neq 0 \} \qquad \text{(Eq. 4)}$$
#
# Births above $B_{max}$ (50 for maps of 14 rows) are taken as none. Below the curve, the *barcode*: each bar is one hole, from the edge that closes its ring to the edge that completes its filling. The
# curve counts the bars over each point; the thick bar is the first, and it begins at the birth point.

# %%
figure = figures.barcode_figure(fmap, birth)

# %% [markdown]
# ### Why a simple rule finds it
#
# Let one edge $uw$ enter while there is no hole yet. If $u$ and $w$ lie in different pieces, it only joins them. If they have a common neighbour, the edge enters together with triangles that fill
# whatever ring it closes. Only if they hang together already *and* have no common neighbour does a hole appear, and then exactly one (by the Mayer–Vietoris sequence: the new part meets the
# old one in two points). So the birth point is the first such edge, and no homology has to be computed.
#
# Edges of equal strength enter together, and a hole may open and close within such a batch; then $\beta_1$ is computed for the batch as a whole.

# %%
square = np.zeros((4, 4))
square[[0, 1, 2, 3], [1, 2, 3, 0]] = [4, 3, 2, 2]
tied = square.copy()
tied[0, 2] = 2
for name, example in {"square": square, "square whose diagonal is tied with its last sides": tied}.items():
    print(f"{name}: birth point {unitnb.birth_points(example[None, :, :, None], b_max=6)[0, 0]} (0 means none)")

# %% [markdown]
# ## All images: a histogram
#
# Each of the 100 images gives the unit one birth point, or none. Their histogram is the unit's distribution of birth points,
#
# $$P(x) = \frac{\text{images whose birth point is } x}{\text{images that have one}} \qquad \text{(Eq. 6)}$$
#
# as in the authors' released code; Eq. 6 as printed divides by all images, with or without a birth, and its shares then do not add up to 1.
#
# Figure 2A shows the way from the image to two such histograms: that of the unit we follow, and that of a unit which, like the paper's example, has a birth point in about a quarter of the images. In
# grey, the distribution for maps without any structure, whose entries are independent and identically distributed; it is the same for every such map. A unit that organises its maps should
# differ from it.

# %%
rate = unitnb.selective_rate(births)
rare = int(rank[np.argmin(np.abs(rate[rank] - 0.26))])
figure = figures.method_figure(s100.images[image], fmap, birth, births[:, unit], births[:, rare], (unit, rare))
unitnb.save_figure(p, "fig2a", figure, notebook="01_method", samples=[s100])

# %% [markdown]
# Two numbers sum the histogram up. The *selective rate* $\varepsilon$ is the share of images that have a birth point at all. The *feature entropy* says how scattered the birth points are:
#
# $$H = -\sum_x P(x) \ln P(x) \qquad \text{(Eq. 8)}$$
#
# in nats (the unit of the natural logarithm), over the images that have a birth point. It is 0 if all of them have the same, and $\ln m$ if $m$ values are equally frequent. The *effectiveness* of the unit for the class joins the two:
#
# $$E = \begin{cases} \varepsilon / H & \varepsilon \geq p \\ 0 & \varepsilon < p \end{cases} \qquad \text{(Eq. 10)}$$
#
# By hand, for four images with the birth points 7, 7, 9 and none: $\varepsilon = 3/4$, the shares are $2/3$ and $1/3$, so $H = \frac{2}{3} \ln \frac{3}{2} + \frac{1}{3} \ln 3$. The paper
# leaves $p$ open; its later version takes 0.1, and so does this notebook.

# %%
example = np.array([[7], [7], [9], [0]])
print(f"by hand   rate {3 / 4:.2f}, H {2 / 3 * np.log(3 / 2) + np.log(3) / 3:.3f}, E {3 / 4 / (2 / 3 * np.log(3 / 2) + np.log(3) / 3):.2f}")
print(f"computed  rate {unitnb.selective_rate(example)[0]:.2f}, H {unitnb.feature_entropy(example)[0]:.3f}, E {unitnb.effectiveness(example)[0]:.2f}")

# %% [markdown]
# Which images are counted is the one choice that matters: the shares here are of the images with a birth, as in the authors' released code, so they add up to 1, while Eq. 6 as printed divides by all images, which makes
# $E = 1 / (H - \ln \varepsilon)$ and ranks the units worse ([06_controls](06_controls.ipynb)).

# %%
print(f"Eq. 6 to the letter: E {unitnb.effectiveness(example, variant='printed')[0]:.2f}")

# %% [markdown]
# ## All units: the effectiveness of the layer
#
# The same for every unit. On the left each point is a unit; the grey band is the entropy that structureless maps would show over as many images. On the right, effectiveness in the order of
# the *importance rank*: the most effective unit first.

# %%
entropy = unitnb.feature_entropy(births)
null_mean, null_deviation = unitnb.null_entropy(maps.shape[1], n_images=len(s100))
figure = figures.layer_figure(rate, entropy, effectiveness, unit, (null_mean, null_deviation))
print(table(["unit", "rank", "rate", "H (nats)", "E (1/nats)"], [[u, int(np.flatnonzero(rank == u)[0]) + 1, f"{rate[u]:.2f}", f"{entropy[u]:.2f}", f"{effectiveness[u]:.2f}"] for u in (unit, rare)]))

# %% [markdown]
# What to see: whether the units lie below the grey band, as they would if training had made their maps alike, and whether the rank is steep at its head. What would refute the idea: units inside
# or above the band, which answer no more alike than noise does. [06_controls](06_controls.ipynb) measures that; [02_training](02_training.ipynb) follows the same numbers through
# training, and [03_ablation](03_ablation.ipynb) removes units in the order of the rank.

# %% [markdown]
# ## Verdicts
#
# The claims of Sec. 2 by their criteria, which stand as code in `unitnb/claims` and are the same for every run. The births of 200 of the maps above and of 200 random maps are computed
# a second time from persistent homology, the theory behind the barcode (by the library GUDHI).

# %%
print(unitnb.record_claims(p, "01_method", unitnb.method_claims(maps, p.b_max, seed=p.seed)))

# %% [markdown]
# ## What was found, beside what the paper says

# %%
n = maps.shape[1]
between = ((rate > 0) & (rate < 1)).sum()
print(f"vertices and edges          paper: 14 and 91          here: {n} and {n * (n - 1) // 2}")
print(f"units of the layer          paper: 512                here: {len(rank)}")
print(f"births in some images only  paper: unit 133, 26%      here: {between} of {len(rank)} units; unit {rare}: {rate[rare]:.0%}")
print(f"units with E = 0            paper: not given          here: {(effectiveness == 0).sum()} of {len(rank)} (rate below p = {p.effective_threshold})")
print(f"median entropy              paper: not given          here: {np.nanmedian(entropy):.1f} nats; structureless maps give {null_mean:.1f}")

# %% [markdown]
# ## References
#
# - C. Giusti, E. Pastalkova, C. Curto, V. Itskov, *Clique topology reveals intrinsic geometric structure in neural correlations*, PNAS 112 (2015): complexes and Betti curves of a matrix, the
#   construction that the paper takes over.
# - R. Ghrist, *Barcodes: the persistent topology of data*, Bulletin of the AMS 45 (2008): an introduction to filtrations and bars.
# - The GUDHI library, [gudhi.inria.fr](https://gudhi.inria.fr): computes the Betti curves and bars drawn here, and checks the fast rule.

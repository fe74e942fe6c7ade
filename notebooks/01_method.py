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
# **Question** (Sec. 2, Figs. 1 and 2A). A unit is one channel of a convolution layer. How does one number come out of the maps that it gives for the images of one class, and what does the
# number measure?
#
# **What the paper says.** A good unit answers to the images of a class with maps that are *organised alike*. A poor one answers with maps that look random. To measure how alike they are, each map
# is read as a table of strengths between points. The points are joined by lines, the strongest first. At some moment the lines first make a ring with an empty inside, a *hole*. If that moment is
# nearly the same for all images of the class, the unit is *effective* for the class.
#
# **What you will do.** Follow one image of one class through every step, then all 100 images of a sample, then all units of the layer. You need to know what a convolution layer is, and no
# topology. The notebook runs for about half a minute; the first time for a minute more, as
# the images are drawn and code is compiled.
#
# 1. [Twelve words](#Twelve-words)
# 2. [The words, by hand](#The-words,-by-hand)
# 3. [One image, one map](#One-image,-one-map)
# 4. [The map becomes a graph](#The-map-becomes-a-graph)
# 5. [The first hole](#The-first-hole)
# 6. [All images: a histogram](#All-images:-a-histogram)
# 7. [All units: the effectiveness of the layer](#All-units:-the-effectiveness-of-the-layer)
# 8. [Verdicts](#Verdicts) and [facts](#What-was-found,-beside-what-the-paper-says)

# %% [markdown]
# The next cell holds what can be changed: the `profile` (images and networks; `shapes` is drawn and trained already), the class (`None`: the profile's own), the `seed` of random draws, and single settings.

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import numpy as np
from IPython.display import Markdown, display

import unitnb
from unitnb.figures import fig1_2_method as figures
from unitnb.figures.words import table

p = unitnb.notebook_parameters(globals())

# %% [markdown]
# ## Twelve words
#
# Each is explained again, with a picture, where it is first needed.
#
# | word | meaning |
# | --- | --- |
# | unit | one channel of a convolution layer |
# | feature map, $F$ | the numbers that a unit gives for one image, in rows and columns |
# | graph | points, the *vertices*, some of them joined in pairs by lines, the *edges* |
# | complex | a graph with every triangle of its edges filled, and the same for four and more vertices that are all joined to each other |
# | hole | a ring of edges whose inside no filled triangles cover |
# | $\beta_0$, $\beta_1$ | how many pieces, and how many holes, a complex has: its *Betti numbers* |
# | filtration | the sequence of complexes that arises when edges are added one by one, the strongest first |
# | birth point | the number of edges at which the first hole appears |
# | selective rate, $\varepsilon$ | the share of the images whose map has a birth point |
# | feature entropy, $H$ | how scattered the birth points are over the images |
# | effectiveness, $E$ | the rate over the entropy: high if most images have a birth point and it is nearly always the same |
# | importance rank | the units in the order of their effectiveness, the most effective first |

# %% [markdown]
# ## The words, by hand
#
# Take five vertices, numbered 1 to 5. Edges have strengths and are added one by one, the strongest first; $v$ is the number of edges so far. Where three vertices are joined, each to the two others, their triangle is filled.
# Four vertices that are all joined to each other are filled, too: they are a solid tetrahedron, of which a drawing shows the triangles. The same holds for more. What results at each $v$ is a *complex* (in the books: the *clique complex* of the graph), and the whole sequence is a *filtration*.
#
# Two numbers describe each complex. $\beta_0$ counts its pieces, and $\beta_1$ counts its *holes*, the rings of edges whose inside no triangles cover. Left, the table of strengths; beside it the complexes for $v = 1$ to $6$.

# %%
strengths = np.zeros((5, 5))
for i, j, strength in ((1, 2, 9), (2, 3, 8), (3, 4, 7), (1, 4, 6), (1, 3, 5), (4, 5, 4)):
    strengths[i - 1, j - 1] = strengths[j - 1, i - 1] = strength
figure = figures.example_figure(strengths, [1, 2, 3, 4, 5, 6])

# %% [markdown]
# **The example by hand.** Left: the strength of each edge; the table is the same on both sides of the diagonal, because an edge has no direction. Right: the complex after 1 to 6 edges; filled triangles are blue, the edges of a hole thick and orange.
#
# Count with your finger. Five vertices alone are five pieces. Each of the first three edges joins two pieces. The fourth edge, between 1 and 4, joins vertices of one piece: it makes the ring 1–2–3–4, no triangle
# covers its inside, and there is a hole. So the *birth point* is 4. The fifth edge cuts the ring into two triangles. Both are filled, and the hole is gone. The sixth edge only ties vertex 5 to the rest.

# %%
levels, betti = unitnb.betti_curves(strengths)
rows = [[v, *row] for v, row in enumerate(betti.tolist(), start=1)]
display(Markdown(table(["edges, $v$", "pieces, $\\beta_0$", "holes, $\\beta_1$"], rows)))
born, filled = unitnb.barcode(strengths)[0]
birth_point = unitnb.birth_points(strengths[None, :, :, None], b_max=6)[0, 0]
print(f"birth point {birth_point}; the hole is there from v = {born:.0f} and filled at v = {filled:.0f}")

# %% [markdown]
# `birth_points` takes the maps of many images and many units at once, as an array of (images, rows, columns, units); `[None, :, :, None]` makes such an array of our one table. `b_max` is the largest number of edges at which
# a birth still counts, here all six. `barcode` gives for each hole the number of edges at which it appears and at which it is gone.

# %% [markdown]
# ## One image, one map
#
# A *unit* gives one *feature map* $F$ for each image. Here it is taken after the rectifier (ReLU), so that no entry is negative. The layer is the last one before the classifier. $S_{100}$ is a sample of 100 training images of
# the class. The network is `A`, the best trained of those that the later notebooks compare. In the code, `p` holds all settings, and `split` is the network cut in two behind the layer.

# %%
images = unitnb.open_images(p)
s100 = unitnb.sample_set(images, p, "S_100")
split = unitnb.open_layer(p, "A")
maps = split.feature_maps(s100.images)
print(f"{len(s100)} images of class '{p.target_class}'")
print(f"maps of {maps.shape[1]}x{maps.shape[2]} for {maps.shape[3]} units of the layer {split.layer}")

# %% [markdown]
# The unit that we follow is one that the whole procedure will put at the head. The image is the first of the sample whose map has a birth point. The next cell already runs the whole procedure, in three calls; the rest of
# the notebook explains what they do.

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
# **An image and its map.** Left, the image. Middle, the unit's map $F$: bright entries are large. Right, the same map made symmetric ($F^T$ is the map with rows and columns exchanged), as the next section explains.

# %% [markdown]
# ## The map becomes a graph
#
# A map is a square table of numbers, just like the table of strengths above. The method reads it as such a table: the entry in row $i$ and column $j$ is the strength of an edge between the vertices $i$ and $j$. So a vertex is a
# row together with the column of the same number, and no longer a place in the picture. This reading is the paper's choice. It has no reason in the image itself; what it keeps and what it loses is measured in [06_controls](06_controls.ipynb).
#
# A map of 14 rows has 14 vertices, and $14 \cdot 13 / 2 = 91$ pairs of them. An edge has no direction, so of the two entries $F(i, j)$ and $F(j, i)$ the larger counts:
#
# $$F_s(i, j) = \max(F(i, j), F(j, i)) \qquad \text{(Eq. 9)}$$
#
# The diagonal would join a vertex to itself, and is ignored. Entries of zero are the weakest edges. They all have the same strength, so they would all be added together, at the very end; then every vertex is joined to every other and no hole can be
# left. So they never give a birth.
#
# The *top set* of order $v$ holds the $v$ strongest edges (Eq. 2). The complex that they span is what the paper calls the *feature topology* of that order (Definition 1). As $v$ grows, these complexes are the filtration of the map
# (Eq. 3).

# %%
figure = figures.growth_figure(fmap, figures.growing_orders(fmap, birth))

# %% [markdown]
# **The filtration of one map.** Above: the entries of the top set, framed. Below: their complex, with the vertices on a circle and filled triangles in blue. In the last picture the thick ring is the first hole: a ring of four edges or
# more whose inside no triangles cover.
#
# Figure 1 of the paper shows a top set of order 4 with its feature topology. Here it stands beside the complex in which the first hole appears.

# %%
figure = figures.top_set_figure(fmap, birth)
unitnb.save_figure(p, "fig1", figure, notebook="01_method", samples=[s100])
print(f"unit {unit}: the complex has its first hole with {birth} edges")

# %% [markdown]
# **Figure 1.** A: the four strongest edges, framed in the symmetrized map $F_s$; rows and columns have the numbers of the vertices. B: the complex that these edges span. C: the complex at the birth point; the first hole is orange. D: the edges of the
# hole alone, as a polygon with the numbers of its vertices.

# %% [markdown]
# ## The first hole
#
# The *birth point* $B$ of the map is the least number of edges at which there is a hole (Definition 2). In symbols, where $\inf$ is the least element of a set:
#
# $$B = \inf \{ v : \beta_1(v) \neq 0 \} \qquad \text{(Eq. 4)}$$
#
# A birth above $B_{max} = 50$ edges is taken as none (for maps of 14 rows; for others, the same share of all edges). So late, only weak entries are left to be added.

# %%
figure = figures.barcode_figure(fmap, birth)

# %% [markdown]
# **Betti curve and barcode of the map.** Above: the number of holes $\beta_1$ over the number of edges $v$, the *Betti curve*. Below: each bar is one hole, from the edge that makes its ring to the edge with which the inside is covered. The curve counts the bars over each
# point. The thick bar is the first; it begins at the birth point, the dashed line.

# %% [markdown]
# ### Why a simple rule finds it
#
# Let one edge be added, between the vertices $u$ and $w$, while there is no hole yet. There are three cases.
#
# - $u$ and $w$ are in different pieces: the edge joins the pieces, and makes no ring.
# - They are in one piece and have a common neighbour: the edge makes rings, but each of them is covered at once. The two and their neighbour are a filled triangle, and what is left of a ring without the new edge was covered before, as there was no hole.
# - They are in one piece and have no common neighbour: the edge makes a ring, and no triangle lies on the new edge. A hole appears.
#
# So the birth point is the first edge of the third kind, and nothing else has to be computed. (For readers who know homology: the Mayer–Vietoris sequence shows that exactly one hole appears. Others can skip this.)
#
# Edges of equal strength are added together. A hole may appear and vanish within such a batch, so the holes are counted after the whole batch. The two examples show it: a square whose last two sides are equally strong has a hole; if a
# diagonal is as strong as they are, it is added with them, and there is none.

# %%
square = np.zeros((4, 4))
square[[0, 1, 2, 3], [1, 2, 3, 0]] = [4, 3, 2, 2]
tied = square.copy()
tied[0, 2] = 2
for name, example in {"square": square, "square with a diagonal as strong as its last sides": tied}.items():
    found = unitnb.birth_points(example[None, :, :, None], b_max=6)[0, 0]
    print(f"{name}: birth point {found} (0 means none)")

# %% [markdown]
# ## All images: a histogram
#
# Each of the 100 images gives the unit one birth point, or none. Of the images that have one, $P(x)$ is the share whose birth point is $x$:
#
# $$P(x) = \frac{\text{images whose birth point is } x}{\text{images that have a birth point}} \qquad \text{(Eq. 6)}$$
#
# (The authors' released code divides like this. Eq. 6 as printed divides by all images, and then the shares do not add up to 1.) The capital $P$ is this share; the small $p$ further down is a threshold.
#
# The *selective rate* $\varepsilon$ is the share of all images that have a birth point.

# %%
rate = unitnb.selective_rate(births)
rare = int(rank[np.argmin(np.abs(rate[rank] - 0.26))])
figure = figures.method_figure(s100.images[image], fmap, birth, births[:, unit], births[:, rare], (unit, rare))
unitnb.save_figure(p, "fig2a", figure, notebook="01_method", samples=[s100])

# %% [markdown]
# **Figure 2A.** Above, from the left: an image, its map $F$, the symmetric map $F_s$, and its complex with $v$ edges, the hole in orange. Below, from the left: the Betti curve of the map; the birth points of the unit that we follow; those of a
# unit which, like the paper's example, has a birth point in about a quarter of the images. Grey: the birth points of *structureless maps*, whose entries are random numbers, drawn independently from one distribution. Whatever that distribution is, the
# grey shape is the same, because only the order of the entries counts. A unit that organises its maps should differ from it.

# %% [markdown]
# Two numbers sum the histogram up. One is the selective rate. The other is the *feature entropy*, which says how scattered the birth points are:
#
# $$H = -\sum_x P(x) \ln P(x) \qquad \text{(Eq. 8)}$$
#
# It is 0 if all images with a birth have the same one, and $\ln m$ if $m$ values are equally frequent. Its unit is the *nat*, as the logarithm is the natural one. The *effectiveness* of the unit for the class joins the two:
#
# $$E = \begin{cases} \varepsilon / H & \varepsilon \geq p \\ 0 & \varepsilon < p \end{cases} \qquad \text{(Eq. 10)}$$
#
# The threshold $p$ keeps out units that have a birth in hardly any image. The paper leaves it open; its later version takes 0.1, and so does this notebook (`p.effective_threshold`). Where $H = 0$, $E$ is infinite: such a unit stands first in
# the rank. The unit that we follow is the first whose $E$ is finite.
#
# By hand, for four images with the birth points 7, 7, 9 and none: $\varepsilon = 3/4$, the shares are $2/3$ and $1/3$, so $H = \frac{2}{3} \ln \frac{3}{2} + \frac{1}{3} \ln 3 = 0.637$ and $E = 0.75 / 0.637 = 1.18$.

# %%
example = np.array([[7], [7], [9], [0]])
by_hand = 2 / 3 * np.log(3 / 2) + np.log(3) / 3
print(f"by hand   rate {3 / 4:.2f}, H {by_hand:.3f}, E {3 / 4 / by_hand:.2f}")
computed = [f(example)[0] for f in (unitnb.selective_rate, unitnb.feature_entropy, unitnb.effectiveness)]
print("computed  rate {:.2f}, H {:.3f}, E {:.2f}".format(*computed))
print(f"with Eq. 6 as printed: E {unitnb.effectiveness(example, variant='printed')[0]:.2f}")

# %% [markdown]
# Which images are counted in $P(x)$ is the one choice that matters. If Eq. 6 is taken as printed, $E$ becomes $1 / (H - \ln \varepsilon)$, and ranks the units worse ([06_controls](06_controls.ipynb)).

# %% [markdown]
# ## All units: the effectiveness of the layer
#
# The same for every unit. The *importance rank* is their order by $E$, the largest first.

# %%
entropy = unitnb.feature_entropy(births)
null_mean, null_deviation = unitnb.null_entropy(maps.shape[1], n_images=len(s100))
figure = figures.layer_figure(rate, entropy, effectiveness, unit, (null_mean, null_deviation))
rows = [
    [u, int(np.flatnonzero(rank == u)[0]) + 1, *(f"{values[u]:.2f}" for values in (rate, entropy, effectiveness))]
    for u in (unit, rare)
]
display(Markdown(table(["unit", "place in the rank", "rate", "$H$ (nats)", "$E$ (1/nats)"], rows)))

# %% [markdown]
# **All units of the layer.** A: each point is a unit. The grey band is the entropy of structureless maps over as many images: their mean (line), and two standard deviations (sd) to either side. B: the effectiveness of the units in the order of the rank.
#
# What to see: whether the units lie below the grey band, as they would if training had made their maps alike, and whether the curve is steep at its head. What would refute the idea: units inside or above the band. They answer no more alike than noise
# does.

# %% [markdown]
# ## Verdicts
#
# Each sentence of the paper that can be tested is a *claim* with a number, from C01 on. A criterion, fixed as code in `unitnb/claims`, turns what was measured into a verdict. The criteria are the same for every run. *By construction* means that the claim is
# true by definition, so that no measurement could refute it. These are the claims of Sec. 2. For them, 400 of the birth points are computed a second time, by the general theory (persistent homology, with the library GUDHI).

# %%
display(Markdown(unitnb.record_claims(p, "01_method", unitnb.method_claims(maps, p.b_max, seed=p.seed))))

# %% [markdown]
# ## What was found, beside what the paper says

# %%
n = maps.shape[1]
between = ((rate > 0) & (rate < 1)).sum()
facts = [
    ["vertices and edges", "14 and 91", f"{n} and {n * (n - 1) // 2}"],
    ["units of the layer", "512", len(rank)],
    ["births in some images only", "unit 133, 26%", f"{between} of {len(rank)} units; unit {rare}: {rate[rare]:.0%}"],
    ["units with $E = 0$ (rate below $p$)", "not given", f"{(effectiveness == 0).sum()} of {len(rank)}"],
    ["median entropy", "not given", f"{np.nanmedian(entropy):.1f} nats; structureless maps {null_mean:.1f}"],
]
display(Markdown(table(["", "the paper", "here"], facts)))

# %% [markdown]
# You have seen how a map becomes a graph, a graph a birth point, and the birth points of a sample one number $E$. Whether $E$ is large because of training, or whether noise would give the same, was not asked yet. Next,
# [02_training](02_training.ipynb) follows the same numbers from the untrained network to the trained one.
#
# ## References
#
# - C. Giusti, E. Pastalkova, C. Curto, V. Itskov, *Clique topology reveals intrinsic geometric structure in neural correlations*, PNAS 112 (2015): complexes and Betti curves of a matrix, the
#   construction that the paper takes over.
# - R. Ghrist, *Barcodes: the persistent topology of data*, Bulletin of the AMS 45 (2008): an introduction to filtrations and bars.
# - The GUDHI library, [gudhi.inria.fr](https://gudhi.inria.fr): computes the Betti curves and bars drawn here, and checks the fast rule.

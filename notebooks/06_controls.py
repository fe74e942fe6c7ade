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
# # 6. Does the topology matter?
#
# **Question.** The paper compares its effectiveness $E = \varepsilon / H$ with nothing, shows no null model, and measures accuracy on images of one class alone. Does $E$ find
# units that simpler scores miss? Do its parts, the selective rate $\varepsilon$ and the entropy $H$ of the birth points, differ from chance? What of it is bias?
#
# **What the paper says.** Units with concentrated birth points are the effective ones (Sec. 2.2); few of them do better than the whole layer (Sec. 3.4, 3.6); magnitude,
# APoZ and mean activation are named and not compared (Sec. 1).
#
# **What you will do.** For every class: rank the units on $S_{100}$ by $E$, by its rivals and by controls, remove them in rank order and in reverse on *other* training images and on
# test images, with images of the other classes beside; set the births against null models; change the construction and the free choices. The notebook runs for about two minutes.

# %% [markdown]
# 1. [The answers](#The-answers), in a table
# 2. [Rival scores](#Rival-scores)
# 3. [Recall or bias](#Recall-or-bias)
# 4. [Null models](#Null-models)
# 5. [What the construction sees](#What-the-construction-sees)
# 6. [Free choices](#Free-choices)
# 7. [A better-founded measure?](#A-better-founded-measure?)
# 8. [Other networks, fewer classes](#Other-networks,-fewer-classes)
# 9. [Depth, and a second layer](#Depth,-and-a-second-layer)
# 10. [What the units see](#What-the-units-see)
# 11. [Verdicts](#Verdicts)
#
# Effectiveness is that of [01_method](01_method.ipynb), curves and balanced accuracy those of [03_ablation](03_ablation.ipynb).

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import numpy as np
from IPython.display import Markdown, display

import unitnb
from unitnb.controls import bias, chance, choices, comparison
from unitnb.figures import fig6_controls, fig6_networks, fig6_rivals, units_seen, words
from unitnb.units import intervals

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
split = unitnb.open_layer(p, "A")
sets = unitnb.class_maps(images, p, split)
results = unitnb.class_results(split, sets, p)

# %%
s100 = unitnb.sample_set(images, p, "S_100")
untrained = unitnb.epoch_maps(p, 0, s100.images)
untrained_births = unitnb.birth_points(untrained, b_max=p.b_max)
untrained_null = chance.null_scores(untrained, untrained_births, p.b_max, draws=50, seed=p.seed)

# %% [markdown]
# ## The answers
#
# An *area* is that between two curves of balanced accuracy on test images, removal in reverse order minus removal in rank order: what the order is worth. 0 is an order that says nothing.
# Insertion in an order is removal in its reverse read backwards, so the two removals are also the two insertions. Intervals are 95% bootstraps over classes and, for areas and
# gains, over images within classes, paired where two scores are compared. The answers are read off the intervals.

# %% [markdown]
# By hand: two units, one image of the class, recognised by the whole layer. In rank order the answer is lost with the first unit, $1, 0, 0$: the area under the curve (trapezoids, over the share of units) is $\frac{1}{2} \cdot \frac{1 + 0}{2} + 0 =
# \frac{1}{4}$. In reverse it is lost with the last, $1, 1, 0$: area $\frac{3}{4}$. The area between is $\frac{1}{2}$, the most that an order of two units can be worth.
#
# What would refute the paper here: an area between that a simpler score exceeds by more than the interval; births that are no more concentrated than those of structureless maps; a gain in recall that false positives pay for.

# %%
known = unitnb.known_rivals(p)
table = unitnb.answers_table(results, untrained_null, known)
unitnb.save_table(p, "controls", table, notebook="06_controls", samples=sets.samples)
display(Markdown(table))

# %% [markdown]
# ## Rival scores
#
# Each score ranks the units. The first six need the network's weights or maps only:
#
# - *mean activation*: the mean of the unit's maps (Molchanov et al. 2017)
# - *L1*: the sum of the absolute weights of the unit's filter (Li et al. 2017)
# - *APoZ*: the share of zero entries in the maps, fewest first (Hu et al. 2016)
# - *selectivity*: the contrast of the mean activations on the class and on others (Morcos et al. 2018)
# - *activation entropy*: units of *high* entropy count as important (Luo & Wu 2017)
# - *few holes*: units whose maps have many holes count as idle (TopologyHole, Xu et al. 2022), the opposite use of holes
#
# These ask the network for its answers, too:
#
# - *Taylor*: |gradient × activation|, summed over the map; *Taylor, map*: the size of the sum over the map (Molchanov et al. 2017)
# - *single ablation*: how much the loss grows without the unit, the causal reference (Zhou et al. 2018)
# - *greedy insertion*: the unit that helps most at every step; a bound, not a score
# - *Neuron Shapley*: what a unit brings on average when the layer fills in random order, here for the recall on the ranking images (Ghorbani & Zou 2020)
#
# And these take $E$ apart: *rate only* and *1/H only* are its two parts, *shuffled E* gives its values to the units at random, and *E, Eq. 6 as printed* is $1 / (H - \ln \varepsilon)$. *Birth information* and *−z of H* are ours, and are
# explained [below](#A-better-founded-measure?).

# %%
figure = fig6_rivals.rivals_figure(results, p.target_class)
unitnb.save_figure(p, "fig6a", figure, notebook="06_controls", samples=sets.samples)

# %% [markdown]
# **Figure 6a** (ours). A: recall (the share of the class's test images that get its name; the paper's accuracy) and balanced accuracy of the target class, while units are removed by four scores; of each pair of curves, the lower one is in rank order, most important first, and the upper one in reverse. B: the area between the two orders of every
# score minus that of $E$, mean over all classes, with 95% intervals. Right of 0 a score does better than $E$.

# %%
figure = fig6_rivals.areas_figure(results)
unitnb.save_figure(p, "fig6b", figure, notebook="06_controls")

# %% [markdown]
# **Figure 6b** (ours). The area between the two orders for each score (rows) and class (columns), in balanced accuracy on test images. The best score of each class is framed, but for greedy insertion, which costs far more than the others.

# %%
scores = unitnb.scores_table(results)
unitnb.save_table(p, "scores", scores, notebook="06_controls")
display(Markdown(scores))

# %% [markdown]
# The paper reads its curves with 3.5% of the units kept and 3.3% removed. Below, recall and balanced accuracy there and at other points, for every score, beside numbers of others: Bau et al. (2020) ranked the 512 units of the same layer
# of VGG16, trained on scenes, by what each does to one class, and removed or kept 20 of them.

# %%
operating = unitnb.operating_table(results)
unitnb.save_table(p, "operating", operating, notebook="06_controls")
display(Markdown(operating))

# %% [markdown]
# All of this is of one network, and its intervals are conditional on it. The same areas on other seeds of its recipe and on the worse models of Table 1, from what training stored (`make train EXTRA=1`):

# %%
elsewhere = unitnb.rivals_table(known) if known else "not measured: make train EXTRA=1"
unitnb.save_table(p, "rivals", elsewhere, notebook="06_controls")
display(Markdown(elsewhere))

# %% [markdown]
# ## Recall or bias
#
# The paper's accuracy is recall: on images of the class alone. A network that loses its units for the other classes says the class's name more often, and recall rises. Here the least effective
# units go first. The gain is measured on test images at the number of units that is best *for recall* on other training images, so that no maximum is picked from its own noise.

# %%
rises = {
    metric: np.array([intervals.class_mean(bias.rise(r.train["E (the paper)"], r.test["E (the paper)"], metric)) for r in results.values()])
    for metric in comparison.METRICS
}
figure = fig6_rivals.bias_figure(results, rises)
unitnb.save_figure(p, "fig6c", figure, notebook="06_controls")

# %% [markdown]
# **Figure 6c** (ours). A, B: four rates while the least effective units are removed first, mean over all classes, on other training images and on test images. *Recall*: share of the class's images that get its name. *False-positive rate*: share of the others that get it. *Precision*: share of the class among all that get it. C: what each class gains on test
# images at the number of units that is best on training images; the line is the mean.

# %% [markdown]
# The same rates for the rivals: an order that raises recall by raising false positives is no better informed.

# %%
figure = fig6_rivals.rates_figure(results)
unitnb.save_figure(p, "fig6g", figure, notebook="06_controls")

# %% [markdown]
# **Figure 6g** (ours). The four rates of Figure 6c for four scores, on test images, mean over all classes. Above, the least important units are removed first; below, the most important ones.

# %% [markdown]
# And for every score, where recall is best on training images: which gain is paid for with false positives?

# %%
recall_or_bias = unitnb.bias_table(results)
unitnb.save_table(p, "bias", recall_or_bias, notebook="06_controls")
display(Markdown(recall_or_bias))

# %% [markdown]
# ## Null models
#
# Could chance alone give such births? Chance is here a map of independent random entries with as many positive ones, image by image. And where would units of pure noise stand in the rank, if they were put into the layer for the class's images and for the others'? Nothing in the network uses them.

# %%
maps = sets.maps["ranking"][p.target_class]
shuffled = chance.shuffled_pixels(maps, p.seed)
shuffled_null = chance.null_scores(shuffled, unitnb.birth_points(shuffled, b_max=p.b_max), p.b_max, draws=50, seed=p.seed)
figure = fig6_controls.null_figure(results, p.target_class, untrained_births, untrained_null, shuffled_null)
unitnb.save_figure(p, "fig6d", figure, notebook="06_controls", samples=[s100])

# %% [markdown]
# **Figure 6d** (ours). A: rate and entropy of the target class's units, trained and untrained; the line is what chance gives to units as sparse. B: how far each unit's entropy is from chance, in standard deviations (sd) of chance; a *negative* value would be the paper's concentration. C: where units of noise stand in the rank, 0 being the head; white (independent
# pixels) or smooth (blobs), with the share of positive pixels; dots are medians, bars hold 80% of the units in all classes; the dashed line is the first tenth.

# %%
by_shuffling = chance.shuffle_scores(maps, p.b_max, seed=p.seed)
nulls = {"independent maps, as sparse": results[p.target_class].null, "its own maps, shuffled": by_shuffling}
rows = []
for name, found in nulls.items():
    rate_z, entropy_z = (found[key][np.isfinite(found[key])] for key in ("rate z", "entropy z"))
    rows.append([name, f"{np.median(rate_z):+.1f}", f"{np.median(entropy_z):+.1f}", f"{(entropy_z < -2).mean():.0%}", f"{(entropy_z > 2).mean():.0%}"])
display(Markdown(words.table(["against", "median z of the rate", "median z of the entropy", "units with z of the entropy below -2", "above 2"], rows)))
trained_h, untrained_h = unitnb.feature_entropy(results[p.target_class].births), unitnb.feature_entropy(untrained_births)
from_untrained = np.nanmedian((trained_h - np.nanmean(untrained_h)) / np.nanstd(untrained_h))
print(f"mean entropy {np.nanmean(trained_h):.2f} nats trained, {np.nanmean(untrained_h):.2f} untrained")
print(f"against the untrained network's units: median z of the entropy {from_untrained:+.1f}")
noise = unitnb.noise_table(results)
unitnb.save_table(p, "noise", noise, notebook="06_controls")
display(Markdown(noise))

# %% [markdown]
# ## What the construction sees
#
# Rows and columns of a map are the same vertices, so the births cannot change when rows and columns are permuted together, whatever that does to the picture. They change when the picture moves off the diagonal or is
# mirrored. *Random pairing* puts all pixels in one random order before the same steps (the table of answers has its spread over many orders); *cubical persistence* takes the first hole of the picture itself.

# %%
figure = fig6_controls.construction_figure(results)
unitnb.save_figure(p, "fig6e", figure, notebook="06_controls")

# %% [markdown]
# **Figure 6e** (ours). What changes if maps are changed in this way before the birth points are computed: births (A), agreement of the ranks by $E$, Kendall's $\tau$ (B), and the area between the two orders, where it was measured, with 95% intervals (C). Bars are means over the classes, dots are classes. Shifts are in rows and columns; *cropped* drops what leaves the map, *cyclic* brings
# it in on the other side.

# %% [markdown]
# ## Free choices
#
# The least rate $p$, the bound $B_{max}$, what $H = 0$ is worth, what $v$ counts, how $H$ is estimated, and which images the shares $P(x)$ of Eq. 6 are of: those with a birth (the default), all (the letter of Eq. 6), or all with no birth
# as one more outcome; in all combinations. And does any part of $E$ go with what a unit's removal does?

# %%
grid = unitnb.choice_areas(split, sets, p.target_class, points=unitnb.curve_knots(p, split))
figure = fig6_controls.choices_figure(results, p.target_class, grid)
unitnb.save_figure(p, "fig6f", figure, notebook="06_controls")

# %% [markdown]
# **Figure 6f** (ours). Each row is one value of one choice, over all combinations of the others: the thick bar holds half of the results, the thin line 90%, the mark is the median. A: the rank's agreement with the default's (Kendall's $\tau$). B: the change of the area between the two orders of the target class. Choices that make no visible difference are named below and not drawn. *Index* is what $v$ counts: edges,
# levels (distinct strengths), or entries of the map. *Estimator* is how $H$ is computed from few images. C: rank correlation (Spearman's $\rho$) of parts of $E$ with what removing the unit alone does.

# %%
tests = [result.test for result in results.values()]
perfect = sum(int(np.isinf(result.scores["E (the paper)"]).sum()) for result in results.values())
print(f"units with H = 0, in all classes: {perfect}")
print(f"area of {p.target_class} over all {len(grid)} combinations: from {grid.min():.2f} to {grid.max():.2f}")
rows = [[name, words.interval_text(intervals.paired_bootstrap(comparison.differences(tests, name, "default choices")))] for name in choices.single_choices()]
display(Markdown(words.table(["one choice changed", "change of the area, all classes [95% interval]"], rows)))

# %% [markdown]
# ## A better-founded measure?
#
# Two attempts of ours, on the same curves. *−z of H* ranks units by how far their entropy lies below chance for their sparsity: what the paper's argument asks for. *Birth information* asks how much one birth point
# tells about the class (Jensen–Shannon divergence of the births on the class and on others, signed by the rates): it is balanced, and has neither threshold nor $1/H$.

# %%
rows = []
for metric in comparison.METRICS:
    for name in ("birth information (ours)", "-z of H (ours)"):
        gains = [intervals.paired_bootstrap(comparison.differences(tests, name, other, metric)) for other in ("E (the paper)", "mean activation")]
        rows.append([name, metric, *map(words.interval_text, gains)])
display(Markdown(words.table(["score", "area in", "minus that of $E$", "minus that of mean activation"], rows)))

# %% [markdown]
# ## Other networks, fewer classes
#
# The paper loses 85% of the accuracy with 17 of 512 units (Fig. 3A), our small networks only with half of them or more. Four things differ: how wide the layer is, how many classes the network tells apart, what follows the
# layer, and how well the class is recognised at the start. Here each class of each network at hand is ranked on its own $S_{100}$ and loses its units, most important first, as in [03_ablation](03_ablation.ipynb): small VGGs of 32 to
# 512 units (trained for this, only their numbers are kept), and the network of this run. A network with many classes is asked again with fewer: the same units and images, but only some of its answers are allowed.

# %%
losses = [*unitnb.kept_losses(p), *unitnb.network_losses(split, sets, p)]
figure = fig6_networks.networks_figure(losses)
unitnb.save_figure(p, "fig6h", figure, notebook="06_controls")

# %% [markdown]
# **Figure 6h** (ours). A: the share of the units after which 85% of the accuracy is lost, for each network: medians and quartiles over its classes. B to D: the medians over the number of units, the number of classes and the accuracy at the start; lines join networks that differ in that number alone. The star and the dotted line are the paper's network.

# %%
networks = unitnb.networks_table(losses)
unitnb.save_table(p, "networks", networks, notebook="06_controls")
display(Markdown(networks))

# %% [markdown]
# What to read (C15). Fewer classes on the same units and images: the share grows, but does the order of the scores change? Wider layers of one kind: does it fall? Two layers of as many classes that differ in their tail: how far are
# they apart? What lies between the paper's 3% and a network here and is explained by neither is the network itself, or the score: the mean activation is the one to compare with.

# %% [markdown]
# ## Depth, and a second layer
#
# The paper's later version says that $H$ falls with depth in a trained network, and is higher and flat in a random one. But the birth points of structureless maps spread more the larger the maps are, and maps shrink with
# depth. So what chance gives for maps of the same size and as many images is subtracted, too. Then units are removed in a layer further in front.

# %%
depth = unitnb.depth_claim(split.model, split.layer, s100.images, p.seed)
second = unitnb.second_layer(p)
figure = fig6_networks.depth_figure(depth, unitnb.rows_by_depth(split, s100.images), second)
unitnb.save_figure(p, "fig6i", figure, notebook="06_controls", samples=[s100])

# %% [markdown]
# **Figure 6i** (ours). A: mean entropy $H$ of the units of each layer, with trained and with random weights, and that of structureless maps of the same size. B: the same minus that of structureless maps. C, D: recall and balanced accuracy of the target class on test images while units of an earlier layer are removed by several scores, in rank order and in reverse.

# %%
display(Markdown(fig6_networks.depth_table(depth, unitnb.rows_by_depth(split, s100.images))))
display(Markdown(fig6_networks.second_words(second) if second else "There is no layer further in front."))

# %% [markdown]
# ## What the units see
#
# The five most and the five least effective units of the target class, and five that the mean activation places otherwise than $E$ does. `explore.ipynb` shows any other unit.

# %%
shown = results[p.target_class]
figure = units_seen.seen_figure(s100.images, maps, shown.births, shown.scores, units_seen.telling_units(shown.scores))
unitnb.save_figure(p, "fig6j", figure, notebook="06_controls", samples=[s100])

# %% [markdown]
# **Figure 6j** (ours). A row a unit. Left, its rate and entropy and its place by several scores, 1 being the most important. Then its birth points (blue) over those of structureless maps (grey), and the four images of $S_{100}$ to which it answers most, each with its map.

# %% [markdown]
# ## Verdicts
#
# Importance and rivals by all classes. The last two claims are of the paper's later version: every convolution of the network is compared with that of the same network with
# random weights, and the layer's weights and the images are halved.

# %%
others = unitnb.sample_others(images, p, "S_100")
measured = {"C05": unitnb.importance_claim(results, p.effective_threshold), "C43": unitnb.rivals_claim(results)}
measured |= {"C44": unitnb.extension_claim(split, p), "C45": depth}
measured |= {"C46": unitnb.scale_claim(split, s100.images, others.images, p.b_max)}
display(Markdown(unitnb.record_claims(p, "06_controls", measured)))

# %% [markdown]
# You have seen $E$ beside simpler scores, beside chance, and beside other ways to compute it. The verdicts above say what is left of the claim that topology finds the units that matter. Next, [07_simplification](07_simplification.ipynb) removes units for good, and asks how good a smaller network is.

# %% [markdown]
# ## References
#
# - H. Li, A. Kadav, I. Durdanovic, H. Samet, H. P. Graf, *Pruning filters for efficient ConvNets*, ICLR 2017 (L1 norm). H. Hu, R. Peng, Y.-W. Tai, C.-K. Tang, *Network trimming*, arXiv 1607.03250 (2016; APoZ).
# - P. Molchanov, S. Tyree, T. Karras, T. Aila, J. Kautz, *Pruning convolutional neural networks for resource efficient inference*, ICLR 2017 (Taylor, mean activation).
# - A. S. Morcos, D. G. T. Barrett, N. C. Rabinowitz, M. Botvinick, *On the importance of single directions for generalization*, ICLR 2018 (selectivity). B. Zhou, Y. Sun, D. Bau, A. Torralba, arXiv 1806.02891 (2018; single ablation).
# - D. Bau, J.-Y. Zhu, H. Strobelt, A. Lapedriza, B. Zhou, A. Torralba, *Understanding the role of individual units in a deep neural network*, PNAS 117 (2020). A. Ghorbani, J. Zou, *Neuron Shapley*, NeurIPS 2020.
# - X. Xu, J. Chen, H. Su, L. Xie, *Towards efficient filter pruning via topology*, Journal of Real-Time Image Processing (2022; TopologyHole).
# - J.-H. Luo, J. Wu, *An entropy-based pruning method for CNN compression*, arXiv 1706.05791 (2017).
# - A. Chao, T.-J. Shen, *Nonparametric estimation of Shannon's index of diversity when there are unseen species in sample*, Environmental and Ecological Statistics 10 (2003).

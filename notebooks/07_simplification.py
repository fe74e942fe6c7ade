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
# # 7. From a rank to a smaller network
#
# **Question.** The paper calls its roles "an excellent starting point for network construction and simplification" (abstract) and simplifies none. How good a network do the units of highest effectiveness $E$
# make, and do simpler scores keep better ones?
#
# **What the paper says.** Core units stand at the head of the rank; the bulk of the units is dispensable (Sec. 3.4, 3.6).
#
# **What you will do.** Rank the units of a layer on training images, for one class and for all, by $E$ and its rivals; remove the last ones from the network, so that it is smaller and faster; judge what is left on test
# images, before and after a short training; make a network for three classes; and keep the core alone. The notebook runs for about a minute.

# %% [markdown]
# 1. [A smaller network](#A-smaller-network)
# 2. [Which units to keep](#Which-units-to-keep)
# 3. [After a short training](#After-a-short-training)
# 4. [A specialist, and the core alone](#A-specialist,-and-the-core-alone)
# 5. [Verdicts](#Verdicts)
#
# The scores are those of [06_controls](06_controls.ipynb), the roles those of [05_roles](05_roles.ipynb). `unitnb simplify` does the same for a model of your own.

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import numpy as np
from IPython.display import Markdown, display

import unitnb
from unitnb.controls import simplification_results, smaller_networks, specialists
from unitnb.figures import fig7_simplification, simplification_words, words

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
p = simplification_results.more_test_images(p, images)
split = unitnb.open_layer(p, "A")
sets = unitnb.class_maps(images, p, split, test_name=f"{p.n_validation} test images")
units = split.n_units
counts = [units // 4, units // 8, units // 16]
print(f"layer {split.layer}: {units} units, {len(sets.classes)} classes")
print(f"{p.n_rank} training images of each class rank the units, {p.n_validation} test images judge")

# %% [markdown]
# ## A smaller network
#
# A unit that is set to zero still costs its multiplications. `unitnb.remove_units` makes a new network without it: its filter goes, and the weights of the next layer that read it. The outputs are those of the network with the unit's
# map set to zero, to rounding.
#
# By hand: a layer of 2 units, $3 \times 3$ filters over 4 channels, has $2 \cdot 4 \cdot 9 = 72$ weights; a dense layer of 3 units behind it, on maps of $2 \times 2$, has $2 \cdot 4 \cdot 3 = 24$. Without one unit 36 and 12 are left: half of
# both. A multiply-add is one weight times one value; the convolution does its weights' number at every pixel.

# %%
order = np.arange(units)
networks = {f"{count} units": smaller_networks.kept_network(split.model, split.layer, order, count) for count in (units // 2, *counts)}
pixels, _ = smaller_networks.drawn_images(images, p, [p.target_class], "test", 16)
masked = split.feature_maps(pixels) * (order < units // 2)
found = smaller_networks.outputs_of(networks[f"{units // 2} units"], pixels)
same = np.allclose(found, split.predict(masked), rtol=1e-3, atol=1e-3)
print(f"the network with {units // 2} units and the masked one have equal outputs, to rounding: {same}")
networks = {f"whole, {units} units": split.model, **networks}
costs = simplification_words.cost_rows(networks)
unitnb.save_table(p, "cost", costs, notebook="07_simplification")
display(Markdown(costs))

# %% [markdown]
# Measured on this machine, median of a few rounds on a batch of 16 images:

# %% tags=["nbval-ignore-output"]
seconds = smaller_networks.seconds_an_image(networks, pixels)
display(Markdown(simplification_words.cost_rows(networks, seconds)))

# %% [markdown]
# ## Which units to keep
#
# The paper ranks by one class. A network for all classes needs one rank: here the mean over the classes of each unit's *normalised rank*, 1 for the best unit of a class and 0 for the last. The scores themselves have no mean: $E$ is infinite where
# $H = 0$, and activations and losses of a class have a scale of their own. Ranks give each class one vote.
#
# *Rate* and *1/H* are the parts of $E$. *Shapley* is the mean fall of the loss when a unit enters a layer that is filled in random order. Units are ranked on training images and judged on test images. All classes have equally many test images, so
# that accuracy over all classes is balanced accuracy, too. What would support the paper: curves of $E$ above the others.

# %%
results = unitnb.simplification_results(split, sets, p)
if "Shapley" not in results.orders:
    print("Shapley values are left out: the tail is run again for each unit of each order")
figure = fig7_simplification.kept_figure(results, p.target_class)
unitnb.save_figure(p, "fig7", figure, notebook="07_simplification", samples=sets.samples)

# %% [markdown]
# **Figure 7** (ours). On test images, over the share of the units that are kept, without any training. A: accuracy on the images of the target class. B: its balanced accuracy. C: accuracy over all classes, with units ranked for all. Lines are scores; the grey band is the range of random orders.
#
# *Area* is the mean accuracy over the shares of units kept (C); intervals are 95% bootstraps over classes and images, paired. The last units go while accuracy stays within 0.01 of the whole layer's.

# %%
before = simplification_results.accuracies_before(results, counts)
display(Markdown(simplification_words.kept_table(results, before, {}, counts)))

# %% [markdown]
# Is that one network? The same areas of $E$ minus those of the mean activation, in networks of other training seeds, where they are trained (`make train EXTRA=1`):

# %% tags=["nbval-ignore-output"]
others = [name for name in simplification_results.trained_seeds(p) if name != "A"]
by_network = {"A": results.every, **{name: simplification_results.seed_areas(p, images, name, ["E", "mean activation"]) for name in others}}
display(Markdown(simplification_words.seeds_sentence(by_network)))

# %% [markdown]
# ## After a short training
#
# A network that has lost units is usually trained again for a while. What is behind the layer gets the same short training for every score: the same images in the same order, as many steps. The units stay as they were ranked. Given networks
# are not trained.

# %%
after = {} if p.is_given else unitnb.tuned_accuracies(split, sets, results, counts, p.seed)
table = simplification_words.kept_table(results, before, after, counts)
unitnb.save_table(p, "simplification", table, notebook="07_simplification", samples=sets.samples)

# %% tags=["nbval-ignore-output"]
display(Markdown(table))

# %% [markdown]
# ## A specialist, and the core alone
#
# A network for three of the classes: units chosen for these three or for all, by Taylor's score, against a network of the same size that begins with random weights and sees the same training images as often: a short time, after which a network that is trained on would be better. Then, for each class, the network
# of the units in the role *core* alone; half of the test images give the roles, the other half judge.

# %%
few = specialists.specialist_classes(p, sets.classes)
specialist = unitnb.specialist_accuracies(split, results.scores, images, p, few, counts)
core = unitnb.core_results(split, sets, p)
figure = fig7_simplification.smaller_networks_figure(before, after, counts, specialist, core, few)
unitnb.save_figure(p, "fig7b", figure, notebook="07_simplification")

# %% [markdown]
# **Figure 7b** (ours). A: accuracy over all classes with a fourth, an eighth and a sixteenth of the units, chosen by each score, before and after a short training. B: a network for three classes, by the number of its units. C: each class with its core units alone, accuracy and balanced accuracy on test images minus those of the whole layer.

# %% tags=["nbval-ignore-output"]
rows = [[name, *(f"{value:.2f}" for value in found)] for name, found in specialist.items()]
display(Markdown(words.table(["accuracy of a network", *(f"with {count} units" for count in counts)], rows)))

# %% [markdown]
# ## Verdicts
#
# The claims C50 and C51 are ours: the paper's abstract leads to them.

# %%
display(Markdown(simplification_words.verdict_sentences(results)))
measured = {"C50": unitnb.simplification_claim(results), "C51": unitnb.core_suffices_claim(core)}
display(Markdown(unitnb.record_claims(p, "07_simplification", measured)))

# %% [markdown]
# You have seen smaller networks by the paper's rank and by simpler scores, before and after a short training. It is the end of the path: the verdicts of all seven notebooks stand together in `CLAIMS.md` beside the figures. To ask about a unit, an image or a class of your own, go on to [explore](explore.ipynb).

# %% [markdown]
# ## References
#
# - H. Li, A. Kadav, I. Durdanovic, H. Samet, H. P. Graf, *Pruning filters for efficient ConvNets*, ICLR 2017 (L1 norm, and what removing a filter takes along). H. Hu, R. Peng, Y.-W. Tai, C.-K. Tang, *Network trimming*, arXiv 1607.03250 (2016; APoZ).
# - P. Molchanov, S. Tyree, T. Karras, T. Aila, J. Kautz, *Pruning convolutional neural networks for resource efficient inference*, ICLR 2017 (Taylor, mean activation).
# - A. Ghorbani, J. Zou, *Neuron Shapley: discovering the responsible neurons*, NeurIPS 2020.

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
# # 2. Training makes birth points concentrate
#
# **Question** (Sec. 2.3 and 3.3, Fig. 2B–D). An untrained network gives chaotic maps; as it learns, do its maps become more alike, and how fast?
#
# **What the paper says.** The birth points of all units concentrate epoch by epoch; the mean feature entropy falls like the training loss, both
# with their biggest drop in the first epoch; the selective rate and the effectiveness fall too, since more and more units no longer matter for the class.
#
# **What you will do.** Take model A's convolutions as they were after each epoch, compute the birth points of 100 training images of one class,
# and follow three means over the units. The notebook runs for about half a minute.

# %% [markdown]
# 1. [The means that are followed, by hand](#The-means-that-are-followed,-by-hand)
# 2. [Birth points after each epoch](#Birth-points-after-each-epoch)
# 3. [Figure 2B–D](#Figure-2B–D), and what to see in it
# 4. [Verdicts](#Verdicts) and [facts](#What-was-found,-beside-what-the-paper-says)
#
# Birth points, entropy, selective rate and effectiveness are those of [01_method](01_method.ipynb).

# %% tags=["parameters"]
profile = "shapes"
target_class = None
seed = 0
overrides = {}

# %%
import numpy as np
from IPython.display import Markdown, display
from scipy.stats import kendalltau

import unitnb
from unitnb.figures.fig2_training import training_figure
from unitnb.figures.words import table

p = unitnb.notebook_parameters(globals())
images = unitnb.open_images(p)
s100 = unitnb.sample_set(images, p, "S_100")
log = unitnb.training_log(p)
print(f"{len(s100)} training images of class '{p.target_class}', {log['epoch'][-1]:g} epochs")

# %% [markdown]
# ## The means that are followed, by hand
#
# An *epoch* is one pass of training over all images. After each, every unit $u$ of the layer has an entropy $H_u$, a selective rate $\varepsilon_u$ and an effectiveness $E_u$ on the same 100 images. A
# layer of $U$ units is summed up by
#
# $$\bar H = \frac{1}{U_H} \sum_{u\,:\,\varepsilon_u > 0} H_u, \qquad \bar\varepsilon = \frac{1}{U} \sum_u \varepsilon_u, \qquad \bar E = \frac{1}{U_E} \sum_{u\,:\,E_u < \infty} E_u ,$$
#
# where a unit without any birth point has no entropy ($U_H$ others have one) and a unit whose births are all the same has $H = 0$, so that its $E$ is infinite and left out ($U_E$ others).
#
# Take two units and three images: births 7, 7, 9 and 5, 5, 5. The first has $H = \frac{2}{3} \ln \frac{3}{2} + \frac{1}{3} \ln 3 = 0.64$ nats, the second $0$; $\bar H = 0.32$, $\bar\varepsilon = 1$, and $\bar E = 1 / 0.64 = 1.57$
# from the first unit alone.
#
# Whether a sequence falls is said by *Kendall's tau* with the epoch: of all pairs of epochs, the share that rises minus the share that falls. It is $+1$ for a sequence that always rises, $-1$ for one that always falls.

# %% [markdown]
# ## Birth points after each epoch
#
# Epoch 0 is the untrained network. A recipe with `parts` keeps several networks within the first epoch, too. Units are not followed by their index: all maps of an epoch are pooled, as in the paper.

# %%
births = {epoch: unitnb.birth_points(unitnb.epoch_maps(p, epoch, s100.images), b_max=p.b_max) for epoch in log["epoch"].tolist()}
entropy = np.array([np.nanmean(unitnb.feature_entropy(b)) for b in births.values()])
rate = np.array([unitnb.selective_rate(b).mean() for b in births.values()])
effectiveness = np.array([unitnb.effectiveness(b, p=p.effective_threshold) for b in births.values()])
finite = np.ma.masked_invalid(effectiveness).mean(1).data
infinite = (~np.isfinite(effectiveness)).sum()
print(f"{infinite} of {effectiveness.size} values of E are infinite (H = 0), left out of the means")

# %% [markdown]
# ## Figure 2B–D

# %%
means = {"entropy": entropy, "rate": rate, "effectiveness": finite}
figure = training_figure(log, births, means, unitnb.null_births(14), unitnb.null_entropy(14, n_images=len(s100)))
unitnb.save_figure(p, "fig2", figure, notebook="02_training", samples=[s100])

# %% [markdown]
# **Figure 2B–D.** B: birth points of all units and images after four epochs; grey: those of structureless maps, whose entries are random numbers, drawn independently from one distribution. C1: loss on training images. C2: mean feature entropy $H$ over the units; the grey band is the entropy of
# structureless maps over as many images, mean (line) and two standard deviations (sd) to either side. D1: mean selective rate $\varepsilon$. D2: mean effectiveness $E$.
#
# What to see: in **B**, whether the coloured distribution draws together and leaves the grey one, which is that of maps without any structure; in **C**, whether the entropy falls, whether it does so when the loss
# does, and on which side of the grey line it ends; in **D**, whether fewer images give a birth as training goes on. What would refute the paper: an entropy that does not fall, or falls at another time than the loss;
# a rate that rises.

# %% [markdown]
# ## Verdicts
#
# One network's training is one case, so these claims are judged over at least three training seeds and all classes, from results that `make train EXTRA=1` stores; of fewer the numbers stand in the ledger, as *one training only*.

# %%
vertices = unitnb.epoch_maps(p, 0, s100.images[:1]).shape[1]
whole = {epoch: b for epoch, b in births.items() if epoch % 1 == 0}  # of the first epoch not its parts
losses = log["loss"][np.isin(log["epoch"], list(whole))]
display(Markdown(unitnb.record_claims(p, "02_training", unitnb.training_seed_claims(p, vertices, whole, losses))))

# %% [markdown]
# ## What was found, beside what the paper says

# %%
unimportant = (effectiveness == 0).mean(1)
first = log["epoch"].tolist().index(1)
first_loss, first_entropy = ((v[0] - v[first]) / (v[0] - v[-1]) for v in (log["loss"], entropy))
facts = [
    [name, "falls", f"{values[0]:.2f} to {values[-1]:.2f}{unit}", f"{kendalltau(log['epoch'], values)[0]:+.1f}"]
    for name, values, unit in (("mean entropy", entropy, " nats"), ("mean selective rate", rate, ""), ("mean effectiveness", finite, " 1/nats"))
]
facts += [
    ["units with $E = 0$", "more and more", f"{unimportant[0]:.0%} to {unimportant[-1]:.0%}", ""],
    ["drop in the first epoch", "the biggest", f"{first_loss:.0%} of the loss's fall, {first_entropy:.0%} of the entropy's", ""],
    ["loss and entropy", "quite similar", f"correlation over the epochs {np.corrcoef(log['loss'], entropy)[0, 1]:.1f}", ""],
]
display(Markdown(table(["", "the paper", "here", "Kendall's tau with the epoch"], facts)))

# %% [markdown]
# You have seen what training does to birth points, their entropy, the rate and the effectiveness. A number that training changes need not matter for the network's answers. Next, [03_ablation](03_ablation.ipynb) removes units in the order of $E$ and looks at the answers.
#
# ## References
#
# - Y. Zhao, H. Zhang, *Quantitative effectiveness assessment and role categorization of individual units in convolutional neural networks*, arXiv 2103.09716v1 (2021): the paper.
# - M. G. Kendall, *A new measure of rank correlation*, Biometrika 30 (1938).

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
# # Explore: any class, any unit, any image
#
# **Question.** What do the terms of [01_method](01_method.ipynb) look like for a unit and an image of your own choice, and what can the network do with only a part of its units?
#
# **What you will do.** Run the notebook (*Run* → *Run All Cells*) and move the sliders below. The widgets need a running kernel; where this notebook is only looked at, the plain
# calls after them show the same. Opening a model takes a few seconds, each change after that a fraction of one.
#
# | you choose | you see |
# | --- | --- |
# | profile, model (A to D, of falling generalisation), class | units, ranks and roles for that class |
# | units in place | accuracy with only these places of the rank in the layer, all other units silent |
# | place of the unit in the importance rank; image of $S_{100}$ | the image, the symmetrized map, the unit's birth points over 100 images against structureless maps, its place by rival scores, the images that it answers to most |
# | level of $v$ | the $v$ strongest entries framed, the complex that they span, its first hole thick while it is open, $\beta_0$ and $\beta_1$ |

# %%
from IPython.display import Markdown, display

import unitnb
from unitnb.explorer import answers, pictures
from unitnb.figures.words import table

# %% tags=["nbval-ignore-output"]
unitnb.explore()

# %% [markdown]
# ## The same by plain calls
#
# Each widget shows what a function gives; so can you, in a notebook of your own. First the unit at the head of the rank, and the filtration of its map for the first image, where its
# hole is born.

# %%
opened = unitnb.open_explorer(profile="shapes", model="A")
unit = answers.unit_at(opened, place=1)
facts = unitnb.unit_facts(opened, unit)
print(f"class '{opened.target_class}', unit {unit}: rate {facts['rate']:.2f}, H {facts['entropy']:.1f} nats, E {facts['effectiveness']:.2f}, role {facts['role']}")

# %%
filtration = answers.filtration(opened.map_of(image=0, unit=unit))
figure = pictures.filtration_figure(opened.sample.images[0], filtration, filtration.birth_level)

# %%
figure = pictures.unit_figure(opened, unit)

# %% [markdown]
# ## A part of the units
#
# Accuracy with only some places of the rank in the layer, the others silent. Compare the shares of *other* classes' images that are taken for the class: accuracy alone rewards a
# network that says the class's name always.

# %%
rows = []
for first, last in ((1, opened.n_units), (1, opened.n_units // 4), (opened.n_units // 4 + 1, opened.n_units)):
    shares = unitnb.span_accuracy(opened, first, last)
    rows.append([f"{first} to {last}", *(f"{shares[kind]:.2f}" for kind in ("training", "test", "others"))])
display(Markdown(table(["places", "training accuracy", "test accuracy", "others taken for the class"], rows)))

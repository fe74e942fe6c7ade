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
# # 5. Four roles of units
#
# **Question** (Sec. 3.6, Fig. 5, Table 1). Insert the units in the order of their importance. Which help on training images, which on test images?
#
# **What the paper says.** *Core* units come first and help both; *overfitted* units help training images and hurt test images; *generalizing* units help test
# images only; *confusing* units help neither. A well-trained network has few core units, hardly any overfitted and many confusing ones; networks that
# generalise badly have many overfitted units.
#
# **What you will do.** For four models of falling generalisation, rank the units on 100 training images, insert them one by one, and let a rule (change
# points of the curves, signs of their slopes with bootstrap intervals) give each unit a role. It takes about a minute.

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
print(f"class '{p.target_class}', models {', '.join(p.models)}")

# %% [markdown]
# ## Insertion curves of four models
#
# A is regularised (dropout, weight decay), B is not, C sees a fraction of the data, D a fraction of the data with corrupted labels. For each, $S_{100}$ is drawn from the
# images that it was trained on, under the labels that it was told.

# %%
runs, samples = {}, []
for model in p.models:
    split = unitnb.split_model(unitnb.load_model(p, model), p.layer)
    train, test = unitnb.sample_set(images, p, "S_100", model), unitnb.sample_set(images, p, "S_val", model)
    samples += [train, test]
    maps = split.feature_maps(train.images)
    rank = unitnb.importance_rank(unitnb.effectiveness(unitnb.birth_points(maps, b_max=p.b_max), p=p.effective_threshold))
    curves = [
        unitnb.ablation_curve(split, maps, train.labels, rank, mode="insert"),
        unitnb.ablation_curve(split, split.feature_maps(test.images), test.labels, rank, mode="insert"),
    ]
    runs[model] = (*curves, unitnb.categorise_roles(rank, *curves, seed=p.seed))

# %% [markdown]
# ## Figure 5
#
# Accuracy (above) and loss (below) as units are inserted, most important first. Coloured spans are the roles.

# %%
figure = figures.roles_figure(runs)
unitnb.save_figure(p, "fig5", figure, notebook="05_roles", samples=samples)

# %% [markdown]
# ## Table 1
#
# Accuracy of the whole network on the images of the class, and how many units play each role.

# %%
paper = {"A": (0.58, 0.46), "B": (0.78, 0.44), "C": (0.77, 0.22), "D": (0.95, 0.10)}
rows = [
    [model, *(f"{a:.2f}" for a in paper[model]), f"{train.accuracy[-1]:.2f}", f"{test.accuracy[-1]:.2f}", *roles.counts.values(), f"{roles.agreement.mean():.2f}"]
    for model, (train, test, roles) in runs.items()
]
header = ["model", "paper: training", "paper: test", "here: training", "here: test", *unitnb.roles.ROLES, "agreement of bootstraps"]
table = figures.table(header, rows)
unitnb.save_table(p, "table1", table, notebook="05_roles")
print(table)

# %% [markdown]
# ## What was found, beside what the paper says

# %%
for model, (train, test, roles) in runs.items():
    units = len(roles.role)
    (m_train, top_train), (m_test, top_test) = train.peak(), test.peak()
    print(
        f"{model}: gap {train.accuracy[-1] - test.accuracy[-1]:+.2f}, core {roles.core_size} of {units} units; training peak {top_train:.2f} at {m_train / units:.0%} "
        f"(whole layer {train.accuracy[-1]:.2f}), test peak {top_test:.2f} at {m_test / units:.0%} (whole layer {test.accuracy[-1]:.2f})"
    )
counts = {model: roles.counts for model, (_, _, roles) in runs.items()}
print("overfitted units    paper: more, the worse a model generalises    here:", ", ".join(f"{model} {c['overfitted']}" for model, c in counts.items()))
print("generalizing units  paper: only in well-trained models            here:", ", ".join(f"{model} {c['generalizing']}" for model, c in counts.items()))
print("confusing units     paper: many in well-trained models            here:", ", ".join(f"{model} {c['confusing']}" for model, c in counts.items()))

"""unitnb: effectiveness, ablation, stability and roles of single units in CNNs (arXiv 2103.09716).

Names are looked up on first use, so ``import unitnb`` is instant and TensorFlow is loaded only by what needs it.
"""

import importlib
import os

__version__ = "0.1.0"

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"

# TensorFlow and Keras read these when they are imported, so they must be set before (see CONTRIBUTING.md).
for _name, _value in {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    ONEDNN: "0",
    "TF_NUM_INTRAOP_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),  # Dask gives its workers one
    "TF_NUM_INTEROP_THREADS": "1",
}.items():
    os.environ.setdefault(_name, _value)
if "OMP_NUM_THREADS" in os.environ:  # Numba alone does not read it
    os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

# The public names, by module, in the order in which modules may import one another.
EXPORTS = {
    "synsets": (),
    "progress": (),
    "profiles": ("Profile", "load_profile", "notebook_parameters"),
    "atomic": (),
    "store": (),
    "shapes": (),
    "tars": (),
    "ilsvrc": (),
    "data": ("sample_others", "sample_set", "training_set"),
    "sources": ("folder_images", "open_images"),
    "tails": (),
    "models": ("SplitModel", "split_model"),
    "vgg": ("small_vgg", "vgg16"),
    "pretrained": (),
    "networks": ("epoch_maps", "load_model", "open_layer", "trained_models", "training_log"),
    "large_training": (),
    "training": ("train_model",),
    "topology._graphs": (),
    "topology._births": (),
    "topology.nulls": (),
    "topology": ("betti_curves", "birth_points", "null_births"),
    "topology.barcodes": ("barcode",),
    "streaming": ("Streamed", "pooled_split", "stream"),
    "estimators": (),
    "entropy": ("effectiveness", "feature_entropy", "importance_rank", "null_entropy", "selective_rate"),
    "ablation.curves": ("Curve", "area_difference"),
    "ablation": ("ablation_curve", "ablation_curves"),
    "ablation.spans": (),
    "ablation.causal": ("greedy_forward", "single_ablation", "taylor"),
    "controls": (),
    "controls.scores": ("rival_scores",),
    "controls.choices": (),
    "controls.chance": (),
    "controls._cubical": (),
    "controls.constructions": (),
    "controls.comparison": ("class_maps",),
    "controls.experiments": ("choice_areas", "class_result"),
    "stability": (
        "mean_effectiveness",
        "rank_agreement",
        "resampled_effectiveness",
        "stability_ratio",
        "stability_table",
        "stability_votes",
    ),
    "roles": ("Roles", "categorise_roles"),
    "roles.marginals": ("marginal_effects", "role_agreement", "roles_from_marginals"),
    "roles.extra": ("model_results", "overfitting_signs", "results_of", "spearman_interval", "spearman_text"),
    "roles.crossclass": ("damage_matrix", "rank_correlations", "shared_tails"),
    "panels": (),
    "figures": ("save_figure", "save_table"),
    "roles.figures": (),
    "method_figures": (),
    "explorer": ("open_explorer", "span_accuracy", "unit_facts"),
    "explorer.figures": (),
    "explorer.widgets": ("explore",),
    "sweep": (),
    "sweep.executors": (),
    "sweep.tasks": (),
    "sweep.work": (),
    "sweep.summary": (),
    "controls.tables": ("answers_table", "bias_table", "scores_table"),
    "controls.figures": (),
    "claims": (),
    "claims.verdicts": ("load_claims", "record_claims"),
    "claims.documents": (),
    "claims.picture": (),
    "claims.measures": ("ablation_claims", "method_claims", "stability_claims"),
    "claims.network_measures": (
        "class_claim",
        "core_claim",
        "depth_claim",
        "halved_weights",
        "importance_claim",
        "rivals_claim",
        "scale_claim",
    ),
    "claims.seeds": ("role_seed_claims", "training_seed_claims"),
    "notebooks": (),
    "site.index_page": (),
    "site.formulas": (),
    "site": (),
    "cli": (),
}
_MODULE_OF = {name: module for module, names in EXPORTS.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name in EXPORTS:
        return importlib.import_module(f".{name}", __name__)
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    raise AttributeError(f"unitnb has no '{name}'; it has {', '.join(__all__)}")


def __dir__():
    return sorted({*globals(), *EXPORTS, *__all__})

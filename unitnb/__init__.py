"""unitnb: effectiveness, ablation, stability and roles of single units in CNNs (arXiv 2103.09716).

Names are looked up on first use, so ``import unitnb`` is instant and TensorFlow is loaded only by what needs
it.
"""

import importlib
import importlib.util
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

# The public names, by the module that defines them, along the way of the data.
EXPORTS = {
    "profiles": ("Profile", "load_profile"),
    "images.parameters": ("notebook_parameters",),
    "images.samples": ("sample_others", "sample_set", "training_set"),
    "images.sources": ("folder_images", "open_images"),
    "networks.removal": ("remove_units",),
    "networks.cost": ("model_cost",),
    "networks.depth": ("rows_by_depth",),
    "networks.split": ("SplitModel", "split_model", "usable_layers"),
    "networks.efficientnet_lite": ("efficientnet_lite0", "load_efficientnet_lite0"),
    "networks.vgg": ("small_vgg", "vgg16"),
    "networks.trained": ("epoch_maps", "load_model", "open_layer", "trained_models", "training_log"),
    "networks.training": ("train_model",),
    "topology.births": ("betti_curves", "birth_points"),
    "topology.nulls": ("null_births",),
    "topology.barcodes": ("barcode",),
    "units.streaming": ("BirthsAndPooledMaps", "births_in_blocks", "pooled_split"),
    "units.estimators": ("null_entropy",),
    "units.entropy": ("effectiveness", "feature_entropy", "importance_rank", "selective_rate"),
    "ablation.curves": ("Curve", "area_difference"),
    "ablation.cumulative": ("ablation_curve", "ablation_curves", "curve_knots"),
    "ablation.marginals": ("marginal_effects", "neuron_shapley"),
    "ablation.causal": ("greedy_forward", "single_ablation", "taylor"),
    "controls.scores": ("rival_scores",),
    "controls.comparison": ("class_maps",),
    "controls.ranking_images": ("ranking_areas", "vote_readings"),
    "controls.experiments": ("choice_areas", "class_result", "class_results"),
    "controls.rival_networks": ("known_rivals",),
    "controls.many_networks": ("kept_losses", "network_losses"),
    "controls.second_layer": ("second_layer",),
    "controls.simplification_results": ("core_results", "simplification_results", "tuned_accuracies"),
    "controls.specialists": ("specialist_accuracies",),
    "units.stability": (
        "mean_effectiveness",
        "rank_agreement",
        "resampled_effectiveness",
        "stability_ratio",
        "stability_table",
        "stability_votes",
    ),
    "roles.by_place": ("Roles", "categorise_roles"),
    "roles.by_unit": ("role_agreement", "roles_from_marginals"),
    "roles.many_models": ("model_results", "placebo_roles", "results_of", "role_samples"),
    "roles.relations": ("overfitting_signs", "spearman_interval", "spearman_text"),
    "roles.crossclass": ("damage_matrix", "rank_correlations", "shared_tails"),
    "figures.saving": ("save_figure", "save_table"),
    "explorer.analysis": ("Analysis", "analyse"),
    "explorer.answers": ("open_explorer", "span_accuracy", "unit_facts"),
    "explorer.start": ("explore",),
    "figures.tables": ("answers_table", "bias_table", "classes_table", "networks_table", "scores_table"),
    "figures.tables_controls": ("noise_table", "operating_table", "rivals_table"),
    "figures.tables_roles": ("role_shares_table",),
    "claims.verdicts": ("load_claims", "record_claims"),
    "claims.measures": ("method_claims",),
    "claims.measures_ablation": ("ClassCurves", "ablation_claims"),
    "claims.measures_stability": ("stability_claims",),
    "claims.measures_extension": ("extension_claim",),
    "claims.measures_simplification": ("core_suffices_claim", "simplification_claim"),
    "claims.measures_networks": (
        "class_claim",
        "depth_claim",
        "halved_weights",
        "importance_claim",
        "rivals_claim",
        "scale_claim",
    ),
    "claims.measures_seeds": ("role_seed_claims", "training_seed_claims"),
}
_MODULE_OF = {name: module for module, names in EXPORTS.items() for name in names}
__all__ = sorted(_MODULE_OF)


def names_on_first_use(package: str):
    """``__getattr__`` and ``__dir__`` of a package: the public names that its modules define, and its
    modules, imported when asked for.
    """
    inside = package.removeprefix(__name__).removeprefix(".")
    public = {
        name: module
        for name, module in _MODULE_OF.items()
        if f"{module}.".startswith(f"{inside}." if inside else "")
    }

    def look_up(name):
        if name in public:
            return getattr(importlib.import_module(f"{__name__}.{public[name]}"), name)
        if importlib.util.find_spec(f"{package}.{name}"):
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(
            f"{package} has no '{name}'; it has {', '.join(sorted(public)) or 'modules only'}"
        )

    return look_up, lambda: sorted(public)


__getattr__, __dir__ = names_on_first_use(__name__)

from .files.quiet import quieten_tensorflow  # noqa: E402 (files' face takes names_on_first_use)

quieten_tensorflow()

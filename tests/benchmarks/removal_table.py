"""Every convolution of ``keras.applications``: removed alone, by another layer, together with others, or refused.

python tests/benchmarks/removal_table.py [--built N] [name ...]

Random weights and the smallest images. A third of a convolution's units is planned to go. Of each model
``BUILT`` smaller models, or N, are made, which ``remove_units`` compares with the masked model. What it
prints is kept in REMOVAL.md.
"""

import argparse
import collections
import gc
import sys
import time

import keras
import numpy as np

from unitnb.networks.graph import flat_graph
from unitnb.networks.removal import checked_removal, remove_units
from unitnb.networks.removal_plan import CoupledUnitsError, Linked

L = keras.layers
CONVOLUTIONS = (L.Conv2D, L.DepthwiseConv2D, L.SeparableConv2D, L.Conv2DTranspose)
KINDS = ("alone", "by the layer behind", "together", "refused")
SIDES = {"Inception": 75, "Xception": 71}
BUILT = 2


def names():
    """The models of ``keras.applications``, the smaller ones first."""
    found = [name for name in dir(keras.applications) if name[0].isupper()]
    large = ("Large", "XLarge", "B5", "B6", "B7", "V2L", "V2M", "152", "B4", "201")
    return sorted(found, key=lambda name: (name.endswith(large) or "152" in name, name))


def randomised(model, seed=0):
    """Statistics and biases that are neither 0 nor 1, so that constants behind masks are seen."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for variable in () if isinstance(layer, L.Normalization) else layer.weights:
            if len(variable.shape) == 1:
                around = 1 if variable.name in ("gamma", "moving_variance") else 0
                variable.assign(around + rng.uniform(-0.4, 0.4, variable.shape))
    return model


def kind_of(linked, path, units):
    """One of KINDS, and why it is refused."""
    try:
        checked_removal(linked, {path: units})
    except CoupledUnitsError as error:
        checked_removal(linked, error.together)
        return KINDS[1 if len(error.together) == 1 else 2], ""
    except ValueError as error:
        return KINDS[3], reason(str(error))
    return KINDS[0], ""


def reason(text):
    for word in (
        "LayerNormalization",
        "groups",
        "LayerScale",
        "StochasticDepth",
        "outputs of",
        "no unit would be left",
        "the activation of 'predictions'",
    ):
        if word in text:
            return word
    return text.split(": ", 1)[-1][:90]


def row(name, n_built=BUILT):
    side = next((side for prefix, side in SIDES.items() if name.startswith(prefix)), 32)
    model = randomised(
        getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), classes=10)
    )
    linked = Linked(flat_graph(model))
    rng = np.random.default_rng(0)
    paths = [path for path, layer in linked.graph.layers.items() if isinstance(layer, CONVOLUTIONS)]
    counts, reasons = collections.Counter(), collections.Counter()
    for path in paths:
        count = linked.graph.calls[path][0].shape[-1]
        kind, why = kind_of(linked, path, rng.permutation(count)[: count // 3])
        counts[kind] += 1
        reasons[why] += bool(why)
    some = paths[1 :: max(1, len(paths) // max(n_built, 1))][:n_built]
    built = sum(build(model, linked, path) for path in some)
    return len(paths), counts, [f"{why} ({n})" for why, n in reasons.items() if n], built


def build(model, linked, path):
    try:
        remove_units(model, path, [1, 3])
    except CoupledUnitsError as error:
        remove_units(model, error.together)
    except ValueError as error:
        return 0 if "differ from those of the masked" not in str(error) else sys.exit(f"{path}: {error}")
    return 1


def main(chosen, n_built=BUILT):
    print("| model | convolutions | " + " | ".join(KINDS) + " | why refused | built and compared | s |")
    print("|---|" + "---|" * 8)
    total, all_counts = 0, collections.Counter()
    for name in chosen or names():
        start = time.perf_counter()
        n, counts, reasons, built = row(name, n_built)
        total, all_counts = total + n, all_counts + counts
        cells = [name, n, *(counts[kind] for kind in KINDS), "; ".join(reasons), built]
        print("| " + " | ".join(map(str, cells)) + f" | {time.perf_counter() - start:.0f} |", flush=True)
        keras.backend.clear_session()
        gc.collect()
    cells = ["all", total, *(all_counts[kind] for kind in KINDS)]
    print("| " + " | ".join(map(str, cells)) + " | | | |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--built", type=int, default=BUILT)
    options = parser.parse_args()
    main(options.names, options.built)

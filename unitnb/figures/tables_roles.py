"""The shares of the four roles over many networks, beside Table 1."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..roles.by_place import ROLES
from .words import table


def role_shares_table(models: Sequence[str], results: Mapping[str, np.ndarray]) -> str:
    """Share of the units in each role, in Markdown: mean over a recipe's classes and seeds, and its range.

    ``models`` and ``results`` are of ``model_results``. A recipe is a letter; A, A1 and A2 are its seeds. The
    placebo has other training images in place of the test images.
    """
    letters = list(dict.fromkeys(model[0] for model in models))
    header = ["recipe", "seeds", "gap", *ROLES, *(f"placebo: {role}" for role in ROLES)]
    about = "Shares of the units, means over all classes and the seeds of a recipe (least to greatest seed):"
    rows = [_row([i for i, m in enumerate(models) if m[0] == letter], letter, results) for letter in letters]
    return f"{about}\n\n{table(header, rows)}"


def _row(places, letter, results):
    gap = (results["train"] - results["test"])[places][..., -1].mean(axis=1)
    shares = [
        (results[key] / results[key].sum(axis=-1, keepdims=True))[places].mean(axis=1)[:, role]
        for key in ("roles", "placebo")
        for role in range(len(ROLES))
    ]
    return [letter, len(places), _spread(gap), *(_spread(share) for share in shares)]


def _spread(values):
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{values.mean():.2f} ({values.min():.2f} to {values.max():.2f})"

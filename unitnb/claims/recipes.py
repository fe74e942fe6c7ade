"""Which of many trained networks belong to which recipe of the profile.

A letter is a recipe, A to D. "A", "A1" and "A2" are networks of recipe A, each with first weights and an
order of images of its own: its training seeds.
"""

from collections.abc import Sequence

import numpy as np

LETTERS = "ABCD"


def networks_of(models: Sequence[str], letter: str) -> list[int]:
    """Places of the networks of one recipe among ``models``, first seed first.

    >>> networks_of(["A", "B", "A1", "E"], "A")
    [0, 2]
    """
    return [
        place for place, model in enumerate(models) if model[0] == letter and (model[1:] or "0").isdigit()
    ]


def seed_count(models: Sequence[str]) -> int:
    """Training seeds that every recipe has.

    >>> seed_count(["A", "B", "C", "D", "A1"])
    1
    """
    return min(len(networks_of(models, letter)) for letter in LETTERS)


def of_recipe(models: Sequence[str], values, letter: str) -> np.ndarray:
    """Values (models, ...) of the networks of one recipe, as many as there are of each: (seeds, ...)."""
    return np.asarray(values)[networks_of(models, letter)[: seed_count(models)]]

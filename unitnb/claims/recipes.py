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


def seed_count(models: Sequence[str], letters=LETTERS) -> int:
    """Training seeds that every one of some recipes has.

    >>> seed_count(["A", "B", "C", "D", "A1"])
    1
    """
    return min(len(networks_of(models, letter)) for letter in letters)


def of_recipe(models: Sequence[str], values, letter: str, letters=LETTERS) -> np.ndarray:
    """Values (models, ...) of one recipe's networks, as many as each of ``letters`` has: (seeds, ...)."""
    return np.asarray(values)[networks_of(models, letter)[: seed_count(models, letters)]]

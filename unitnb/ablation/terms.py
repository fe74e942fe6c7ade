"""The units' terms in the first dense pre-activation of a block of images, for the running-sum engine.

A unit's term is the product of its values behind the trunk, ``change`` (u, n, f), with its rows of the
kernel, ``kernel`` (f, u, d): one (n, d) array a unit. All numbers are float32, and sums over many units are
float64, or float32 products added to float64.
"""

import numpy as np


class StoredTerms:
    """All terms, computed once: behind a flattening a unit has many values, and its term costs a product."""

    def __init__(self, change: np.ndarray, kernel: np.ndarray):
        units, n, _ = change.shape
        self.terms = np.empty((units, n, kernel.shape[2]), np.float32)
        for unit in range(units):  # a stacked product of strided matrices does not reach BLAS
            np.matmul(change[unit], kernel[:, unit], out=self.terms[unit])
        self.held, self.in_place = np.zeros(self.terms.shape[1:]), np.zeros(units, bool)

    def of(self, unit: int) -> np.ndarray:
        """The term of a unit, (n, d)."""
        return self.terms[unit]

    def add(self, units, total: np.ndarray) -> None:
        """Add the terms of some units to ``total`` (n, d) float64."""
        for unit in units:
            total += self.terms[unit]

    def whole(self, images) -> np.ndarray:
        """The sum over all units, of some images (m,): (m, d) float64."""
        return self.terms[:, images].sum(axis=0, dtype=np.float64)

    def sum_of(self, present: np.ndarray) -> np.ndarray:
        """The sum over the units of a mask (u,), (n, d) float64; costs what changed since the last call."""
        for unit in np.flatnonzero(present != self.in_place):
            (np.add if present[unit] else np.subtract)(self.held, self.terms[unit], out=self.held)
        self.in_place = present.copy()
        return self.held


class PooledTerms:
    """Terms of one value a unit, behind a global pooling: made when asked for, and many of them by a product.

    To keep them would take as long to read as to make them: 1.2 GB of 1,280 units, 230 images, 1000 classes.
    """

    def __init__(self, change: np.ndarray, kernel: np.ndarray):
        self.values, self.weights = np.ascontiguousarray(change[..., 0]), np.ascontiguousarray(kernel[0])

    def of(self, unit: int) -> np.ndarray:
        """As ``StoredTerms.of``."""
        return self.values[unit][:, None] * self.weights[unit]

    def add(self, units, total: np.ndarray) -> None:
        """As ``StoredTerms.add``."""
        total += self.of(units[0]) if len(units) == 1 else self.values[units].T @ self.weights[units]

    def whole(self, images) -> np.ndarray:
        """As ``StoredTerms.whole``."""
        return self.values[:, images].T.astype(np.float64) @ self.weights.astype(np.float64)

    def sum_of(self, present: np.ndarray) -> np.ndarray:
        """As ``StoredTerms.sum_of``; one product, so that nothing adds up over many calls."""
        return (self.values[present].T @ self.weights[present]).astype(np.float64)


def terms_of(change: np.ndarray, kernel: np.ndarray) -> StoredTerms | PooledTerms:
    """The terms of a block: kept where a unit has several values, else made when asked for."""
    return (PooledTerms if change.shape[2] == 1 else StoredTerms)(change, kernel)

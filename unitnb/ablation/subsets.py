"""The network with any set of units in place and all others silent, kept ready so that an answer comes at
once.
"""

from collections.abc import Sequence

import numpy as np
from threadpoolctl import ThreadpoolController

from .engines import open_engine


class SubsetPredictor:
    """A layer over some images whose units can be put in place at will.

    The terms of all units are computed once and their running sum is kept. An answer then costs the units
    that have changed since the last one, and what follows the first dense layer. A tail without such terms
    (masked-tail, masked-model) is run again each time.

    Parameters
    ----------
    split : SplitModel
    maps : (n, h, w, u) float
        ``split.feature_maps(images)``; of a masked-model split, with their images.
    """

    def __init__(self, split, maps):
        self.n_units, self.n_images = split.n_units, len(maps)
        self.threads = ThreadpoolController()  # to look for the libraries takes longer than an answer
        fill = np.zeros(maps.shape[1:], np.float32)
        size = open_engine(split, fill).images
        self.engines = [self._opened(split, maps[i : i + size], fill) for i in range(0, len(maps), size)]

    @staticmethod
    def _opened(split, maps, fill):
        engine = open_engine(split, fill)
        engine.load(maps, getattr(maps, "images", None))
        return engine, np.arange(len(maps))

    def predict(self, units: Sequence[int] | np.ndarray) -> np.ndarray:
        """Class scores (n, classes), whose softmax is the probability of each class, with only ``units`` in
        place.

        Raises
        ------
        ValueError
            If one of them is no unit of the layer.
        """
        chosen = np.asarray(units, int)
        if chosen.size and not (0 <= chosen.min() and chosen.max() < self.n_units):
            span = f"units go from {chosen.min()} to {chosen.max()}"
            raise ValueError(f"{span}; the layer has the units 0 to {self.n_units - 1}")
        present = np.isin(np.arange(self.n_units), chosen)
        with self.threads.limit(limits=self.engines[0][0].blas_threads, user_api="blas"):
            scores = [engine.scores(engine.with_units(present), images) for engine, images in self.engines]
        return np.concatenate(scores)

    def fraction_predicted(self, units: Sequence[int] | np.ndarray, label: int) -> float:
        """Share of the images that are given the class ``label`` with only ``units`` in place.

        On images of the class it is the accuracy.
        """
        return float(np.mean(self.predict(units).argmax(axis=1) == label))

"""The explorer as plain functions: one model, class and layer is opened once for many questions."""

import functools
import importlib.util
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ablation.cumulative import ablation_curve
from ..ablation.subsets import SubsetPredictor
from ..controls import scores
from ..images import sources
from ..images.parameters import fitted
from ..images.samples import SampleSet, sample_others, sample_set
from ..networks.efficientnet_lite import PACKAGE
from ..networks.trained import open_layer
from ..profiles import Profile, load_profile, profile_names
from ..roles.by_place import Roles, categorise_roles
from ..topology.barcodes import barcode, hole_at
from ..topology.births import betti_curves, birth_points, edges_present, top_edges
from ..units.entropy import feature_entropy, importance_rank, selective_rate

PRETRAINED = "imagenette"  # the profile of a pretrained network on photographs

__all__ = ["Explorer", "open_explorer", "span_accuracy", "unit_facts"]


@dataclass(frozen=True, eq=False)
class Explorer:
    """One model and one class with everything about the units: n images, u units, maps of h x h."""

    profile: Profile
    model: str
    classes: tuple[str, ...]
    sample: SampleSet  # S_100
    maps: np.ndarray = field(repr=False)  # (n, h, h, u) float32
    births: np.ndarray = field(repr=False)  # (n, u) int16
    effectiveness: np.ndarray = field(repr=False)  # (u,)
    order: np.ndarray = field(repr=False)  # (u,) units, the most effective first
    places: dict[str, np.ndarray] = field(repr=False)  # by score, each unit's place in its rank, from 1
    roles: Roles = field(repr=False)
    layers: dict[str, SubsetPredictor] = field(
        repr=False
    )  # over training, test and other classes' test images

    @property
    def target_class(self) -> str:
        """The name of the class."""
        return self.profile.target_class

    @property
    def label(self) -> int:
        """The class's index in the network's output."""
        return int(self.sample.labels[0])  # all of one class

    @property
    def n_units(self) -> int:
        """The number u of units."""
        return len(self.order)

    def map_of(self, image: int, unit: int) -> np.ndarray:
        """The map (h, h) of a unit for an image of the sample; ValueError if one of them does not exist."""
        if not 0 <= image < len(self.maps) or not 0 <= unit < self.n_units:
            raise ValueError(
                f"image {image}, unit {unit}: there are images 0 to {len(self.maps) - 1} "
                f"and units 0 to {self.n_units - 1}"
            )
        return self.maps[image, :, :, unit]


def choices(profile: str) -> tuple[Profile, tuple[str, ...]]:
    """A profile, whose ``models`` can be opened, and the classes of its images."""
    p = load_profile(profile)
    return p, sources.open_images(p).classes


def first_profile() -> str:
    """The profile to start with: "imagenette" where its images and weights are at hand, else "shapes"."""
    if PRETRAINED not in profile_names() or not load_profile(PRETRAINED).data_folder.exists():
        return "shapes"
    return PRETRAINED if importlib.util.find_spec(PACKAGE) else "shapes"


def open_explorer(profile: str = "shapes", model: str = "A", target_class: str | None = None) -> Explorer:
    """Load a model and one class's images, rank the units by every score, and give them roles.

    This takes a few seconds. The two results opened last are kept.

    Raises
    ------
    ValueError, KeyError
        For an unknown profile, class or model. The text gives the nearest known name.
    FileNotFoundError
        If the profile's images or the model's weights are missing.
    """
    return _opened(profile, model, target_class or load_profile(profile).target_class)


@functools.lru_cache(maxsize=2)
def _opened(profile: str, model: str, target_class: str) -> Explorer:
    p = fitted(load_profile(profile, {"target_class": target_class}))
    p.recipe(model)
    images = sources.open_images(p)
    split = open_layer(p, model)
    drawn = _samples(images, p, model)
    maps = {name: split.feature_maps(sample.images) for name, sample in drawn.items()}
    births, sample = birth_points(maps["training"], b_max=p.b_max), drawn["training"]
    rivals = scores.rival_scores(
        split, maps["training"], sample.labels, maps["ranking others"], p.effective_threshold, p.b_max, p.seed
    )
    order = importance_rank(rivals[scores.PAPER])
    places = {name: np.argsort(importance_rank(values)) + 1 for name, values in rivals.items()}
    curves = [
        ablation_curve(split, maps[name], drawn[name].labels, order, mode="insert")
        for name in ("training", "test")
    ]
    return Explorer(
        profile=p,
        model=model,
        classes=images.classes,
        sample=sample,
        maps=maps["training"],
        births=births,
        effectiveness=rivals[scores.PAPER],
        order=order,
        places=places,
        roles=categorise_roles(order, *curves, seed=p.seed),
        layers={name: SubsetPredictor(split, maps[name]) for name in ("training", "test", "others")},
    )


def _samples(images, p: Profile, model: str) -> dict[str, SampleSet]:
    return {
        "training": sample_set(images, p, "S_100", model),
        "test": sample_set(images, p, "S_val", model),
        "others": sample_others(images, p, "S_val", model),
        "ranking others": sample_others(images, p, "S_100", model),
    }


# ---- one map ----


@dataclass(frozen=True, eq=False)
class Filtration:
    """The filtration of one map (Eq. 3), of L levels."""

    fmap: np.ndarray  # (h, h)
    present: np.ndarray  # (L + 1,) edges present at each level, 0 first
    betti: np.ndarray  # (L + 1, 2) beta_0 and beta_1
    bars: np.ndarray  # (bars, 2) of beta_1, in edges present
    birth: int  # in edges present; 0 for none

    @property
    def birth_level(self) -> int:
        """The level of the birth, or the last level if there is none."""
        return int(np.searchsorted(self.present, self.birth)) if self.birth else len(self.present) - 1

    def edges(self, level: int) -> np.ndarray:
        """The edges (m, 2) present at a level, 0 to L."""
        return top_edges(self.fmap, level) if level else np.empty((0, 2), int)

    def hole(self, level: int) -> tuple[int, ...]:
        """The vertices of the first hole if it is open at a level, else ()."""
        return hole_at(self.fmap, self.present[level])


def filtration(fmap: np.ndarray, b_max: int | None = None) -> Filtration:
    """The filtration of one map (n, n) (Eq. 3), with its birth as in :func:`unitnb.birth_points`.

    Raises
    ------
    ValueError
        If the map is not square and finite.
    """
    _, betti = betti_curves(fmap)
    birth = int(birth_points(fmap[None, :, :, None], b_max=b_max)[0, 0])
    present = np.r_[0, edges_present(fmap)]
    return Filtration(fmap, present, np.vstack([[len(fmap), 0], betti]), barcode(fmap), birth)


# ---- one unit, one span of the rank ----


def unit_facts(explorer: Explorer, unit: int) -> dict[str, Any]:
    """What is known of a unit.

    Returns
    -------
    dict
        "unit"; "place" in the rank, from 1; selective "rate" in [0, 1]; "entropy" in nats; "effectiveness" in
        1/nats; "role" and its "agreement" in [0, 1]; "places", its places in the ranks of the other scores,
        by their names.
    """
    births = explorer.births[:, [unit]]
    others = {name: int(places[unit]) for name, places in explorer.places.items() if name != scores.PAPER}
    return {
        "unit": unit,
        "place": int(explorer.places[scores.PAPER][unit]),
        "rate": float(selective_rate(births)[0]),
        "entropy": float(feature_entropy(births)[0]),
        "effectiveness": float(explorer.effectiveness[unit]),
        "role": str(explorer.roles.role[unit]),
        "agreement": float(explorer.roles.agreement[unit]),
        "places": others,
    }


def top_images(explorer: Explorer, unit: int, count: int = 6) -> np.ndarray:
    """Indices, in the sample, of the images with the largest mean of a unit's map, the largest first."""
    return np.argsort(-explorer.maps[..., unit].mean(axis=(1, 2)), kind="stable")[:count]


def span_accuracy(explorer: Explorer, start: int, stop: int) -> dict[str, float]:
    """Answers of the network that keeps only the units at places ``start`` to ``stop`` of the rank.

    Places count from 1, and both are included. ``stop = start - 1`` leaves no unit.

    Returns
    -------
    dict
        Accuracy on the class's "training" and "test" images, and the share of "others", test images of other
        classes, that the network takes for the class.

    Raises
    ------
    ValueError
        If the places are not within the rank.
    """
    if not 1 <= start <= stop + 1 <= explorer.n_units + 1:
        raise ValueError(
            f"places {start} to {stop}: expected places from 1 to {explorer.n_units}, "
            "the first not after the last"
        )
    units = explorer.order[start - 1 : stop]
    return {
        name: layer.fraction_predicted(units.tolist(), explorer.label)
        for name, layer in explorer.layers.items()
    }


def unit_at(explorer: Explorer, place: int) -> int:
    """The unit at a place of the rank, from 1; ValueError if there is no such place."""
    if not 1 <= place <= explorer.n_units:
        raise ValueError(f"place {place}: expected a place of the rank, 1 to {explorer.n_units}")
    return int(explorer.order[place - 1])

"""A second layer of the same network, in front of the studied one: Fig. 3 and a few rivals at some points."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..ablation.causal import taylor
from ..images import sources
from ..images.samples import sample_others, sample_set
from ..networks.depth import depth_layers
from ..networks.graph import flat_graph
from ..networks.split import SplitModel, split_model
from ..networks.trained import layer_of, load_model
from ..profiles import Profile
from ..topology.births import birth_points
from ..units.entropy import effectiveness, feature_entropy, importance_rank, selective_rate
from .comparison import ScoreCurves, score_curves
from .experiments import RANDOM
from .many_networks import tail_words
from .scores import PAPER, inverse_entropy, mean_activation, random_orders

POINTS = 21  # of a curve, at most: a tail of convolutions is run again at each
RANDOM_ORDERS = 2  # and their reverses


@dataclass(frozen=True, eq=False)
class SecondLayer:
    """A layer in front of the studied one and what becomes of the target class.

    Attributes
    ----------
    layer, tail : str
        Its path in the network, and what follows it.
    map_shape : (h, w, u)
    entropy, rate : float
        Means over the units: H in nats, and the selective rate.
    train, test : ScoreCurves by score
        On S_100, which gave the ranks, and on S_val; negatives are a quarter of the profile's.
    """

    layer: str
    tail: str
    map_shape: tuple[int, int, int]
    entropy: float
    rate: float
    train: Mapping[str, ScoreCurves]
    test: Mapping[str, ScoreCurves]


def second_layer(profile: Profile, model: str = "A") -> SecondLayer | None:
    """Curves of the profile's target class for its second layer; None if no layer is in front.

    Raises
    ------
    KeyError
        If the network has no layer of the profile's ``second_layer``; the text names the nearest.
    """
    few = max(1, profile.n_others // 4)
    sized = replace(profile, image_size=profile.second_size or profile.image_size, n_others=few)
    split = _opened(sized, model)
    if split is None:
        return None
    images, own, others = sources.open_images(sized), {}, {}
    for name in ("S_100", "S_val"):
        own[name] = split.feature_maps(sample_set(images, sized, name, model).images)
        others[name] = split.feature_maps(sample_others(images, sized, name, model).images)
    label, points = images.class_index(profile.target_class), min(POINTS, profile.points or POINTS)
    births = birth_points(own["S_100"])  # the bound in proportion to its own edges
    orders = _orders(split, own["S_100"], births, label, profile)
    train, test = (
        score_curves(
            split, own[name], others[name], label, {score: orders[score] for score in wanted}, points
        )
        for name, wanted in (("S_100", [PAPER]), ("S_val", list(orders)))
    )
    means = float(np.nanmean(feature_entropy(births))), float(selective_rate(births).mean())
    return SecondLayer(split.layer, tail_words(split), split.map_shape, *means, train, test)


def _opened(profile: Profile, model: str) -> SplitModel | None:
    network = load_model(profile, model)
    before = depth_layers(flat_graph(network), layer_of(profile, model, network))[:-1]
    named = profile.second_layer or (before[-1] if before else None)
    return (
        split_model(network, named, profile.build / "cache" if profile.keep_maps else None) if named else None
    )


def _orders(split, maps, births, label, profile) -> dict[str, list]:
    scores = {
        PAPER: effectiveness(births, profile.effective_threshold),
        "mean activation": mean_activation(maps),
        "rate only": selective_rate(births),
        "1/H only": inverse_entropy(births, profile.effective_threshold),
        "Taylor": taylor(split, maps, label),
    }
    drawn = random_orders(split.n_units, RANDOM_ORDERS, profile.seed)
    ranks = {name: [importance_rank(values)] for name, values in scores.items()}
    return ranks | {RANDOM: [*drawn, *(order[::-1] for order in drawn)]}

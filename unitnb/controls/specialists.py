"""A specialist: a smaller network for a few classes, against one of its size that is trained from nothing."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from ..images.samples import Images
from ..networks.outputs import Reading
from ..networks.split import SplitModel
from ..profiles import Profile
from .simplification import overall_orders
from .smaller_networks import answers, drawn_images, from_nothing, kept_network, outputs_of, tuned

N_TEST = 300  # test images that judge a specialist


def specialist_classes(profile: Profile, classes: Sequence[str], count=3) -> list[str]:
    """The target class and those that follow it in the list, round its end.

    >>> from unitnb import load_profile
    >>> specialist_classes(load_profile("shapes"), ["ring", "cross", "square"], 2)
    ['square', 'ring']
    """
    start = list(classes).index(profile.target_class)
    return [classes[(start + i) % len(classes)] for i in range(min(count, len(classes)))]


def specialist_accuracies(
    split: SplitModel,
    scores: Mapping[str, Mapping[str, np.ndarray]],
    images: Images,
    profile: Profile,
    few: Sequence[str],
    counts: Sequence[int],
    score="Taylor",
) -> dict[str, list[float]]:
    """Accuracy among a few classes on test images, at each number of units kept, by kind of network.

    Units are chosen for these classes or for all. What is behind the layer is then trained a little on images
    of these classes, and a network of the same size is trained from nothing on the same images as often. The
    largest output of the few classes counts. Given networks are not trained.

    Parameters
    ----------
    scores : (u,) by class, by score
        Of ``class_scores``.
    few : names of classes
    counts : numbers of units
    score : the one that chooses the units
    """
    pixels, labels = drawn_images(images, profile, few, "test", N_TEST)
    test, among = split.feature_maps(pixels), [images.class_index(name) for name in few]
    judge = partial(_accuracy, split.plan.outputs or split.reading(test[:2]), among, labels)
    orders = {
        f"units for {words}": overall_orders(scores, classes)[score][0]
        for words, classes in (("these classes", few), ("all classes", None))
    }
    found = {
        name: [judge(split.predict(_without(test, order[count:]))) for count in counts]
        for name, order in orders.items()
    }
    if profile.is_given:
        return found
    train_pixels, train_labels = drawn_images(images, profile, few)
    data = split.feature_maps(train_pixels), train_labels
    for name, order in orders.items():
        found[f"{name}, trained"] = [
            judge(tuned(split, order, count, *data, profile.seed).predict(test[..., np.sort(order[:count])]))
            for count in counts
        ]
    small = [kept_network(split.model, split.layer, orders["units for these classes"], n) for n in counts]
    nets = [from_nothing(model, train_pixels, train_labels, profile.seed) for model in small]
    return found | {"from nothing": [judge(outputs_of(net, pixels)) for net in nets]}


def _accuracy(reading: Reading, among, labels, outputs) -> float:
    return float((answers(outputs, reading, among) == labels).mean())


def _without(maps, units) -> np.ndarray:
    """Maps with some units set to zero; a copy."""
    maps = maps.copy()
    maps[..., units] = 0
    return maps

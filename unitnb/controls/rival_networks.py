"""The rivals of E on other networks: other seeds of the first recipe, and worse models (beside Table 1).

An interval over images and classes is conditional on one network. These areas are over networks. Only what is
measured is kept, in ``rivals.npz`` beside the weights.
"""

import numpy as np

from ..files import store
from ..files.progress import progress_bar
from ..images.samples import Images, sample_set
from ..networks.measured import measured_file
from ..networks.trained import is_there, open_layer, weights_folder
from ..profiles import Profile
from ..units.entropy import importance_rank
from .comparison import METRICS, ClassMaps, areas, score_curves
from .scores import rival_scores

FILE = "rivals.npz"


def compared_networks(profile: Profile) -> list[str]:
    """The profile's models, and the other seeds of the first one, of those that are trained.

    >>> from unitnb.profiles import load_profile
    >>> compared_networks(load_profile("shapes"))[:1]
    ['A']
    """
    first, *others = profile.models
    seeds = [name for name in profile.extra if name.rstrip("0123456789") == first]
    return [name for name in (first, *seeds, *others) if is_there(profile, name)]


def rival_areas(profile: Profile, images: Images, model: str) -> tuple[list[str], np.ndarray]:
    """Areas between the two orders of every rival on every class, for one network.

    Ranks are of S_100, images and labels that the network was trained with. Curves are on S_val.

    Returns
    -------
    names : list of the scores, those of ``rival_scores``
    areas : (classes, scores, 2) float64
        In recall and in balanced accuracy, -1 to 1.
    """
    split = open_layer(profile, model)
    kinds = {"ranking": "S_100", "test": "S_val"}
    maps = {
        kind: {
            name: split.feature_maps(sample_set(images, profile, drawn, model, name).images)
            for name in images.classes
        }
        for kind, drawn in kinds.items()
    }
    labels = {name: images.class_index(name) for name in images.classes}
    sets = ClassMaps(maps, profile.n_others, [], labels)
    found = [
        _class_areas(split, sets, name, profile) for name in progress_bar(images.classes, f"model {model}")
    ]
    return list(found[0]), np.array([list(by_score.values()) for by_score in found])


def _class_areas(split, sets, name, profile):
    maps, others, label = sets.maps["ranking"][name], sets.others("ranking", name), sets.labels[name]
    p, b_max = profile.effective_threshold, profile.b_max
    scores = rival_scores(split, maps, label, others, p, b_max, profile.seed)
    orders = {score: [importance_rank(values)] for score, values in scores.items()}
    tests = sets.maps["test"][name], sets.others("test", name)
    curves = score_curves(split, *tests, label, orders, profile.points)
    return {score: [areas([curves], score, metric)[0] for metric in METRICS] for score in scores}


def measure_rivals(profile: Profile, images: Images) -> None:
    """Measure ``rival_areas`` of all ``compared_networks`` and write ``rivals.npz`` beside the weights."""
    models = compared_networks(profile)
    found = [rival_areas(profile, images, model) for model in models]
    meta = {"profile": profile.name, "models": models, "classes": list(images.classes), "scores": found[0][0]}
    values = np.array([areas_found for _, areas_found in found], np.float32)
    store.write_npz(weights_folder(profile) / FILE, {"areas": values}, meta)


def known_rivals(profile: Profile) -> tuple[list[str], list[str], np.ndarray] | None:
    """Models, scores, and areas (models, classes, scores, 2) kept here or in the package, or None."""
    path = measured_file(profile, FILE)
    if path is None:
        return None
    arrays, meta = store.read_npz(path)
    return meta["models"], meta["scores"], arrays["areas"].astype(float)

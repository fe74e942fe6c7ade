"""What becomes of C15 in other networks: how many units must go until accuracy is lost, by width and classes.

The paper loses 85% of the accuracy with 3.3% of the units (Fig. 3A). Networks of other widths, numbers of
classes, tails and accuracies are measured alike, each class on its own S_100. ``make train EXTRA=1`` trains
the networks of ``profile.layer_units``; only what is measured on them is kept, in ``networks.csv``.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np

from ..ablation.cumulative import ablation_curves
from ..files import store
from ..files.progress import progress_bar
from ..images.samples import Images, sample_set
from ..networks.split import SplitModel, split_model
from ..networks.tails import is_dense
from ..networks.trained import SHIPPED, open_layer, weights_folder
from ..networks.training import train_model
from ..profiles import Profile
from ..topology.births import birth_points
from ..units.entropy import effectiveness, importance_rank
from .comparison import ClassMaps
from .scores import mean_activation, random_orders

FILE = "networks.csv"
COUNTS = (10, 30, 100, 300)  # of classes to which the outputs of a large network are restricted
ORDERS = ("best_first", "mean_activation", "random_orders")


@dataclass(frozen=True)
class Loss:
    """What one class loses in one network.

    Attributes
    ----------
    profile, target_class, tail : str
        ``tail`` says what follows the layer, for instance "pooled, 1 dense".
    units, classes : int
        Of the studied layer, and of the outputs.
    accuracy : float
        On S_100, with all units.
    best_first, mean_activation, random_orders : float
        Share of the units, 0 to 1, after which 85% of that accuracy is lost: by E and by the mean activation,
        most important first, and the median of random orders. Infinite where it never is, NaN where the
        accuracy is 0 from the start.
    """

    profile: str
    units: int
    classes: int
    tail: str
    target_class: str
    accuracy: float
    best_first: float
    mean_activation: float
    random_orders: float


def class_loss(split: SplitModel, maps, label: int, name: str, profile: Profile) -> Loss:
    """The loss of the class ``name``, whose index in the outputs is ``label``, from its maps (n, h, w, u).

    Curves have the profile's ``points`` and ``n_random`` orders.
    """
    scores = (
        effectiveness(birth_points(maps, profile.b_max), profile.effective_threshold),
        mean_activation(maps),
    )
    orders = [*map(importance_rank, scores), *random_orders(split.n_units, profile.n_random, profile.seed)]
    curves = ablation_curves(split, maps, label, orders, points=profile.points)
    start = curves[0].accuracy[0]
    best, mean, *random = [c.units_to_lose() / split.n_units if start else np.nan for c in curves]
    sizes = split.n_units, split.n_classes, tail_words(split)
    return Loss(profile.name, *sizes, name, float(start), best, mean, float(np.median(random)))


def tail_words(split: SplitModel) -> str:
    """What follows the layer: how its maps are brought together, and how many dense layers come then.

    >>> import unitnb
    >>> tail_words(split_model(unitnb.small_vgg(), "block2_conv3"))
    'flattened, 2 dense'
    """
    first = split.plan.dense
    count = sum(is_dense(node.operation) for node in split.plan.stack) + (first is not None)
    if first is None:
        return f"convolutions, {count} dense"
    return f"{'pooled' if first.kernel.shape[0] == split.n_units else 'flattened'}, {count} dense"


def network_losses(split: SplitModel, sets: ClassMaps, profile: Profile) -> list[Loss]:
    """The losses of every class, and again with the outputs restricted to fewer classes (``COUNTS``).

    ``split`` and ``sets`` are as in ``class_result``. The fewest classes are those of ``sets``; others come
    by the seed, and each restriction holds the smaller ones. A network whose last layer is not dense, or that
    has no more outputs than ``sets`` has classes, is measured once.
    """
    own = list(sets.labels.values())
    drawn = np.random.default_rng(profile.seed).permutation(split.n_classes)
    kept = [*own, *(label for label in drawn.tolist() if label not in own)]
    counts = (
        [count for count in COUNTS if len(own) <= count < split.n_classes] if _last_dense(split.model) else []
    )
    found = []
    for count in progress_bar([*counts, split.n_classes], "classes"):
        whole = count == split.n_classes
        part = split if whole else split_model(with_classes(split.model, kept[:count]), split.layer)
        found += [
            class_loss(part, maps, label if whole else own.index(label), name, profile)
            for (name, maps), label in zip(sets.maps["ranking"].items(), own, strict=True)
        ]
    return found


def with_classes(model: keras.Model, classes: Sequence[int]) -> keras.Model:
    """The same network with only the outputs ``classes`` of its last dense layer, in that order.

    Raises
    ------
    ValueError
        If its last layer is not dense.
    """
    last = _last_dense(model)
    if last is None:
        raise ValueError(
            f"the last layer of '{model.name}' is {type(model.layers[-1]).__name__}; expected a Dense layer, "
            "whose outputs are the classes"
        )
    settings = last.get_config() | {"units": len(classes)}
    left = keras.layers.Dense.from_config(settings)
    narrowed = keras.Model(model.inputs[0], left(last.input), name=model.name)
    left.set_weights([weight[..., list(classes)] for weight in last.get_weights()])
    return narrowed


def _last_dense(model):
    last = model.layers[-1]
    return last if is_dense(last) and last.output is model.outputs[0] else None


# ---- networks that are trained for this alone ----


def measure_networks(profile: Profile, images: Images) -> Path:
    """Measure the profile's first model, and train and measure it with each of ``layer_units``.

    The losses are written to ``networks.csv`` beside the weights.
    """
    model, found = next(iter(profile.models)), []
    for variant in (profile, *variants(profile)):
        if variant is not profile:
            train_model(variant, model, images)
        split = open_layer(variant, model)
        for name in progress_bar(images.classes, variant.name):
            sample = sample_set(images, variant, "S_100", model, name)
            maps = split.feature_maps(sample.images)
            found.append(class_loss(split, maps, int(sample.labels[0]), name, variant))
    return write_losses(weights_folder(profile) / FILE, found)


def variants(profile: Profile) -> list[Profile]:
    """The profile with each of its ``layer_units`` in the studied layer, named after them."""
    return [
        replace(profile, name=f"{profile.name}-{units}", widths=(*profile.widths[:-1], units), layer_units=())
        for units in profile.layer_units
    ]


def write_losses(path: Path, losses: Sequence[Loss]) -> Path:
    """Write losses as CSV, with four digits; returns ``path``."""
    with store.atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(losses[0])), lineterminator="\n")
        writer.writeheader()
        for loss in losses:
            row = asdict(loss)
            writer.writerow({k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()})
    return path


def kept_losses(profile: Profile) -> list[Loss]:
    """What is kept of other profiles than this: measured here, or shipped in the package.

    Raises
    ------
    DamagedFileError
        If a file has other columns or values that are no numbers.
    """
    places = [weights_folder(profile).parent, SHIPPED]
    paths = {path.parent.name: path for place in places[::-1] for path in sorted(place.glob(f"*/{FILE}"))}
    return [
        loss for name, path in sorted(paths.items()) if name != profile.name for loss in read_losses(path)
    ]


def read_losses(path: Path) -> list[Loss]:
    """The losses in a file of :func:`write_losses`."""
    kinds: Mapping = Loss.__annotations__
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [Loss(**{name: kinds[name](value) for name, value in row.items()}) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise store.DamagedFileError(
            f"{path} does not hold the columns {', '.join(kinds)} ({error}); "
            "make it again with make train EXTRA=1"
        ) from error

"""One call for one's own model: births, scores, rank, curves and roles of a layer's units."""

import warnings
from dataclasses import dataclass, field

import numpy as np

from ..ablation.checks import check_labels
from ..ablation.cumulative import ablation_curves
from ..ablation.curves import Curve
from ..networks.split import SplitModel, split_model
from ..roles.by_place import Roles, categorise_roles
from ..topology.births import birth_points
from ..units.entropy import effectiveness, feature_entropy, importance_rank, selective_rate


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the images of one class tell about the u units of a layer; see ``analyse``.

    Attributes
    ----------
    births : (n, u) int16
        Birth points of the class's images, in edges; 0 where there is none.
    entropy, rate, effectiveness : (u,) float64
        H in nats (NaN for a unit that is never born), epsilon in [0, 1], and E = epsilon / H (Eq. 10).
    rank : (u,) int64
        The units, most effective first.
    removed, reverse : Curve
        Cumulative ablation in the order of the rank and in reverse, on the class's images (Fig. 3).
    roles : Roles or None
        Of insertion on these images and on the test images (Fig. 5); None without test images.
    """

    split: SplitModel = field(repr=False)
    target: int
    births: np.ndarray = field(repr=False)
    entropy: np.ndarray = field(repr=False)
    rate: np.ndarray = field(repr=False)
    effectiveness: np.ndarray = field(repr=False)
    rank: np.ndarray = field(repr=False)
    removed: Curve = field(repr=False)
    reverse: Curve = field(repr=False)
    roles: Roles | None = field(repr=False)

    @property
    def accuracy(self) -> float:
        """Share of the class's images that the whole network gives their class."""
        return float(self.removed.accuracy[0])

    def table(self):
        """One row a unit, best first: a ``pandas.DataFrame`` where pandas is installed, else a structured
        array.

        Columns are unit, place (from 1), rate, entropy (nats), effectiveness (1/nats), and role ("" without
        roles).
        """
        roles = np.full(len(self.rank), "") if self.roles is None else self.roles.role
        columns = {
            "unit": self.rank,
            "place": np.arange(1, len(self.rank) + 1),
            **{name: getattr(self, name)[self.rank] for name in ("rate", "entropy", "effectiveness")},
            "role": roles[self.rank],
        }
        try:
            import pandas
        except ImportError:
            kinds = [(name, values.dtype) for name, values in columns.items()]
            return np.array(list(zip(*columns.values(), strict=True)), dtype=kinds)
        return pandas.DataFrame(columns)

    def plot(self):
        """A matplotlib figure: rate and entropy of the units, effectiveness by rank, and accuracy while units
        go.
        """
        from ..figures import panels

        figure, axes = panels.new_figure([["units", "rank", "removal"]], figsize=(9, 2.9))
        axes["units"].scatter(self.rate, self.entropy, s=12, color="#444444")
        axes["units"].set(xlabel="selective rate", ylabel="entropy H (nats)", title="Every unit")
        places = np.arange(1, len(self.rank) + 1)
        axes["rank"].plot(places, self.effectiveness[self.rank], color="#222222")
        axes["rank"].set(xlabel="place in the rank", ylabel="effectiveness E (1/nats)", title="E = rate / H")
        for curve, kind, label in (
            (self.removed, "rank", "most effective first"),
            (self.reverse, "reverse", "reverse order"),
        ):
            axes["removal"].plot(
                curve.points,
                curve.accuracy,
                color=panels.COLOURS[kind],
                linestyle=panels.STYLES.get(kind, "-"),
                label=label,
            )
        axes["removal"].set(xlabel="units removed", ylabel="accuracy", ylim=(-0.05, 1.05), title="Removal")
        axes["removal"].legend()
        return figure


def analyse(
    model,
    layer,
    images,
    labels,
    *,
    target=None,
    test_images=None,
    test_labels=None,
    p=0.1,
    b_max=None,
    points=None,
    seed=0,
) -> Analysis:
    """Birth points, entropy, rate, effectiveness, rank, ablation curves and roles of a layer of any Keras
    model.

    Parameters
    ----------
    model : keras.Model
        One input and one output, with its preprocessing inside (images are handed to it as they are).
    layer : str, int or keras.Layer
        As ``split_model`` takes it; its maps are square and at least 5x5.
    images, labels : (n, H, W, channels) and (n,) int, or one int for all
        Images of one class, or of several with ``target``; images of other classes give false positives.
    target : int, optional
        The class that is studied; by default the only label.
    test_images, test_labels : as ``images`` and ``labels``
        Images that the network was not trained on, for roles.
    p, b_max : number
        Effective threshold of Eq. 10 and largest birth of Def. 2.
    points : int, optional
        How many points the curves have; all u + 1 by default.
    seed : int
        Of the bootstraps of the roles.

    Raises
    ------
    ValueError, KeyError
        As ``split_model``, ``birth_points`` and ``ablation_curves``; and where there are several labels and
        no target, or no image of the target.

    Warns
    -----
    UserWarning
        If the network gives no more of the images their class than chance would: labels or scaling are
        probably wrong.
    """
    split = split_model(model, layer)
    own, others, target = _sorted_out(split, images, labels, target)
    births = birth_points(own, b_max)
    scores = effectiveness(births, p=p)
    rank = importance_rank(scores)
    removed, reverse = ablation_curves(
        split, own, target, [rank, rank[::-1]], negatives=others, points=points
    )
    _warn_at_chance(removed.accuracy[0], split.n_classes)
    roles = None
    if test_images is not None:
        test, _, _ = _sorted_out(split, test_images, test_labels, target)
        curves = [ablation_curves(split, maps, target, [rank], mode="insert")[0] for maps in (own, test)]
        roles = categorise_roles(rank, *curves, seed=seed)
    numbers = births, feature_entropy(births), selective_rate(births), scores, rank
    return Analysis(split, target, *numbers, removed, reverse, roles)


def _sorted_out(split, images, labels, target):
    """Maps of the target's images, of the others or None, and the target."""
    if labels is None:
        raise ValueError("no labels came with the images; give one integer for each, or one for all")
    maps = split.feature_maps(images)
    labels = check_labels(labels, len(maps), split.n_classes)
    kinds = np.unique(labels)
    if target is None and len(kinds) > 1:
        raise ValueError(
            f"images of the classes {kinds.tolist()} came and no target; say which one is studied"
        )
    target = int(kinds[0] if target is None else target)
    if target not in kinds:
        raise ValueError(f"no image of class {target} came; the labels are {kinds.tolist()}")
    return maps[labels == target], maps[labels != target] if len(kinds) > 1 else None, target


def _warn_at_chance(accuracy: float, n_classes: int) -> None:
    if accuracy <= 1 / n_classes:
        warnings.warn(
            f"the network gives {accuracy:.0%} of the images their class; chance would give "
            f"{1 / n_classes:.0%}. "
            "The labels or the scaling of the images are probably wrong.",
            stacklevel=3,
        )

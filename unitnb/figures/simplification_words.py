"""Tables and sentences of ``07_simplification``."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..ablation.curves import Curve
from ..controls.comparison import verdict
from ..controls.simplification import RANDOM, area, area_gain, removable_share
from ..networks.cost import model_cost
from ..units.intervals import paired_bootstrap, standard_error
from .words import interval_text, percent, table

LOSS = 0.01  # of accuracy that may be lost


def by_kept_area(every: Mapping[str, Sequence[Curve]]) -> list[str]:
    """The scores, best first, by the area under accuracy against the share of units kept.

    Areas count to three digits; of equal ones the first stays first.
    """
    return sorted(every, key=lambda name: -round(area(every[name]), 3))


def kept_table(results, before: Mapping, after: Mapping, counts: Sequence[int]) -> str:
    """Each score's area, the units that go for 0.01 of accuracy, and accuracy with a few units, in Markdown.

    Means over the random orders. Accuracies are before and, if trained, after the short training.
    """
    header = ["units kept by", "area", "area minus E's [95%]", f"units that go for {LOSS} of accuracy"]
    header += [f"accuracy with {count}{', trained' if after else ''}" for count in counts]
    return table(header, [_kept_row(results, name, before, after) for name in by_kept_area(results.every)])


def _kept_row(results, name, before, after):
    curves = results.every[name]
    gain = paired_bootstrap(area_gain(curves, results.every["E"], results.labels))
    goes = float(np.mean([removable_share(*_ends(curve)) for curve in curves]))
    found = [f"{value:.2f}" for value in before[name].mean(axis=0)]
    if after:
        later = after[name].mean(axis=0)
        found = [f"{first} to {last:.2f}" for first, last in zip(found, later, strict=True)]
    return [name, f"{area(curves):.2f}", "" if name == "E" else interval_text(gain), percent(goes), *found]


def cost_rows(networks: Mapping[str, object], seconds: Mapping[str, float] | None = None) -> str:
    """Parameters and multiply-adds of networks, and milliseconds an image where measured, in Markdown."""
    header = ["network", "parameters", "multiply-adds", *(["ms an image"] if seconds else [])]
    rows = []
    for name, network in networks.items():
        cost = model_cost(network)
        row = [name, f"{cost['parameters']:,}", f"{cost['multiply_adds']:,}"]
        rows.append([*row, f"{1000 * seconds[name]:.2f}"] if seconds else row)
    return table(header, rows)


def verdict_sentences(results) -> str:
    """Two sentences: E against the mean activation, and how many units go for 0.01 of accuracy."""
    gain = paired_bootstrap(area_gain(results.every["E"], results.every["mean activation"], results.labels))
    words = verdict(gain, "keeps better units than", "keeps worse units than", "keeps no better units than")
    scores = [name for name in by_kept_area(results.every) if name != RANDOM]
    best = max(scores, key=lambda name: removable_share(*_ends(results.every[name][0])))
    shares = {name: _share_text(results.every[name][0]) for name in (best, "E")}
    random = float(np.mean([removable_share(*_ends(curve)) for curve in results.every[RANDOM]]))
    return (
        f"E {words} the mean activation: the difference of their areas is {interval_text(gain)}.\n"
        f"For {LOSS} of accuracy {shares[best]} of the units go by {best}, most of all scores, "
        f"{shares['E']} by E, and {percent(random)} by chance."
    )


def _ends(curve: Curve) -> tuple:
    """The arguments of ``removable_share``."""
    return curve.points, curve.accuracy, LOSS


def _share_text(curve: Curve) -> str:
    """The share of the units that go, with its interval over images, in steps of the curve."""
    low, high = curve.bootstrap(lambda drawn: removable_share(*_ends(drawn)), n_boot=200)
    return f"{percent(removable_share(*_ends(curve)))} [{percent(low)}, {percent(high)}]"


def seeds_sentence(by_network: Mapping[str, Mapping[str, Sequence[Curve]]]) -> str:
    """E's area minus the mean activation's in each of several networks; mean and 95% interval over them.

    Student's t with as many values as networks: one training seed each.
    """
    from scipy.stats import t

    gains = np.array([area(curves["E"]) - area(curves["mean activation"]) for curves in by_network.values()])
    each = ", ".join(f"{name} {gain:+.2f}" for name, gain in zip(by_network, gains, strict=True))
    if len(gains) == 1:
        return f"one network ({each}): no interval over training seeds"
    half = t.ppf(0.975, len(gains) - 1) * standard_error(gains)
    span = interval_text((gains.mean(), gains.mean() - half, gains.mean() + half))
    return f"{len(gains)} training seeds ({each}): {span}"

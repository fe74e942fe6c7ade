"""Tables of ``06_controls``: a referee's questions and their answers, scores and their areas, recall or bias.

``results[class]`` is a ClassResult, of ``class_result``.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..controls.bias import best_point, kept_share, rates, rise
from ..controls.comparison import METRICS, areas, differences
from ..controls.experiments import RANDOM, by_area, on_set
from ..controls.many_networks import Loss
from ..controls.scores import PAPER
from ..units.intervals import class_mean, paired_bootstrap
from .fig6_networks import SERIES, by_network, median_loss
from .questions import answered_questions, area_gain
from .words import interval_text, percent, points_note, table


def answers_table(results: Mapping, untrained_null: Mapping, networks=None) -> str:
    """Question, experiment, answer and number with its interval, in Markdown.

    Areas are between removal in rank order and in reverse, in balanced accuracy on test images, by ranks from
    S_100. Their intervals are over classes and images, those of other numbers over classes.

    Parameters
    ----------
    results : ClassResult by class
    untrained_null : of ``null_scores``
        For the units of the untrained network.
    networks : of ``known_rivals``, optional
    """
    header = ("question", "experiment", "answer", "number [95% interval]")
    return table(header, answered_questions(results, untrained_null, networks))


def scores_table(results: Mapping) -> str:
    """Areas of every score, means over the classes, in Markdown.

    Of removal in rank order (low is good), of insertion (high is good), and between the two orders. On test
    images and in balanced accuracy unless the column says otherwise; the loss's is in nats. The last column
    is the rank correlation with single ablation over the units of C05, median over the classes.
    """
    measured = [f"{metric}, {side}" for metric in METRICS for side in ("removal", "insertion")]
    header = [
        "score",
        *measured,
        "loss, between",
        "between, training",
        "between, test",
        "minus E [95% interval]",
        "classes better than E",
        "Spearman with single ablation",
    ]
    return table(header, [_score_cells(results, name) for name in by_area(results)])


def _score_cells(results, name):
    tests, trains = on_set(results, "test"), on_set(results, "train")
    sides = [
        f"{areas(tests, name, metric, side).mean():.2f}"
        for metric in METRICS
        for side in ("best_first", "worst_first")
    ]
    train = f"{areas(trains, name).mean():.2f}" if name != RANDOM else ""
    gains = [class_mean(groups) for groups in differences(tests, name, PAPER)]
    against: list = ["", ""]
    if name != PAPER:
        against = [interval_text(area_gain(results, name, PAPER)), sum(gain > 0 for gain in gains)]
    found = [result.score_correlations.get(name, np.nan) for result in results.values()]
    rho = _two_digits(np.nanmedian(found), "+") if np.isfinite(found).any() else ""
    loss, test = (_two_digits(areas(tests, name, metric).mean()) for metric in ("loss", "balanced accuracy"))
    return [name, *sides, loss, train, test, *against, rho]


def _two_digits(value, sign=""):
    """A number to two digits, without a minus before a zero."""
    return f"{round(value, 2) + 0:{sign}.2f}"


def bias_table(results: Mapping) -> str:
    """What every score's reverse removal gains on test images where recall is best on training images.

    In Markdown, means over the classes: recall, false-positive rate, precision and balanced accuracy.
    """
    header = [
        "score",
        "units kept, median",
        "recall",
        "false-positive rate",
        "precision",
        "balanced accuracy",
    ]
    names = next(iter(results.values())).train
    return table(header, [_bias_cells(results, name) for name in names])


def _bias_cells(results, name):
    pairs = [(result.train[name], result.test[name]) for result in results.values()]
    kept = np.median([kept_share(train) for train, _ in pairs])
    recall, balanced = (
        interval_text(paired_bootstrap([rise(*pair, metric) for pair in pairs])) for metric in METRICS
    )
    at = [best_point(train) for train, _ in pairs]
    found = [rates(test.worst_curve, *map(len, test.worst_first[:2])) for _, test in pairs]
    false, precision = (_mean_change(found, at, kind) for kind in ("false-positive rate", "precision"))
    return [name, f"{kept:.0%}", recall, false, precision, balanced]


def _mean_change(found, at, kind):
    change = np.mean([rate[kind][k] - rate[kind][0] for rate, k in zip(found, at, strict=True)])
    return _two_digits(change, "+")


def networks_table(losses: Sequence[Loss]) -> str:
    """For each network the share of the units after which 85% of the accuracy is lost, in Markdown.

    Medians over classes of best first (E), mean activation and random orders; accuracy is the mean at the
    start; the last column counts the classes that lose 85% within a tenth of the units, best first.
    """
    header = [
        "network",
        "units",
        "classes",
        "tail",
        "accuracy",
        *(words for words, _ in SERIES.values()),
        "within 10%",
    ]
    return table(header, [[*key, *_loss_cells(group)] for key, group in by_network(losses).items()])


def _loss_cells(group):
    within = sum(loss.best_first <= 0.1 for loss in group)
    shares = [percent(median_loss(group, series)[0]) for series in SERIES]
    return [f"{np.mean([loss.accuracy for loss in group]):.2f}", *shares, f"{within} of {len(group)}"]


def classes_table(by_class: Mapping) -> str:
    """What becomes of every class when its units are removed (Fig. 3C), in Markdown.

    ``by_class[class]`` begins with the curves of removal in the order of the class's own rank and in reverse.
    Losses are in nats. The rises are of the reverse order: its peak minus the start.
    """
    header = [
        "class",
        "accuracy",
        "85% lost after",
        "loss peak",
        "empty layer",
        "rise, reverse",
        "rise, balanced",
        "collapse over",
    ]
    rows = [[name, *_class_cells(*curves[:2])] for name, curves in by_class.items()]
    return table(header, rows) + points_note(next(iter(by_class.values()))[0])


def _class_cells(best, worst):
    units = len(best.order)
    rises = [worst.peak(m)[1] - getattr(worst, m)[0] for m in ("accuracy", "balanced_accuracy")]
    return [
        f"{best.accuracy[0]:.2f}",
        percent(best.units_to_lose() / units),
        f"{best.peak('loss')[1]:.2f}",
        f"{best.loss[-1]:.2f}",
        *(f"{rise:+.2f}" for rise in rises),
        percent(worst.collapse_width() / units),
    ]

"""Tables of ``06_controls``: the questions of a referee with their answers, and every score's areas. All words depend on the numbers."""

from collections.abc import Mapping

import numpy as np

from ..controls.choices import single_choices
from ..controls.comparison import (
    METRICS,
    areas,
    best_point,
    class_mean,
    differences,
    kept_share,
    mean_interval,
    paired_bootstrap,
    rates,
    rise,
    verdict,
)
from ..controls.experiments import CHANCE, GREEDY, RANDOM, by_area, on_set
from ..controls.scores import CAUSAL, OURS, PAPER
from .words import table

HEADER = ("question", "experiment", "answer", "number [95% interval]")


def answers_table(results: Mapping, untrained_null: Mapping) -> str:
    """Question, experiment, answer and number with its interval, in Markdown.

    Areas are between removal in rank order and in reverse, balanced accuracy, test images, ranks from S_100; their intervals are over
    classes and images, those of other numbers over classes.

    Parameters
    ----------
    results : by class, of ``class_result``
    untrained_null : of ``null_scores``, for the units of the untrained network
    """
    return table(HEADER, [*_rival_rows(results), *_bias_rows(results), *_null_rows(results, untrained_null), *_construction_rows(results),
                          *_choice_rows(results), *_own_rows(results)])  # fmt: skip


def interval_text(interval) -> str:
    """A mean and its interval to two digits, without a minus before a zero."""
    mean, low, high = (f"{round(value, 2) + 0:+.2f}" for value in interval)
    return f"{mean} [{low}, {high}]"


def _row(question, experiment, found, *words):
    """``words`` are verdict's, or the one answer."""
    return question, experiment, verdict(found, *words) if len(words) > 1 else words[0], interval_text(found)


def _against(results, first, second, metric="balanced accuracy", kind="test"):
    return paired_bootstrap(differences(on_set(results, kind), first, second, metric))


def _rival_rows(results):
    cases = (
        ("Does E find important units at all?", RANDOM, "balanced accuracy", "test"),
        ("Does the topology add to the rate?", "rate only", "balanced accuracy", "test"),
        ("Does it beat the mean of the map?", "mean activation", "balanced accuracy", "test"),
        ("The same for recall, as in the paper?", "mean activation", "recall", "test"),
        ("The same for the loss (nats)?", "mean activation", "loss", "test"),
        ("The same on other training images?", "mean activation", "balanced accuracy", "train"),
        ("Does it come near the causal reference?", CAUSAL, "balanced accuracy", "test"),
    )
    for question, rival, metric, kind in cases:
        found = _against(results, PAPER, rival, metric, kind)
        yield _row(question, f"area of E minus that of {rival}", found, "yes: E is better", "no: E is worse")
    found = _against(results, "1/H only", RANDOM)
    yield _row(
        "Does 1/H alone rank units?",
        "area of 1/H minus that of random orders",
        found,
        "yes",
        "no: worse than random",
    )
    yield _winner_row(results)


def _winner_row(results):
    names = [name for name in by_area(results) if name != GREEDY]
    values = np.array([areas(on_set(results, "test"), name) for name in names])
    best = np.bincount(values.argmax(axis=0), minlength=len(names))
    counts = ", ".join(f"{names[i]} {best[i]}" for i in np.argsort(-best, kind="stable") if best[i])
    place = names.index(PAPER) + 1
    return (
        "Which score wins?",
        "largest area, each class",
        f"E is number {place} of {len(names)}",
        f"classes won: {counts}",
    )


def _bias_rows(results):
    rises = {
        (metric, by): paired_bootstrap(
            [rise(r.train[PAPER], r.test[PAPER], metric, by) for r in results.values()]
        )
        for metric, by in (
            ("recall", "recall"),
            ("balanced accuracy", "recall"),
            ("balanced accuracy", "balanced accuracy"),
        )
    }
    kept = [kept_share(r.train[PAPER]) for r in results.values()]
    experiment = (
        f"units kept where it is best on training images (median {np.median(kept):.0%}): gain on test images"
    )
    found = rises["recall", "recall"]
    yield _row(
        "Are few units better than all?",
        f"{experiment}, in recall",
        found,
        "yes",
        "no: worse",
        "no gain seen",
    )
    found = rises["balanced accuracy", "recall"]
    yield _row(
        "Is that more than bias?",
        "the same, in balanced accuracy",
        found,
        "yes",
        "no: balanced accuracy falls",
        "no gain seen",
    )
    taken = paired_bootstrap(
        [[-group for group in rise(r.train[PAPER], r.test[PAPER])[1:]] for r in results.values()]
    )
    yield _row(
        "How many more others are taken for the class?",
        "the same, in false-positive rate",
        taken,
        "more",
        "fewer",
    )
    found = rises["balanced accuracy", "balanced accuracy"]
    experiment = "units kept where it is best on training images, its gain"
    yield _row("And where balanced accuracy is best?", experiment, found, "yes", "no: worse", "no gain seen")


def _null_rows(results, untrained_null):
    found = mean_interval([np.nanmedian(r.null["entropy z"]) for r in results.values()])
    words = "no: more scattered", "yes"
    yield _row(
        "Are births more concentrated than chance?",
        "median z of H; null: independent maps, as sparse",
        found,
        *words,
    )
    found = mean_interval([np.nanmedian(r.null["rate z"]) for r in results.values()])
    yield _row(
        "Are births more frequent than chance?", "median z of the rate, same null", found, "yes", "no: rarer"
    )
    value = untrained_null["entropy z"][np.isfinite(untrained_null["entropy z"])]
    found = mean_interval(value)
    yield _row(
        "And untrained units?",
        "mean z of H, target class; interval over units",
        found,
        "more scattered",
        "more concentrated",
    )
    places = np.array([[r.noise[kind][:, 0] for kind in r.noise] for r in results.values()])
    found = mean_interval((places < 0.1).mean(axis=(1, 2)))
    words = (
        "more often than by chance"
        if found[1] > 0.1
        else "no more than by chance"
        if found[2] < 0.1
        else "as by chance"
    )
    yield _row(
        "Does pure noise rank high?",
        "share of inserted noise units in the first tenth of the rank by E",
        found,
        words,
    )


def _construction_rows(results):
    exact = (
        "transposed",
        "turned by 180 degrees",
        "shift (2, 2), cyclic",
        "one permutation of rows and columns",
    )
    equal = all(r.changed[name] == 0 for r in results.values() for name in exact)
    words = ("no", "none") if equal else ("yes", "some")
    yield "Is adjacency seen?", "one permutation of rows and columns: births that change", *words
    found = mean_interval([r.changed["shift (2, 0), cropped"] for r in results.values()])
    yield _row(
        "Is it shift invariant?", "maps moved by two rows: share of births that change", found, "no", "yes"
    )
    for question, name in (
        ("Does pairing (i, j) with (j, i) matter?", "random pairing of pixels"),
        ("Would the picture's own holes do better?", "cubical persistence"),
    ):
        found = _against(results, name, PAPER)
        tau = np.mean([r.agreement[name] for r in results.values()])
        yield _row(question, f"{name} (tau of E {tau:.2f}), area minus that of E", found, "better", "worse")


def _choice_rows(results):
    agreement = np.array([r.choice_agreement for r in results.values()])
    found = float(agreement.mean()), *map(float, np.quantile(agreement, [0.025, 0.975]))
    words = "hardly" if found[1] > 0.8 else "yes"
    yield _row(
        "Do the free choices matter for the rank?",
        f"Kendall's tau over {agreement.shape[1]} combinations",
        found,
        words,
    )
    changes = {name: _against(results, name, "default choices") for name in single_choices()}
    name = max(changes, key=lambda key: abs(round(changes[key][0], 3)))
    yield _row(
        "And for the curves?",
        f"largest change of area by one choice: {name}",
        changes[name],
        "better",
        "worse",
    )
    found = mean_interval([r.correlations["1/H given the rate"] for r in results.values()])
    words = "yes", "no: the other way round", "no correlation seen"
    yield _row(
        "Does 1/H tell importance beyond the rate?",
        "partial Spearman of 1/H and single ablation",
        found,
        *words,
    )


def _own_rows(results):
    for name, question in (
        (OURS, "Do births say more if others' images count?"),
        (CHANCE, "Would H against chance do better?"),
    ):
        found = _against(results, name, PAPER)
        yield _row(question, f"{name}: area minus that of E", found, "yes", "no: worse")


def scores_table(results: Mapping) -> str:
    """Areas of every score, means over the classes, in Markdown: removal in rank order (low is good), insertion (high is good), between.

    On test images and in balanced accuracy unless the column says otherwise; the loss's is in nats.
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
    ]
    tests, trains = on_set(results, "test"), on_set(results, "train")
    rows = []
    for name in by_area(results):
        sides = [
            areas(tests, name, metric, side).mean()
            for metric in METRICS
            for side in ("best_first", "worst_first")
        ]
        train = f"{areas(trains, name).mean():.2f}" if name != RANDOM else ""
        gains = [class_mean(groups) for groups in differences(tests, name, PAPER)]
        last = (
            ["", ""]
            if name == PAPER
            else [interval_text(_against(results, name, PAPER)), sum(gain > 0 for gain in gains)]
        )
        loss = f"{round(areas(tests, name, 'loss').mean(), 2) + 0:.2f}"
        rows.append(
            [
                name,
                *(f"{value:.2f}" for value in sides),
                loss,
                train,
                f"{round(areas(tests, name).mean(), 2) + 0:.2f}",
                *last,
            ]
        )
    return table(header, rows)


def bias_table(results: Mapping) -> str:
    """What every score's reverse removal gains on test images where recall is best on training images, in Markdown; class means."""
    rows = []
    for name in next(iter(results.values())).train:
        pairs = [(result.train[name], result.test[name]) for result in results.values()]
        recall, balanced = (
            interval_text(paired_bootstrap([rise(*pair, metric) for pair in pairs])) for metric in METRICS
        )
        at = [best_point(train) for train, _ in pairs]
        found = [rates(test.worst_curve, *map(len, test.worst_first[:2])) for _, test in pairs]
        false, precision = (_mean_change(found, at, kind) for kind in ("false-positive rate", "precision"))
        rows.append(
            [
                name,
                f"{np.median([kept_share(train) for train, _ in pairs]):.0%}",
                recall,
                false,
                precision,
                balanced,
            ]
        )
    return table(
        ["score", "units kept, median", "recall", "false-positive rate", "precision", "balanced accuracy"],
        rows,
    )


def _mean_change(found, at, kind):
    change = np.mean([rate[kind][k] - rate[kind][0] for rate, k in zip(found, at, strict=True)])
    return f"{round(change, 2) + 0:+.2f}"

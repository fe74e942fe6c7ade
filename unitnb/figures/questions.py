"""The questions of a referee with their answers: the rows of ``tables.answers_table``.

All words depend on the numbers. A row is question, experiment, answer, and number with its interval.
``results[class]`` is a ClassResult.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from ..controls.bias import kept_share, rise
from ..controls.choices import single_choices
from ..controls.comparison import areas, differences, verdict
from ..controls.experiments import CHANCE, GREEDY, by_area, on_set
from ..controls.scores import CAUSAL, HOLES, OURS, PAPER, PRINTED
from ..controls.variations import RANDOM
from ..units.intervals import interval, mean_interval, paired_bootstrap
from .words import interval_text

Row = tuple[str, str, str, str]


def answered_questions(results: Mapping, untrained_null: Mapping, networks=None) -> list[Row]:
    """All rows; ``untrained_null`` is of ``null_scores``, for the units of the untrained network.

    ``networks`` is of ``known_rivals``; without it the row on other networks is left out.
    """
    return [
        *_rival_rows(results),
        *([_network_row(networks)] if networks else []),
        *_mean_map_rows(results),
        *_bias_rows(results),
        *_null_rows(results, untrained_null),
        *_construction_rows(results),
        *_choice_rows(results),
        *_own_rows(results),
    ]


def area_gain(
    results: Mapping, first: str, second: str, metric="balanced accuracy", kind="test"
) -> tuple[float, float, float]:
    """(mean, low, high) of the area of one score minus another's; the names are those of ``differences``."""
    return paired_bootstrap(differences(on_set(results, kind), first, second, metric))


def _judged_row(question, experiment, found, *words) -> Row:
    """A row whose answer is ``verdict`` of the interval ``found`` in these words."""
    return question, experiment, verdict(found, *words), interval_text(found)


def _told_row(question, experiment, found, answer) -> Row:
    return question, experiment, answer, interval_text(found)


# ---- rivals ----


def _rival_rows(results) -> Iterator[Row]:
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
        found = area_gain(results, PAPER, rival, metric, kind)
        experiment = f"area of E minus that of {rival}"
        yield _judged_row(question, experiment, found, "yes: E is better", "no: E is worse")
    found = area_gain(results, "1/H only", RANDOM)
    experiment = "area of 1/H minus that of random orders"
    yield _judged_row("Does 1/H alone rank units?", experiment, found, "yes", "no: worse than random")
    found = area_gain(results, PRINTED, PAPER)
    experiment = "shares over all images, E = 1 / (H - ln rate): area minus that of E"
    yield _judged_row("And with Eq. 6 to the letter?", experiment, found, "better", "worse")
    found = area_gain(results, HOLES, RANDOM)
    experiment = "area of few holes minus that of random orders"
    words = "yes", "no: worse than random"
    yield _judged_row("Are units with many holes idle (TopologyHole)?", experiment, found, *words)
    yield _winner_row(results)


def _network_row(networks) -> Row:
    models, scores, areas = networks
    gains = areas[:, :, scores.index(PAPER), 1] - areas[:, :, scores.index("mean activation"), 1]
    means = gains.mean(axis=1)
    found = float(means.mean()), float(means.min()), float(means.max())
    experiment = f"the same on networks {', '.join(models)}; least and greatest in brackets"
    answer = verdict(found, "yes: E is better on each", "no: E is worse on each")
    return _told_row("Is that one training's luck?", experiment, found, answer)


def _mean_map_rows(results) -> Iterator[Row]:
    curves = [result.mean_map for result in results.values()]
    for question, rival in (
        ("And if removed units show their mean map, not zero?", RANDOM),
        ("The same against the mean of the map?", "mean activation"),
    ):
        found = paired_bootstrap(differences(curves, PAPER, rival))
        experiment = f"area of E minus that of {rival}, with mean maps"
        yield _judged_row(question, experiment, found, "yes: E is better", "no: E is worse")


def _winner_row(results) -> Row:
    names = [name for name in by_area(results) if name != GREEDY]
    values = np.array([areas(on_set(results, "test"), name) for name in names])
    won = np.bincount(values.argmax(axis=0), minlength=len(names))
    counts = ", ".join(f"{names[i]} {won[i]}" for i in np.argsort(-won, kind="stable") if won[i])
    answer = f"E is number {names.index(PAPER) + 1} of {len(names)}"
    return "Which score wins?", "largest area, each class", answer, f"classes won: {counts}"


# ---- recall or bias ----


def _bias_rows(results) -> Iterator[Row]:
    words = "yes", "no: worse", "no gain seen"
    median = np.median([kept_share(r.train[PAPER]) for r in results.values()])
    experiment = f"units kept where it is best on training images (median {median:.0%}): gain on test images"
    found = _gain(results, "recall", "recall")
    yield _judged_row("Are few units better than all?", f"{experiment}, in recall", found, *words)
    found, same = _gain(results, "balanced accuracy", "recall"), "the same, in balanced accuracy"
    falls = "yes", "no: balanced accuracy falls", "no gain seen"
    yield _judged_row("Is that more than bias?", same, found, *falls)
    taken = paired_bootstrap(
        [[-group for group in rise(r.train[PAPER], r.test[PAPER])[1:]] for r in results.values()]
    )
    question = "How many more others are taken for the class?"
    yield _judged_row(question, "the same, in false-positive rate", taken, "more", "fewer")
    found = _gain(results, "balanced accuracy", "balanced accuracy")
    experiment = "units kept where it is best on training images, its gain"
    yield _judged_row("And where balanced accuracy is best?", experiment, found, *words)


def _gain(results, metric, by):
    return paired_bootstrap([rise(r.train[PAPER], r.test[PAPER], metric, by) for r in results.values()])


# ---- null models ----


def _null_rows(results, untrained_null) -> Iterator[Row]:
    found = mean_interval([np.nanmedian(r.null["entropy z"]) for r in results.values()])
    question = "Are births more concentrated than chance?"
    experiment = "median z of H; null: independent maps, as sparse"
    yield _judged_row(question, experiment, found, "no: more scattered", "yes")
    found = mean_interval([np.nanmedian(r.null["rate z"]) for r in results.values()])
    question, experiment = "Are births more frequent than chance?", "median z of the rate, same null"
    yield _judged_row(question, experiment, found, "yes", "no: rarer")
    found = mean_interval(untrained_null["entropy z"])
    experiment = "mean z of H, target class; interval over units"
    yield _judged_row("And untrained units?", experiment, found, "more scattered", "more concentrated")
    yield _noise_row(results)


def _noise_row(results) -> Row:
    places = np.array([[r.noise[kind][:, 0] for kind in r.noise] for r in results.values()])
    found = mean_interval((places < 0.1).mean(axis=(1, 2)))
    answer = "as by chance"
    if found[1] > 0.1:
        answer = "more often than by chance"
    elif found[2] < 0.1:
        answer = "no more than by chance"
    by_kind = (places < 0.1).mean(axis=(0, 2))
    kinds = list(next(iter(results.values())).noise)
    ends = (f"{by_kind[i]:.2f} ({kinds[i]})" for i in (by_kind.argmin(), by_kind.argmax()))
    experiment = f"share of noise units in the first tenth of the rank by E; by kind {' to '.join(ends)}"
    return _told_row("Does pure noise rank high?", experiment, found, answer)


# ---- construction and free choices ----


def _construction_rows(results) -> Iterator[Row]:
    exact = (
        "transposed",
        "turned by 180 degrees",
        "shift (2, 2), cyclic",
        "one permutation of rows and columns",
    )
    equal = all(r.changed[name] == 0 for r in results.values() for name in exact)
    experiment = "one permutation of rows and columns: births that change"
    yield "Is adjacency seen?", experiment, "no" if equal else "yes", "none" if equal else "some"
    found = mean_interval([r.changed["shift (2, 0), cropped"] for r in results.values()])
    experiment = "maps moved by two rows: share of births that change"
    yield _judged_row("Is it shift invariant?", experiment, found, "no", "yes")
    for question, name in (
        ("Does pairing (i, j) with (j, i) matter?", "random pairing of pixels"),
        ("Would the picture's own holes do better?", "cubical persistence"),
    ):
        tau = np.mean([r.agreement[name] for r in results.values()])
        experiment = f"{name} (tau of E {tau:.2f}), area minus that of E"
        yield _judged_row(question, experiment, area_gain(results, name, PAPER), "better", "worse")
    yield _pairing_row(results)


def _pairing_row(results) -> Row:
    gains = np.array([r.pairings["gain"] for r in results.values()])
    tau = np.array([r.pairings["tau"] for r in results.values()])
    found = float(gains.mean()), *interval(gains.mean(axis=0)).ends
    experiment = (
        f"{tau.shape[1]} random pairings (tau of E {tau.min():.2f} to {tau.max():.2f}): "
        "area minus that of E, 95% of the pairings"
    )
    return _judged_row("Is that one pairing's luck?", experiment, found, "better", "worse")


def _choice_rows(results) -> Iterator[Row]:
    agreement = np.array([r.choice_agreement for r in results.values()])
    found = float(agreement.mean()), *interval(agreement.ravel()).ends
    experiment = f"Kendall's tau over {agreement.shape[1]} combinations"
    answer = "hardly" if found[1] > 0.8 else "yes"
    yield _told_row("Do the free choices matter for the rank?", experiment, found, answer)
    changes = {name: area_gain(results, name, "default choices") for name in single_choices()}
    name = max(changes, key=lambda key: abs(round(changes[key][0], 3)))
    experiment = f"largest change of area by one choice: {name}"
    yield _judged_row("And for the curves?", experiment, changes[name], "better", "worse")
    found = mean_interval([r.correlations["1/H given the rate"] for r in results.values()])
    question = "Does 1/H tell importance beyond the rate?"
    experiment = "partial Spearman of 1/H and single ablation"
    words = "yes", "no: the other way round", "no correlation seen"
    yield _judged_row(question, experiment, found, *words)


def _own_rows(results) -> Iterator[Row]:
    for name, question in (
        (OURS, "Do births say more if others' images count?"),
        (CHANCE, "Would H against chance do better?"),
    ):
        found = area_gain(results, name, PAPER)
        yield _judged_row(question, f"{name}: area minus that of E", found, "yes", "no: worse")

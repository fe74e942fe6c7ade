"""The results of a sweep: a table, a line for each class, and Fig. 3C for any number of classes."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..figures.panels import new_figure
from ..figures.saving import save_figure, save_table
from ..figures.words import percent, table
from ..files import store
from ..profiles import Profile
from .tasks import FACTS, ORDERS, SAMPLES, Task

FOLDER = "sweep"  # beside the classes' figures: figures/<profile>/sweep
OWN_SKIPPED = tuple(f"{kind}/skipped" for kind in SAMPLES)
QUANTILES = ((0.05, 0.95, 0.2), (0.25, 0.75, 0.4))  # of the classes, and how dark their band is


def read_results(paths: Mapping[Task, Path]) -> dict[Task, dict[str, np.ndarray]]:
    """The parts of every task's result that the summary needs, by task.

    Raises
    ------
    FileNotFoundError
        If the workers' files cannot be seen from this machine.
    DamagedFileError
        If one of them is damaged.
    """
    missing = [path for path in paths.values() if not Path(path).exists()]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} results, such as {missing[0]}, are not here; "
            "workers and this machine must share build/"
        )
    return {task: _summarised(store.read_npz(path)[0]) for task, path in paths.items()}


def _summarised(found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Without births and the other curves, which would be gigabytes for 50,000 tasks."""
    parts = ("accuracy", "facts", "points", "skipped")
    return {name: array for name, array in found.items() if name.split("/")[-1] in parts}


def skipped_images(results: Mapping[Task, Mapping]) -> list[str]:
    """The names of unreadable images, each once, in printable characters."""
    names = {
        name
        for result in results.values()
        for part, found in result.items()
        if part.endswith("/skipped")
        for name in found.tolist()
    }
    return sorted(map(_printable, names))


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def _networks(results: Mapping[Task, Mapping]) -> dict[tuple[str, str], list[Task]]:
    groups: dict[tuple[str, str], list[Task]] = {}
    for task in sorted(results):
        groups.setdefault((task.model, task.layer), []).append(task)
    return groups


def summary_table(results: Mapping[Task, Mapping], kind="S_100") -> str:
    """A table in Markdown with a row for each network.

    Columns: the number of classes, the points of a curve, the median and middle half over the classes of each
    fact of Fig. 3, and the number of unreadable images.
    """
    rows = []
    for (model, layer), tasks in _networks(results).items():
        facts = np.array([results[task][f"{kind}/facts"] for task in tasks])
        own = skipped_images({task: {name: results[task][name] for name in OWN_SKIPPED} for task in tasks})
        points = len(results[tasks[0]]["points"])
        rows.append([model, layer, len(tasks), points, *map(_spread, facts.T, FACTS), len(own)])
    return table(["model", "layer", "classes", "points", *FACTS, "skipped images"], rows)


def _spread(values, name) -> str:
    words = [percent(v) if name in ("85% lost", "collapse") else f"{v:+.2f}" if "rise" in name else f"{v:.2f}"
             for v in np.quantile(values, [0.5, 0.25, 0.75], method="nearest")]  # fmt: skip
    return f"{words[0]} ({words[1]} to {words[2]})"


def many_classes_figure(results: Mapping[Task, Mapping], kind="S_100"):
    """Fig. 3C for any number of classes: their median and the bands of half and nine tenths of them.

    It has a row for each network.
    """
    groups = _networks(results)
    size = (7, 0.7 + 1.9 * len(groups))
    figure, axes = new_figure(
        [[f"{g} {order}" for order in ORDERS] for g in groups], figsize=size, sharex=True, sharey=True
    )
    for group, tasks in groups.items():
        for order, colour in zip(ORDERS, ("#D55E00", "#0072B2"), strict=True):
            curves = np.array([results[task][f"{kind}/{order}/accuracy"] for task in tasks])
            _bands(axes[f"{group} {order}"], results[tasks[0]]["points"], curves, colour)
        axes[f"{group} {ORDERS[0]}"].set_ylabel(f"accuracy\n{group[0]}, {group[1]}")
    for order in ORDERS:
        axes[f"{next(iter(groups))} {order}"].set_title(f"{order}, {len(results) // len(groups)} classes")
        axes[f"{list(groups)[-1]} {order}"].set_xlabel("share of the units removed")
    handles, labels = axes[f"{next(iter(groups))} {ORDERS[0]}"].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _bands(axes, points, curves, colour):
    share = points / points[-1]
    for low, high, alpha in QUANTILES:
        edges = np.quantile(curves, [low, high], axis=0)
        axes.fill_between(
            share, *edges, color=colour, alpha=alpha, linewidth=0, label=f"{high - low:.0%} of the classes"
        )
    axes.plot(share, np.median(curves, axis=0), color=colour, label="median")
    axes.set_ylim(-0.03, 1.03)


def save_summary(profile: Profile, results: Mapping[Task, Mapping]) -> Path:
    """Write ``fig3c.png`` (and ``.pdf``), ``sweep.md`` and ``classes.csv``; returns their folder.

    It is ``figures/<profile>/sweep/``.
    """
    place = replace(profile, target_class=FOLDER)
    save_figure(place, "fig3c", many_classes_figure(results), notebook="unitnb sweep")
    save_table(place, "sweep", summary_table(results), notebook="unitnb sweep")
    with (
        store.atomic_path(place.figures_folder / "classes.csv") as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["model", "layer", "class", "images", *FACTS, "points", "skipped", "skipped images"])
        writer.writerows(_line(task, kind, results[task]) for task in sorted(results) for kind in SAMPLES)
    return place.figures_folder


def _line(task: Task, kind: str, found: Mapping[str, np.ndarray]) -> list:
    """A line of ``classes.csv``: facts, number of points of a curve, number and names of skipped images."""
    skipped, facts = found[f"{kind}/skipped"].tolist(), [f"{v:.4f}" for v in found[f"{kind}/facts"]]
    names = [task.model, task.layer, _printable(task.target_class), kind]
    return [*names, *facts, len(found["points"]), len(skipped), "; ".join(map(_printable, skipped))]

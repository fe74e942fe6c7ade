"""The paper's figures, composed of panels, and their saving with a manifest of what was plotted."""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np

from . import panels
from .files import store
from .panels import COLOURS
from .profiles import Profile, project_root
from .topology.births import betti_curves, edges_present, first_hole, symmetrize, top_set
from .topology.nulls import null_births


def new_figure(mosaic: Sequence, **settings):
    """``plt.subplot_mosaic`` in the house style (``unitnb.mplstyle``): a figure and its axes by name."""
    import matplotlib.pyplot as plt

    plt.style.use("unitnb.unitnb")
    return plt.subplot_mosaic(mosaic, **settings)


# ---- saving ----


def plotted_numbers(figure) -> list[np.ndarray]:
    """Every number that the artists of a figure hold, to five significant digits: lines, bars, images, patches of bands."""
    found = []
    for axes in figure.axes:
        found += [line.get_xydata() for line in axes.lines]
        found += [np.asarray(image.get_array(), float) for image in axes.images]
        found += [
            patch.get_patch_transform().transform(patch.get_path().vertices) for patch in axes.patches
        ]  # not pixels: layout is no number
        found += [path.vertices for collection in axes.collections for path in collection.get_paths()]
    return [np.array([float(f"{value:.4e}") for value in np.ravel(np.asarray(array, float))]) for array in found]


@contextlib.contextmanager
def recording(profile: Profile):
    """The lock of a run's records (manifest, samples, claims): notebooks may run side by side."""
    from filelock import FileLock

    lock = project_root() / "build" / "locks" / f"{profile.name}-{profile.target_class}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        yield


def _record(profile: Profile, file: str, notebook: str, sha: str, samples: Sequence) -> None:
    folder = profile.figures_folder
    entry = {"notebook": notebook, "profile": profile.name, "class": profile.target_class, "seed": profile.seed, "data_sha256": sha}
    entry |= _origin(profile)
    with recording(profile):
        _merge(folder / "manifest.json", {file: entry})
        _merge(folder / "samples.json", {f"{sample.model} {sample.name}": _sample_entry(sample) for sample in samples})


def _origin(profile: Profile) -> dict:
    """How photographs were brought to the network's size, and which pretrained weights it has, where there are any."""
    resized = {"interpolation": profile.interpolation} if profile.source in ("folder", "ilsvrc") else {}
    if not profile.weights:
        return resized
    from .networks import pretrained

    return resized | {"weights": pretrained.describe_weights(profile)}


def _sample_entry(sample) -> dict:
    return {
        "split": sample.split,
        "classes": sorted({int(c) for c in sample.labels}),
        "indices": sample.indices.tolist(),
        "skipped": sample.skipped,
    }


def _merge(path, entries: Mapping) -> None:
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    merged = dict(sorted({**known, **entries}.items()))
    lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in merged.items()]
    store.write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def save_figure(profile: Profile, name: str, figure, notebook: str, samples: Sequence = ()) -> None:
    """Write ``figures/<profile>/<class>/<name>.png`` and ``.pdf``, and their line in ``manifest.json``.

    Parameters
    ----------
    name : the paper's label, for instance ``"fig3"``
    figure : a matplotlib figure
    notebook : the notebook that makes it, without the ending
    samples : the sample sets behind it; their indices are recorded in ``samples.json``
    """
    figure.canvas.draw()
    figure.set_layout_engine("none")  # what has been laid out stays so in both files; each time takes half a second
    sha = hashlib.sha256(b"".join(array.tobytes() for array in plotted_numbers(figure))).hexdigest()
    for ending, metadata in {".png": {"Software": None}, ".pdf": {"CreationDate": None}}.items():
        with store.atomic_path(profile.figures_folder / f"{name}{ending}") as temporary:
            figure.savefig(temporary, metadata=metadata)
    _record(profile, f"{name}.png", notebook, sha, samples)


def save_table(profile: Profile, name: str, text: str, notebook: str, samples: Sequence = ()) -> None:
    """Write a Markdown table as ``figures/<profile>/<class>/<name>.md``, and its line in ``manifest.json``."""
    store.write_text(profile.figures_folder / f"{name}.md", text.rstrip() + "\n")
    _record(profile, f"{name}.md", notebook, hashlib.sha256(text.encode()).hexdigest(), samples)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def percent(share: float) -> str:
    """A share of the units as text; ``"never"`` for infinity, which stands for a threshold that is not reached."""
    return f"{share:.0%}" if np.isfinite(share) else "never"


# ---- the figures ----


def top_set_figure(fmap: np.ndarray, birth: int):
    """Fig. 1: a top set of four edges (fewer if four tie or have the hole), framed in the symmetrized map; its complex; the birth's."""
    figure, axes = new_figure([["map", "few", "birth"]], figsize=(8, 3))
    first, last = top_set(fmap, min(4, birth - 1)), top_set(fmap, birth)
    panels.draw_top_set(axes["map"], symmetrize(fmap), first, f"Top set of order {len(first)} in $F_s$")
    panels.draw_complex(axes["few"], len(fmap), first, "Its feature topology: no hole")
    panels.draw_complex(axes["birth"], len(fmap), last, f"With {birth} edges: the first hole", first_hole(fmap))
    return figure


def method_figure(image: np.ndarray, fmap: np.ndarray, birth: int, births: np.ndarray, rare_births: np.ndarray, units: tuple[int, int]):
    """Fig. 2A: image, map, symmetrized map, filtration, Betti curve, and the birth points of two units over the images."""
    mosaic = [["image", "map", "symmetric", "v1", "v2", "v3"], ["betti", "betti", "unit", "unit", "rare", "rare"]]
    figure, axes = new_figure(mosaic, figsize=(8, 4), height_ratios=[1, 1.3])
    panels.draw_image(axes["image"], image, "image")
    panels.draw_image(axes["map"], fmap, "map $F$")
    panels.draw_image(axes["symmetric"], symmetrize(fmap), "$F_s$")
    for number, order in enumerate((max(birth // 2, 1), birth - 1, birth), start=1):
        hole, edges = first_hole(fmap) if order == birth else (), top_set(fmap, order)
        panels.draw_complex(axes[f"v{number}"], len(fmap), edges, f"v = {len(edges)}", hole, names=False)
    _, betti = betti_curves(fmap)
    panels.draw_betti_curve(axes["betti"], edges_present(fmap), betti[:, 1], birth)
    null = null_births(len(fmap))
    panels.draw_births(axes["unit"], births, f"unit {units[0]}: rate {np.mean(births > 0):.2f}", null)
    panels.draw_births(axes["rare"], rare_births, f"unit {units[1]}: rate {np.mean(rare_births > 0):.2f}", null)
    axes["rare"].legend()
    return figure


def training_figure(log: Mapping[str, np.ndarray], births: Mapping[int, np.ndarray], means: Mapping[str, np.ndarray], null, null_entropy):
    """Fig. 2B-D: pooled birth points at four epochs; loss and mean entropy; mean selective rate and effectiveness by epoch."""
    figure, axes = new_figure([["B", "C1", "C2"], ["B", "D1", "D2"]], figsize=(8, 4.2), width_ratios=[1.45, 1, 1])
    last = max(births)
    panels.draw_birth_shares(axes["B"], {epoch: births[epoch] for epoch in sorted({0, 1, last // 2, last})}, null)
    panels.draw_epochs(axes["C1"], log["loss"], "loss (nats)", "C  Training loss", COLOURS["train"])
    panels.draw_epochs(axes["C2"], means["entropy"], "mean H (nats)", "Feature entropy")
    panels.draw_null_entropy(axes["C2"], null_entropy)
    panels.draw_epochs(axes["D1"], means["rate"], "mean rate", "D  Selective rate")
    panels.draw_epochs(axes["D2"], means["effectiveness"], "mean E (1/nats)", "Effectiveness")
    return figure


def _ablation_panel(axes, curve, test_curve, random, metric: str, kind: str, title: str) -> None:
    panels.draw_random(axes, np.array([getattr(other, metric) for other in random]))
    panels.draw_curve(axes, getattr(test_curve, metric), kind, "test images", linewidth=1.0, alpha=0.8, dashes=(2, 1.5))
    panels.draw_curve(axes, getattr(curve, metric), kind, "training images", curve.band(metric))
    panels.label_curves(axes, metric, title)


def ablation_figure(removed, reverse, random: Sequence, test_removed, test_reverse, by_class: Mapping[str, tuple]):
    """Fig. 3: accuracy, loss and balanced accuracy in the order of the rank (A) and in reverse (B); every class in both orders (C)."""
    import matplotlib.pyplot as plt

    n_rows = -(-len(by_class) // 5)
    plt.style.use("unitnb.unitnb")
    figure = plt.figure(figsize=(8, 4.6 + 1.5 * n_rows))
    upper, lower = figure.subfigures(2, 1, height_ratios=[4.6, 1.5 * n_rows])
    axes = upper.subplots(2, 3)
    for row, kind, order, curve, test in (
        (0, "rank", "most effective first", removed, test_removed),
        (1, "reverse", "reverse order", reverse, test_reverse),
    ):
        _ablation_panel(axes[row, 0], curve, test, random, "accuracy", kind, f"{'AB'[row]}  {order.capitalize()}")
        _ablation_panel(axes[row, 1], curve, test, random, "loss", kind, "")
        _ablation_panel(axes[row, 2], curve, test, random, "balanced_accuracy", kind, "")
    upper.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    _class_panels(lower, by_class, n_rows)
    return figure


def _class_panels(figure, by_class: Mapping[str, tuple], n_rows: int) -> None:
    axes = figure.subplots(n_rows, 5, sharex=True, sharey=True, squeeze=False)
    for place in axes.flat[len(by_class) :]:
        place.axis("off")
    for number, (place, (name, (best, worst))) in enumerate(zip(axes.flat, by_class.items(), strict=False)):
        panels.draw_curve(place, best.accuracy, "rank", "most effective first", best.band(n_boot=200))
        panels.draw_curve(place, worst.accuracy, "reverse", "reverse order", worst.band(n_boot=200))
        place.set(title=f"C  {name}" if number == 0 else name, ylim=(-0.05, 1.05))
    figure.supxlabel("units removed", fontsize=9.5)
    figure.supylabel("accuracy", fontsize=9.5)
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower right", ncols=2)


def stability_figure(curves: Mapping[str, Mapping], tables: Mapping[str, Mapping[str, np.ndarray]], profile: Profile):
    """Fig. 4: curves by several ranks on several sets (A, B), votes for three sizes (C), and agreement over the size (D).

    ``tables`` are of ``stability_table``: "overlapping" as in the paper, "disjoint", and "other images" for the reference.
    """
    figure, axes = new_figure(
        [["A1", "A1", "A2", "A2", "A3", "A3"], ["B", "B", "B", "D", "D", "D"], ["C1", "C1", "C2", "C2", "C3", "C3"]], figsize=(8, 7.4)
    )
    for number, (name, by_rank) in enumerate(curves.items(), start=1):
        title = f"{'A  ' if number == 1 else ''}On {_tex(name)}"
        _rank_curves(axes[f"A{number}"], by_rank, ("IR_1000", "IR_val", "IR_50", "IR_100"), title)
    _rank_curves(axes["B"], curves["S_1000"], ("IR_1000", "mean rank", "IR_100"), "B  On $S_{1000}$, with the mean rank")
    axes["A1"].legend()
    axes["B"].legend()
    table = tables["overlapping"]
    for number, row in enumerate((0, list(table["set_size"]).index(profile.n_rank), -1), start=1):
        title = f"{'C  ' if number == 1 else ''}Sets of {table['set_size'][row]} images"
        panels.draw_votes(axes[f"C{number}"], table["votes"][row], profile.n_sets, table["top_units"].shape[1], title)
    for label, (source, name) in AGREEMENTS.items():
        panels.draw_agreement(axes["D"], tables[source]["set_size"], tables[source][name], label)
    panels.label_agreement(axes["D"], "D  Agreement over the size of a set")
    return figure


AGREEMENTS = {  # label in Fig. 4D: which table, which of its columns
    "Eq. 14": ("overlapping", "ratio"),
    "Eq. 14, disjoint sets": ("disjoint", "ratio"),
    "Eq. 14, other images": ("other images", "ratio"),
    r"Kendall $\tau$": ("overlapping", "kendall"),
    "Jaccard, top 20": ("overlapping", "jaccard"),
}


def _rank_curves(axes, by_rank: Mapping, ranks: Sequence[str], title: str) -> None:
    for rank in ranks:
        panels.draw_curve(axes, by_rank[rank].accuracy, rank, _tex(rank), by_rank[rank].band(n_boot=200))
    panels.label_curves(axes, "accuracy", title)


def _tex(name: str) -> str:
    """``IR_100`` as mathematics; a plain name as it is."""
    letters, _, index = name.partition("_")
    return f"${letters}_{{{index}}}$" if index else name


def roles_figure(runs: Mapping[str, tuple]):
    """Fig. 5: insertion curves of each model on training and test images, accuracy above, loss below, over the spans of the roles."""
    models = list(runs)
    figure, axes = new_figure([[f"{m} accuracy" for m in models], [f"{m} loss" for m in models]], figsize=(8, 4.6), sharex=True)
    for model, (train, test, roles) in runs.items():
        for metric in ("accuracy", "loss"):
            place = axes[f"{model} {metric}"]
            panels.draw_roles(place, roles.spans)
            panels.draw_curve(place, getattr(test, metric), "test")
            panels.draw_curve(place, getattr(train, metric), "train")
            panels.label_curves(
                place, metric, f"Model {model}" if metric == "accuracy" else "", "units inserted" if metric == "loss" else ""
            )
    panels.role_legend(figure)
    return figure

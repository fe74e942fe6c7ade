"""Training the models of Fig. 5 and Table 1, with weights of every epoch for Fig. 2 (Sec. 3.1, 3.3)."""

import csv
import math
import time
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..files import store
from ..files.progress import show_progress
from ..images.samples import Images, training_set
from ..profiles import Profile, Recipe
from .architectures import VGG_BLOCK, architecture_of, arrays_of, untrained_network
from .feeds import MemoryFeed, StreamedFeed, write_scalars
from .frozen import FrozenFeed, front_and_rest
from .trained import LOG, read_log, weights_folder

KEPT = 2  # checkpoints: the last, and the one before it should the last be damaged


def _compiled(profile: Profile, recipe: Recipe, n_classes: int):
    """The untrained network of a recipe, with its optimizer; of one with a frozen front what follows that."""
    import keras

    network = untrained_network(profile, recipe, n_classes)
    network = front_and_rest(network)[1] if profile.architecture == VGG_BLOCK else network
    network.compile(
        optimizer=keras.optimizers.SGD(recipe.learning_rate, momentum=recipe.momentum),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    # The checkpoint of epoch 0 holds the optimizer's variables too, so they must exist.
    network.optimizer.build(network.trainable_variables)
    return network


def _feed(profile: Profile, images: Images, indices: np.ndarray, assigned_labels: np.ndarray):
    """The images of a training, in memory or streamed, and the images drawn for evaluation."""
    labels = images.labels["test"]
    judged = _some(indices, assigned_labels, profile.n_evaluated)
    test = _some(np.arange(len(labels)), labels, profile.n_evaluated)
    in_memory = FrozenFeed if profile.architecture == VGG_BLOCK else MemoryFeed
    feed = StreamedFeed if profile.streamed else in_memory
    return feed(profile, images, judged, test, indices, assigned_labels)


def _evaluate(network, feed) -> dict[str, float]:
    import keras

    found = {}
    for prefix in ("", "test_"):
        logits, labels = feed.logits(network, prefix)
        # Without the L2 term.
        losses = keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        found[f"{prefix}loss"] = float(np.mean(losses))
        found[f"{prefix}accuracy"] = float(np.mean(logits.argmax(1) == labels))
    return found


def _some(indices: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A fixed random draw of at most ``count`` images with their labels (they are sorted by class)."""
    drawn = np.random.default_rng(3).permutation(len(labels))[:count]
    return indices[drawn], labels[drawn]


def _epochs(recipe: Recipe) -> list[float]:
    """The epochs after which the network is kept: fractions of the first, and whole ones."""
    within = [round(part / recipe.parts, 4) for part in range(1, recipe.parts)]
    return [*within, *range(1, recipe.epochs + 1)] if recipe.epochs else []


def _fit_one(network, feed, recipe: Recipe, epoch: float, n_images: int) -> None:
    """Train up to the end of ``epoch``: one epoch, or a part of the first.

    Order and dropout depend on epoch and recipe alone, so a resumed run is the same.
    """
    number, part = math.ceil(epoch), round(epoch * recipe.parts) - 1 if epoch <= 1 else 0
    seed = (number, recipe.seed) if recipe.seed else (number,)
    order = np.random.default_rng([2, *seed]).permutation(n_images)
    for place, layer in enumerate(network.layers):
        if hasattr(layer, "seed_generator"):
            state = [place + 100 * recipe.seed, number + 1000 * part]
            layer.seed_generator.state.assign(np.array(state, np.uint32))
    feed.fit(
        network,
        np.array_split(order, recipe.parts)[part] if number == 1 else order,
        recipe.batch_size,
        initial_epoch=number - 1,
        epochs=number,
        verbose=1 if show_progress() else 0,
    )


def _write_log(path: Path, rows: list[dict]) -> None:
    with store.atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, LOG, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: row[name] if name == "epoch" else f"{row[name]:.4f}" for name in LOG} for row in rows
        )


def _checkpoint(network, work: Path, rows: list[dict], head: str | None) -> None:
    """Write the network, the log and, if ``head`` is given, the layers up to it in half precision.

    Older checkpoints are removed; the half-precision layers of every epoch stay.
    """
    number = len(rows) - 1
    with store.atomic_path(work / f"epoch-{number:03d}.weights.h5") as temporary:
        network.save_weights(temporary, overwrite=True)
    if head:
        store.write_npz(work / f"head-{number:03d}.npz", arrays_of(network, head))
    _write_log(work / "log.csv", rows)
    for path in sorted(work.glob("epoch-*.weights.h5"))[:-KEPT]:
        path.unlink()


def _resume(network, work: Path) -> list[dict]:
    """Load the last whole checkpoint, optimizer included; returns the log up to it, [] if there is none."""
    rows = read_log(work / "log.csv") if (work / "log.csv").exists() else []
    while rows:
        path = work / f"epoch-{len(rows) - 1:03d}.weights.h5"
        try:
            network.load_weights(path)
            return rows
        except (OSError, ValueError, KeyError) as error:
            warnings.warn(
                f"{path.name} cannot be read ({str(error)[:80]}); going back one epoch", stacklevel=2
            )
            rows.pop()
    return rows


def _export(
    network, model: str, work: Path, folder: Path, meta: dict, rows: list[dict], head: str | None
) -> None:
    store.write_npz(folder / f"{model}.npz", arrays_of(network), meta)
    if head:
        heads: dict[str, np.ndarray] = {}
        for number, row in enumerate(rows):
            kept, _ = store.read_npz(work / f"head-{number:03d}.npz")
            heads |= {f"{row['epoch']:02g}/{name}": array for name, array in kept.items()}
        store.write_npz(folder / f"{model}-epochs.npz", heads, meta)
    _write_log(folder / f"{model}.csv", rows)
    for path in [*work.glob("*.weights.h5"), *work.glob("head-*.npz")]:
        path.unlink()


def _epoch(network, feed, recipe: Recipe, epoch: float, rows: list[dict]) -> dict:
    """Train up to the end of ``epoch``; returns its row of the log."""
    start, whole = time.perf_counter(), [row for row in rows if row["epoch"] % 1 == 0]
    seen = [round(row["test_accuracy"], 4) for row in whole]  # rounded like the log that a resumed run reads
    network.optimizer.learning_rate.assign(recipe.step_size(math.ceil(epoch), seen))
    _fit_one(network, feed, recipe, epoch, len(feed.train[1]))
    return {"epoch": epoch, **_evaluate(network, feed), "seconds": time.perf_counter() - start}


def train_model(profile: Profile, model: str, images: Images, folder: Path | None = None) -> Path:
    """Train one model by its recipe; write its weights and log, and return the file of weights (Sec. 3.1).

    The network, its optimizer and the log are written to ``build/training`` after every epoch. An interrupted
    run continues from there and gives the same network as an uninterrupted one. The convolutions of the first
    model are kept for every epoch, and for the recipe's ``parts`` of the first epoch. Of a network with a
    frozen front only what follows that is trained. For a profile with ``streamed`` the log is also written
    for TensorBoard, under ``build/tensorboard``.

    Parameters
    ----------
    model : one of the profile's models
    folder : for ``<model>.npz``, ``<model>.csv`` and, of the first model, ``<model>-epochs.npz``;
        :func:`weights_folder` by default

    Raises
    ------
    KeyError
        If the profile has no such model.
    ValueError
        If its architecture or precision is unknown, or an image cannot be read and the profile is strict.
    """
    recipe, folder = profile.recipe(model), Path(folder or weights_folder(profile, model))
    meta = {
        "profile": profile.name,
        "model": model,
        "recipe": asdict(recipe),
        **architecture_of(profile, images.n_outputs),
    }
    feed = _feed(profile, images, *training_set(images, profile, model))
    name = f"{profile.name}-{model}-{store.digest(meta, feed.key)[:12]}"
    work = profile.build / "training" / name
    if (work / "finished").exists() and (folder / f"{model}.npz").exists():
        print(f"model {model}: trained already ({folder / model}.npz); remove {work} to train it again")
        return folder / f"{model}.npz"
    with feed.scope():
        network = _compiled(profile, recipe, images.n_outputs)
    # Fig. 2 needs the epochs of the first model, of any seed.
    head = profile.layer if model.rstrip("0123456789") == next(iter(profile.models)) else None
    rows = _resume(network, work) or [{"epoch": 0, **_evaluate(network, feed), "seconds": 0.0}]
    if rows[-1]["epoch"] == 0:
        _checkpoint(network, work, rows, head)
    for epoch in _epochs(recipe)[len(rows) - 1 :]:
        rows.append(_epoch(network, feed, recipe, epoch, rows))
        _checkpoint(network, work, rows, head)
        print(f"model {model}, epoch {epoch}/{recipe.epochs}:", _summary(rows[-1]), flush=True)
        if profile.streamed:
            write_scalars(profile.build / "tensorboard" / name, rows[-1])
    _export(network, model, work, folder, meta | {"classes": list(images.classes)}, rows, head)
    (work / "finished").touch()
    return folder / f"{model}.npz"


def _summary(row: dict) -> str:
    text = "loss {loss:.3f}, accuracy {accuracy:.3f}; on test images {test_loss:.3f}, {test_accuracy:.3f}"
    return text.format(**row)

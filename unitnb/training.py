"""Training the models of Fig. 5 and Table 1, with weights of every epoch for the training analysis (Sec. 3.3)."""

import contextlib
import csv
import time
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np

from . import data, large_training, models, pretrained, store, tails
from .profiles import Profile, Recipe, nearest, show_progress

KEPT = 2  # checkpoints: the last, and the one before it should the last be damaged
LOG = ("epoch", "loss", "accuracy", "test_loss", "test_accuracy", "seconds")


class NotTrainedError(FileNotFoundError):
    """A network, or what its training leaves behind, that has to be trained first."""


def weights_folder(profile: Profile, model: str | None = None) -> Path:
    """Where a profile's weights lie: in the package for the embedded images (they are shipped), else under ``build/weights``.

    Those of a model of ``profile.extra`` are not shipped; only what was measured on them is.
    """
    if profile.source == "shapes" and model not in profile.extra:
        return Path(__file__).parent / "weights" / profile.name
    return profile.build / "weights" / profile.name


def _architecture(profile: Profile, classes: int) -> dict:
    """What a profile says of its network: the arguments of a function of ``models.ARCHITECTURES``."""
    if profile.architecture == "vgg16":
        return {"n_classes": classes, "width": profile.width, "input_size": profile.image_size}
    return {"n_classes": classes, "widths": list(profile.widths), "dense": profile.dense, "image_size": profile.image_size}


def _network(profile: Profile, recipe: Recipe, n_classes: int):
    """The untrained network of a recipe."""
    import keras

    if profile.architecture not in models.ARCHITECTURES:
        raise ValueError(f"unknown architecture '{profile.architecture}': {nearest(profile.architecture, models.ARCHITECTURES)}")
    keras.utils.set_random_seed(1 + recipe.seed)  # models of one seed start alike, whatever the notebook's seed
    build = models.ARCHITECTURES[profile.architecture]
    return build(**_architecture(profile, n_classes), dropout=recipe.dropout, l2=recipe.l2)


def _compiled(profile: Profile, recipe: Recipe, n_classes: int):
    """The same with its optimizer."""
    import keras

    network = _network(profile, recipe, n_classes)
    network.compile(
        optimizer=keras.optimizers.SGD(recipe.learning_rate, momentum=recipe.momentum),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    network.optimizer.build(network.trainable_variables)  # so that the checkpoint of epoch 0 holds its variables too
    return network


class _MemoryFeed:
    """Training and test images as arrays, with what ``large_training.StreamedFeed`` has: ``key``, ``scope``, ``fit``, ``logits``."""

    scope = contextlib.nullcontext

    def __init__(self, profile: Profile, images: data.Images, judged, test, indices: np.ndarray, labels: np.ndarray):
        self.train = _read_all(images, "train", indices, labels, profile.strict)
        self.judged = {"": _read_all(images, "train", *judged, profile.strict), "test_": _read_all(images, "test", *test, profile.strict)}
        self.key = store.digest(*self.train)

    def fit(self, network, order: np.ndarray, batch_size: int, **settings) -> None:
        network.fit(self.train[0][order], self.train[1][order], batch_size=batch_size, shuffle=False, **settings)

    def logits(self, network, prefix: str) -> tuple[np.ndarray, np.ndarray]:
        images, labels = self.judged[prefix]
        return network.predict(images, batch_size=250, verbose=0), labels


def _feed(profile: Profile, images: data.Images, indices: np.ndarray, told: np.ndarray):
    """The images of a training, in memory or as they are needed; judged are draws of those that are trained on and of test images."""
    labels = images.labels["test"]
    judged = _some(indices, told, profile.n_evaluated), _some(np.arange(len(labels)), labels, profile.n_evaluated)
    return (large_training.StreamedFeed if profile.streamed else _MemoryFeed)(profile, images, *judged, indices, told)


def _evaluate(network, feed) -> dict[str, float]:
    import keras

    found = {}
    for prefix in ("", "test_"):
        logits, labels = feed.logits(network, prefix)
        losses = keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)  # without the L2 term
        found[f"{prefix}loss"] = float(np.mean(losses))
        found[f"{prefix}accuracy"] = float(np.mean(logits.argmax(1) == labels))
    return found


def _some(indices: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A fixed random draw of at most ``count`` images with their labels (they are sorted by class)."""
    drawn = np.random.default_rng(3).permutation(len(labels))[:count]
    return indices[drawn], labels[drawn]


def _fit_one(network, feed, recipe: Recipe, epoch: int, n_images: int) -> None:
    """One epoch whose order and dropout depend on the epoch and the recipe alone, so that a resumed run goes the same way."""
    seed = (epoch, recipe.seed) if recipe.seed else (epoch,)
    order = np.random.default_rng([2, *seed]).permutation(n_images)
    for number, layer in enumerate(network.layers):
        if hasattr(layer, "seed_generator"):
            layer.seed_generator.state.assign(np.array([number + 100 * recipe.seed, epoch], np.uint32))
    feed.fit(network, order, recipe.batch_size, initial_epoch=epoch - 1, epochs=epoch, verbose=1 if show_progress() else 0)


def _write_log(path: Path, rows: list[dict]) -> None:
    with store.atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, LOG, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: row[name] if name == "epoch" else f"{row[name]:.4f}" for name in LOG} for row in rows)


def _read_log(path: Path) -> list[dict]:
    with open(path, newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


def _checkpoint(network, work: Path, rows: list[dict], head: str | None) -> None:
    """Keep the network, and for good, in half precision, its layers up to ``head`` if one is named; older checkpoints go."""
    epoch = rows[-1]["epoch"]
    with store.atomic_path(work / f"epoch-{epoch:03d}.weights.h5") as temporary:
        network.save_weights(temporary, overwrite=True)
    if head:
        store.write_npz(work / f"head-{epoch:03d}.npz", _arrays(network, head))
    _write_log(work / "log.csv", rows)
    for path in sorted(work.glob("epoch-*.weights.h5"))[:-KEPT]:
        path.unlink()


def _resume(network, work: Path) -> list[dict]:
    """Load the last whole checkpoint, optimizer included; the log up to it, or [] where training starts from nothing."""
    rows = _read_log(work / "log.csv") if (work / "log.csv").exists() else []
    while rows:
        path = work / f"epoch-{rows[-1]['epoch']:03d}.weights.h5"
        try:
            network.load_weights(path)
            return rows
        except (OSError, ValueError, KeyError) as error:
            warnings.warn(f"{path.name} cannot be read ({str(error)[:80]}); going back one epoch", stacklevel=2)
            rows.pop()
    return rows


def _arrays(network, last_layer: str | None = None) -> dict[str, np.ndarray]:
    """Weights in half precision by ``layer/variable``, up to ``last_layer`` if one is named."""
    names = [layer.name for layer in network.layers]
    layers = network.layers[: names.index(last_layer) + 1] if last_layer else network.layers
    return {f"{layer.name}/{v.name}": np.asarray(v, np.float16) for layer in layers for v in layer.trainable_weights}


def _export(network, model: str, work: Path, folder: Path, meta: dict, rows: list[dict], head: str | None) -> None:
    store.write_npz(folder / f"{model}.npz", _arrays(network), meta)
    if head:
        heads = {}
        for epoch in (row["epoch"] for row in rows):
            kept, _ = store.read_npz(work / f"head-{epoch:03d}.npz")
            heads |= {f"{epoch:02d}/{name}": array for name, array in kept.items()}
        store.write_npz(folder / f"{model}-epochs.npz", heads, meta)
    _write_log(folder / f"{model}.csv", rows)
    for path in [*work.glob("*.weights.h5"), *work.glob("head-*.npz")]:
        path.unlink()


def _epoch(network, feed, recipe: Recipe, epoch: int, rows: list[dict]) -> dict:
    """Train for one more epoch; its row of the log."""
    start = time.perf_counter()
    seen = [round(row["test_accuracy"], 4) for row in rows]  # as the log has them, from which a resumed run reads them
    network.optimizer.learning_rate.assign(recipe.step_size(epoch, seen))
    _fit_one(network, feed, recipe, epoch, len(feed.train[1]))
    return {"epoch": epoch, **_evaluate(network, feed), "seconds": time.perf_counter() - start}


def train_model(profile: Profile, model: str, images: data.Images, folder: Path | None = None) -> Path:
    """Train one model by its recipe and write its weights and log; the file of weights.

    After every epoch the network, its optimizer and the log are kept under ``build/training``; an interrupted run goes on from there,
    the same way as if it had not been interrupted. The first model's convolutions are kept at every epoch. Where the profile streams its
    images, the log is written for TensorBoard too, under ``build/tensorboard``.

    Parameters
    ----------
    model : one of the profile's models
    folder : where ``<model>.npz``, ``<model>.csv`` and, for the first model, ``<model>-epochs.npz`` go; :func:`weights_folder` by default
    """
    recipe, folder = profile.recipe(model), Path(folder or weights_folder(profile, model))
    meta = {"profile": profile.name, "model": model, "recipe": asdict(recipe), **_architecture(profile, images.n_outputs)}
    feed = _feed(profile, images, *data.training_set(images, profile, model))
    name = f"{profile.name}-{model}-{store.digest(meta, feed.key)[:12]}"
    work = profile.build / "training" / name
    if (work / "finished").exists() and (folder / f"{model}.npz").exists():
        print(f"model {model}: trained already ({folder / model}.npz); remove {work} to train it again")
        return folder / f"{model}.npz"
    with feed.scope():
        network = _compiled(profile, recipe, images.n_outputs)
    head = profile.layer if model.rstrip("0123456789") == next(iter(profile.models)) else None  # the model of Fig. 2, of any seed
    rows = _resume(network, work) or [{"epoch": 0, **_evaluate(network, feed), "seconds": 0.0}]
    if rows[-1]["epoch"] == 0:
        _checkpoint(network, work, rows, head)
    for epoch in range(rows[-1]["epoch"] + 1, recipe.epochs + 1):
        rows.append(_epoch(network, feed, recipe, epoch, rows))
        _checkpoint(network, work, rows, head)
        print(f"model {model}, epoch {epoch}/{recipe.epochs}:", _summary(rows[-1]), flush=True)
        if profile.streamed:
            large_training.write_scalars(profile.build / "tensorboard" / name, rows[-1])
    _export(network, model, work, folder, meta, rows, head)
    (work / "finished").touch()
    return folder / f"{model}.npz"


def _summary(row: dict) -> str:
    return "loss {loss:.3f}, accuracy {accuracy:.3f}; on test images {test_loss:.3f}, {test_accuracy:.3f}".format(**row)


def _read_all(images: data.Images, split: str, indices: np.ndarray, labels: np.ndarray, strict: bool) -> tuple[np.ndarray, np.ndarray]:
    found, kept, _ = images.read_many(split, indices, len(indices), strict)
    return found, labels[np.isin(indices, kept)]


def train_command(profile: Profile, wanted: list[str]) -> str:
    """The command that trains the models ``wanted``."""
    if profile.weights:  # by name: the first of them is pretrained, and only its epochs may be wanted
        return f"UNITNB_DATA=... unitnb train --profile {profile.name} --models {' '.join(wanted)}"
    folder = f"DATA={profile.data_folder}" if profile.source != "shapes" else ""
    extra = " EXTRA=1" if set(wanted) & set(profile.extra) else ""
    return f"make train PROFILE={profile.name} {folder}".rstrip() + extra


def is_pretrained(profile: Profile, model: str) -> bool:
    """Whether a model is Keras's VGG16 with the weights that the profile names: its first model, where it names some."""
    return bool(profile.weights) and model == next(iter(profile.models))


def trained_models(profile: Profile) -> tuple[list[str], str]:
    """The profile's models that can be loaded, and a paragraph on those that must be trained first; empty if none must.

    Only of a profile with pretrained weights may models be missing; for others this gives all, and :func:`load_model` the error.
    """
    missing = [model for model in profile.models if profile.weights and not _is_there(profile, model)]
    needs = f"\n\nNot measured: models {', '.join(missing)}. Train them with: {train_command(profile, missing)}"
    return [model for model in profile.models if model not in missing], needs if missing else ""


def _is_there(profile: Profile, model: str) -> bool:
    return is_pretrained(profile, model) or (weights_folder(profile, model) / f"{model}.npz").exists()


def _stored(profile: Profile, model: str, ending: str = ".npz") -> tuple[dict[str, np.ndarray], dict]:
    path = weights_folder(profile, model) / (model + ending)
    if not path.exists():
        raise NotTrainedError(f"no weights at {path}; make them with: {train_command(profile, [model])}")
    arrays, meta = store.read_npz(path)
    wanted = _architecture(profile, meta["n_classes"])
    if any(meta[name] != value for name, value in wanted.items()):
        raise ValueError(
            f"{path} holds a network of { ({name: meta[name] for name in wanted}) }, the profile asks for {wanted}; train it again"
        )
    return arrays, meta


def _assign(network, arrays: dict[str, np.ndarray]) -> None:
    for layer in network.layers:
        for variable in layer.trainable_weights:
            variable.assign(arrays[f"{layer.name}/{variable.name}"].astype(np.float32))


def load_model(profile: Profile, model: str = "A"):
    """A trained network of the profile, as a Keras model that takes images of grey levels and gives logits.

    The first model of a profile with ``weights`` is Keras's VGG16; its images are RGB, 0..255, too.

    Raises
    ------
    FileNotFoundError
        If it has not been trained, or the pretrained weights are not there; the text says how to get them.
    ValueError
        If the file is damaged, or holds a network of another size.
    """
    recipe = profile.recipe(model)
    if is_pretrained(profile, model):
        return pretrained.load_vgg16(profile)
    arrays, meta = _stored(profile, model)
    network = _network(profile, recipe, meta["n_classes"])
    _assign(network, arrays)
    return network


def epoch_maps(profile: Profile, epoch: int, images: np.ndarray, model: str = "A") -> np.ndarray:
    """Feature maps (n, h, w, u) of the studied layer as the model was after an epoch, 0 being untrained (Fig. 2B-D).

    Only the convolutions of each epoch are kept, so there is no network to classify with. Of a pretrained network nobody kept any;
    its epoch 0 stands for the same architecture with random weights.

    Raises
    ------
    NotTrainedError
        If the model has not been trained here.
    ValueError
        If there is no such epoch.
    """
    import keras

    if is_pretrained(profile, model) and epoch == 0:
        keras.utils.set_random_seed(1 + profile.recipe(model).seed)
        return models.split_model(pretrained.vgg16(profile.image_size), profile.layer).feature_maps(images)
    arrays, meta = _stored(profile, model, "-epochs.npz")
    epochs = sorted({int(name.split("/")[0]) for name in arrays})
    if epoch not in epochs:
        raise ValueError(f"model {model} has no epoch {epoch}: {nearest(epoch, epochs)}")
    network = _network(profile, profile.recipe(model), meta["n_classes"])
    head = keras.Model(network.inputs[0], network.get_layer(profile.layer).output)
    _assign(head, {name[3:]: array for name, array in arrays.items() if int(name[:2]) == epoch})
    return tails.run_in_batches(head, [images])


def training_log(profile: Profile, model: str = "A") -> dict[str, np.ndarray]:
    """Loss (nats) and accuracy on training and test images after each epoch, by name; the first entry is epoch 0, untrained.

    Raises
    ------
    NotTrainedError
        If the model has not been trained here.
    """
    path = weights_folder(profile, model) / f"{model}.csv"
    if not path.exists():
        raise NotTrainedError(f"no log of model {model}'s training at {path}; make it with: {train_command(profile, [model])}")
    rows = _read_log(path)
    return {name: np.array([row[name] for row in rows]) for name in LOG}

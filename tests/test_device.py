"""Engines on the backend's device, forced on the processor: the same curves as those of NumPy, with
TensorFlow, and in another process with JAX.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from test_ablation import brute_force, seeded, setting, stirred
from test_split import residual

import unitnb
from unitnb.ablation import device_engine, device_masks, device_programs, device_sums, engines
from unitnb.ablation.causal import greedy_forward, single_ablation, taylor
from unitnb.ablation.cumulative import ablation_curve, ablation_curves
from unitnb.ablation.subsets import SubsetPredictor
from unitnb.ablation.walks import judge
from unitnb.files.settings import ENGINE_DEVICE
from unitnb.networks import devices
from unitnb.networks.outputs import KINDS, Reading
from unitnb.networks.split import split_model
from unitnb.networks.vgg import small_vgg

L, ops = keras.layers, keras.ops


@pytest.fixture
def on(monkeypatch):
    """Computes something on the device, or in NumPy on the processor: ``on("device", work)``."""

    def computed(where, work):
        monkeypatch.setenv(ENGINE_DEVICE, where)
        return work()

    return computed


def numbers(values):
    return ops.convert_to_numpy(values)


# ---- both engines agree ----
# What the process with JAX runs: each engine, on networks that compile in seconds. The workflow runs all.
AGREEMENT = "agree and not EfficientNet or running_sums or all_digits"
CASES = {
    "small VGG": (lambda: small_vgg(n_classes=4, widths=(4, 4, 20), dense=8), "block2_conv3", 255, None),
    "small VGG, earlier layer": (
        lambda: small_vgg(n_classes=4, widths=(4, 6, 8), dense=8),
        "block2_conv2",
        255,
        None,
    ),
    "EfficientNet-Lite0": (lambda: unitnb.efficientnet_lite0(64, 7), "top_activation", 1, None),
    "EfficientNet-Lite0, earlier layer": (
        lambda: unitnb.efficientnet_lite0(64, 7),
        "block6a_expand_activation",
        1,
        6,
    ),
    "inside a ResNet block": (lambda: residual(softmax=True), "inner_relu", 3, None),
    "after a ResNet block": (lambda: residual(), "add", 3, None),
}


@pytest.mark.parametrize("name", CASES)
def test_curves_scores_and_answers_agree_with_the_processor(name, on):
    make, layer, scale, points = CASES[name]
    split, maps, labels, order = setting(stirred(seeded(make)), layer, scale=scale)

    def work():
        asked = {"points": points, "negatives": maps[:3], "target": int(labels[0])}
        curves = [ablation_curve(split, maps, labels, order, mode, **asked) for mode in ("remove", "insert")]
        scores = [single_ablation(split, maps, labels)] if points is None else []
        scores += [taylor(split, maps, labels, absolute) for absolute in ("entries", "map")]
        return curves, [*scores, SubsetPredictor(split, maps).predict(order[:2])]

    (cpu, cpu_scores), (device, device_scores) = on("cpu", work), on("device", work)
    for expected, found in zip(cpu, device, strict=True):
        assert np.ptp(expected.losses) > 1e-3
        for part in ("correct", "in_top5", "chosen", "accuracy", "points"):
            assert np.array_equal(getattr(found, part), getattr(expected, part)), part
        for part in ("losses", "label_logits"):
            np.testing.assert_allclose(getattr(found, part), getattr(expected, part), atol=1e-5)
    for expected, found in zip(cpu_scores, device_scores, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-4)


def vgg16_tail():
    """VGG16 behind ``block5_conv3``, with random weights, split; two images, labels and an order."""
    keras.utils.set_random_seed(0)
    dense = [L.Dense(4096, "relu"), L.Dense(4096, "relu"), L.Dense(1000, "softmax")]
    layers = [L.Activation("linear", name="maps"), L.MaxPooling2D(2), L.Flatten(), *dense]
    split = split_model(keras.Sequential([keras.Input((14, 14, 512)), *layers]), "maps")
    rng = np.random.default_rng(0)
    maps = np.maximum(rng.standard_normal((2, 14, 14, 512), dtype=np.float32), 0)
    return split, maps, np.array([3, 700]), rng.permutation(512)


def in_float64(split, maps, labels, order):
    """Logit and loss of the label after each unit, (u + 1, n), all in float64."""
    first, bias, *weights = split.model.get_weights()
    pooled = maps.reshape(-1, 7, 2, 7, 2, 512).max(axis=(2, 4)).reshape(-1, 49, 512).astype(np.float64)
    kernel, sums = first.reshape(49, 512, -1), [np.tile(bias.astype(np.float64), (len(maps), 1))]
    for unit in order:
        sums.append(sums[-1] + pooled[:, :, unit] @ kernel[:, unit].astype(np.float64))
    rows = np.array(sums)
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        rows = np.maximum(rows, 0) @ kernel.astype(np.float64) + bias
    own = np.stack([rows[:, i, label] for i, label in enumerate(labels)], axis=1)
    return own, np.log(np.exp(rows).sum(axis=2)) - own, rows.argmax(axis=2) == labels


def test_float32_on_the_device_is_within_1e_5_of_a_logit_on_vgg16s_tail(on):
    """Against everything in float64, and against the processor's engine, whose sums are float64."""
    split, maps, labels, order = vgg16_tail()
    logits, losses, correct = in_float64(split, maps, labels, order)
    assert np.ptp(logits) > 1
    cpu, device = (
        on(w, lambda: ablation_curve(split, maps, labels, order, "insert")) for w in ("cpu", "device")
    )
    assert np.array_equal(device.correct, correct) and np.array_equal(device.accuracy, cpu.accuracy)
    for curve in (cpu, device):
        assert np.abs(curve.label_logits - logits).max() < 1e-5
        assert np.abs(curve.losses - losses).max() < 1e-5
    np.testing.assert_allclose(device.losses, cpu.losses, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the other process")
def test_the_same_with_jax():
    """This file in a process of its own, which runs Keras on JAX; all of it in CI's job jax."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX is not installed; it is in the extra 'test'")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-o",
        "cache_dir=build/pytest-jax",
        __file__,
        "-k",
        AGREEMENT,
    ]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment = {**own, "KERAS_BACKEND": "jax"}
    found = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[1]
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]
    assert " passed" in found.stdout and "skipped" not in found.stdout.replace("1 skipped", "")


# ---- digits ----
def test_two_sum_leaves_nothing_out():
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=500).astype(np.float32) * 10.0 ** rng.integers(-6, 6, 500) for _ in range(2))
    a, b = a.astype(np.float32), b.astype(np.float32)
    total, rest = (
        numbers(part).astype(np.float64) for part in devices.compiled(device_programs.two_sum)(a, b)
    )
    assert np.array_equal(total + rest, a.astype(np.float64) + b) and np.count_nonzero(rest) > 100


def test_running_sums_restart_from_exact_points():
    """512 terms near 100 that go away again: plain sums of float32 drift ten times as far as these."""
    rng = np.random.default_rng(1)
    sign = np.repeat([1, -1], 256)[:, None, None]
    terms = (sign * 100 + rng.normal(size=(512, 3, 40))).astype(np.float32)
    start = rng.normal(size=(3, 40)).astype(np.float32)
    exact = np.cumsum(np.concatenate([start[None], terms]).astype(np.float64), axis=0)
    found, high, low = devices.compiled(device_programs.running_sums)(start, np.zeros_like(start), terms)
    plain = np.cumsum(np.concatenate([start[None], terms]), axis=0, dtype=np.float32)
    ends = [np.abs(numbers(part)[-1] - exact[-1]).max() for part in (found, plain)]
    assert ends[0] < ends[1] / 10 and np.abs(numbers(found) - exact).max() < 1.5e-7 * np.abs(exact).max()
    assert np.array_equal(numbers(found)[-1], numbers(high + low)) and np.array_equal(
        numbers(found)[0], start
    )


def test_products_have_all_digits_and_the_backend_its_settings_back():
    if keras.backend.backend() == "jax":
        import jax

        asked = lambda: jax.config.jax_default_matmul_precision  # noqa: E731
        short, full = None, "highest"
    else:
        from tensorflow.config import experimental

        asked, short, full = experimental.tensor_float_32_execution_enabled, True, False
    seen = []
    assert asked() == short
    devices.compiled(lambda x: seen.append(asked()) or x + 1)(np.ones(2, np.float32))
    with pytest.raises(ZeroDivisionError), devices.full_float32():
        assert asked() == full
        raise ZeroDivisionError
    assert seen == [full] and asked() == short


# ---- outcomes ----
def test_outcomes_are_those_of_the_processor_with_ties():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 4, (60, 6)).astype(np.float32)
    labels = rng.integers(0, 6, 60).astype(np.int32)
    for target in (2, None):
        asked = np.int32(-1 if target is None else target)
        found = devices.compiled(device_programs.outcomes)(scores, labels, asked)
        for part, expected in zip(found, judge(scores, labels, target), strict=True):
            np.testing.assert_allclose(numbers(part), expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_class_scores_are_those_of_the_processor(kind):
    outputs = np.random.default_rng(0).uniform(0, 1, (5, 1 if kind in ("sigmoid", "binary logit") else 3))
    outputs[0] = 0
    found = numbers(device_programs.class_scores(kind, ops.convert_to_tensor(outputs.astype(np.float32))))
    np.testing.assert_allclose(found, Reading(kind, "the caller").class_scores(outputs), rtol=1e-6)


# ---- what goes there and comes back ----
@pytest.fixture(params=["block2_conv3", "block2_conv2"])
def case(request, monkeypatch):
    monkeypatch.setenv(ENGINE_DEVICE, "device")
    return setting(seeded(small_vgg, 8, (4, 20, 20), 8), request.param, n=9, scale=255)


def test_maps_go_once_and_a_state_is_at_most_five_numbers(case, monkeypatch):
    split, maps, labels, order = case
    engine = engines.open_engine(split, np.zeros(split.map_shape, np.float32))
    live = engine.load(maps)
    sent, came, original = [], [], engine._program

    def spied(name):
        def run(*given):
            found = original(name)(*given)
            sent.extend(array.size for array in given if isinstance(array, np.ndarray))
            came.extend(np.size(numbers(part)) for part in found)
            return found

        return run

    monkeypatch.setattr(engine, "_program", spied)
    list(engine.judged(order, live, np.arange(21), labels, 1))
    states = device_engine.power_of_two(9 * 21) * 4  # the padding's, too
    assert 9 * 20 < sum(sent) <= 5 * states and sum(came) <= 4 * states < maps.size


def test_dead_units_cost_nothing(case, monkeypatch):
    """Two of twenty units are alive: three states an image are judged, up to padding, not 21."""
    split, maps, labels, order = case
    maps = (maps + 1) * (np.arange(20) < 2)
    judged, original = [], device_engine.DeviceEngine._judge

    def counted(self, states, *given):
        states = list(states)
        judged.extend(len(images) for _, images, _ in states)
        return original(self, states, *given)

    monkeypatch.setattr(device_engine.DeviceEngine, "_judge", counted)
    curve = ablation_curve(split, maps, labels, order)
    assert sum(judged) == 3 * 9
    np.testing.assert_allclose(curve.losses, brute_force(split, maps, labels, order, "remove")[1], atol=1e-5)


def test_programs_are_kept_and_see_new_weights(case, monkeypatch, on):
    split, maps, labels, order = case
    before = ablation_curve(split, maps, labels, order)
    programs = dict(split.plan.programs)
    split.model.set_weights([weight * 1.1 for weight in split.model.get_weights()])
    after = ablation_curve(split, maps, labels, order)
    assert programs and programs == split.plan.programs and np.abs(after.losses - before.losses).max() > 1e-3
    expected = on("cpu", lambda: ablation_curve(split, maps, labels, order))
    np.testing.assert_allclose(after.losses, expected.losses, atol=1e-5)


def test_a_wrong_program_is_noticed_before_a_number_is_made(case, monkeypatch):
    split, maps, labels, order = case
    original = device_programs.stack_outputs
    monkeypatch.setattr(device_programs, "stack_outputs", lambda *given: original(*given) * 1.01)
    with pytest.raises(ValueError, match="differ from those of"):
        ablation_curve(split, maps, labels, order)


def test_a_sum_that_loses_a_unit_is_noticed(monkeypatch):
    monkeypatch.setenv(ENGINE_DEVICE, "device")
    split, maps, labels, order = setting(seeded(small_vgg, 8, (4, 20, 20), 8), "block2_conv3", n=9, scale=255)
    original = device_programs.terms

    def forgetful(change, kernel, units):
        return original(change, kernel, ops.where(units == 4, -1, units))

    monkeypatch.setattr(device_programs, "terms", forgetful)
    with pytest.raises(ValueError, match="differ from those of"):
        ablation_curve(split, maps, labels, order)


def test_greedy_insertion_stays_on_the_processor(on):
    split, maps, labels, _ = setting(seeded(small_vgg, 4, (4, 4, 6), 8), "block2_conv3", scale=255)
    found = [on(where, lambda: greedy_forward(split, maps, labels)) for where in ("cpu", "device")]
    assert np.array_equal(*found)


# ---- memory ----
def test_blocks_are_smaller_where_less_is_free(case, monkeypatch):
    split, maps, labels, order = case
    whole, seen = ablation_curve(split, maps, labels, order), []
    for module in (device_sums, device_masks):
        monkeypatch.setattr(module, "free_bytes", lambda: 2**18)
    take = engines.Engine.load
    monkeypatch.setattr(engines.Engine, "load", lambda self, m, *a: seen.append(len(m)) or take(self, m, *a))
    small = ablation_curve(split, maps, labels, order)
    assert len(seen) > 2 and sum(seen) == 9
    np.testing.assert_allclose(small.losses, whole.losses, atol=1e-5)


def test_too_little_memory_for_one_image_is_said(case, monkeypatch):
    split, maps, labels, order = case
    for module in (device_engine, device_sums, device_masks):
        monkeypatch.setattr(module, "free_bytes", lambda: 20_000)
    with pytest.raises(device_engine.DeviceMemoryError, match="engine_device to cpu"):
        ablation_curve(split, maps, labels, order)


@pytest.mark.parametrize("room", [8, 0])
def test_a_device_that_runs_full_gets_smaller_groups(case, monkeypatch, room):
    """A program that takes more than ``room`` states at a time finds no memory."""
    split, maps, labels, order = case
    whole, given = ablation_curve(split, maps, labels, order), []
    original = device_engine.DeviceEngine._program

    def crowded(self, name):
        def run(picks, *others):
            given.append(len(picks))
            if len(picks) > room:
                raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1 byte")
            return original(self, name)(picks, *others)

        return run

    monkeypatch.setattr(device_engine.DeviceEngine, "_program", crowded)
    if room:
        np.testing.assert_allclose(ablation_curve(split, maps, labels, order).losses, whole.losses, atol=1e-5)
        assert max(given) > room
    else:
        with pytest.raises(device_engine.DeviceMemoryError, match="one state"):
            ablation_curve(split, maps, labels, order)


def test_other_errors_of_the_device_are_not_hidden(case, monkeypatch):
    split, maps, labels, order = case

    def broken(self, *given):
        raise RuntimeError("INTERNAL: no such kernel")

    monkeypatch.setattr(device_engine.DeviceEngine, "_judge", broken)
    with pytest.raises(RuntimeError, match="no such kernel"):
        ablation_curve(split, maps, labels, order)


# ---- the choice ----
def test_an_accelerator_chooses_the_device(monkeypatch):
    split = split_model(seeded(small_vgg, 4, (4, 4, 6), 8), "block2_conv3")
    fill = np.zeros(split.map_shape, np.float32)
    monkeypatch.delenv(ENGINE_DEVICE, raising=False)
    for kind, expected in ((None, False), ("gpu", True)):
        monkeypatch.setattr(devices, "accelerator", lambda kind=kind: kind)
        monkeypatch.setattr(devices, "_free_of_tensorflow", lambda: 2**30)
        monkeypatch.setattr(devices, "_free_of_jax", lambda: 2**30)
        assert engines.open_engine(split, fill).on_device is expected
    monkeypatch.setenv(ENGINE_DEVICE, "cpu")
    assert not engines.open_engine(split, fill).on_device


def test_the_setting_is_checked(monkeypatch):
    monkeypatch.setenv(ENGINE_DEVICE, "gpu")
    with pytest.raises(ValueError, match="'gpu'; expected one of auto, cpu, device"):
        devices.engines_on_device()
    monkeypatch.setenv(ENGINE_DEVICE, "device")
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match="Keras runs on torch"):
        devices.engines_on_device()
    with pytest.raises(ValueError, match="unknown engine_device 'gpu'"):
        unitnb.load_profile("shapes", {"engine_device": "gpu"})


def test_a_profile_says_where_the_curves_of_a_notebook_run(monkeypatch):
    monkeypatch.setenv(ENGINE_DEVICE, "auto")
    given = {"profile": "shapes", "target_class": None, "seed": 0}
    unitnb.notebook_parameters({**given, "overrides": {}})
    assert os.environ[ENGINE_DEVICE] == "auto"
    unitnb.notebook_parameters({**given, "overrides": {"engine_device": "device"}})
    assert os.environ[ENGINE_DEVICE] == "device"


def test_kept_curves_of_the_device_are_told_apart(case, monkeypatch, tmp_path, on):
    split, maps, labels, order = case
    for where in ("device", "cpu", "device"):
        on(where, lambda: ablation_curves(split, maps, labels, [order], cache=tmp_path))
    assert len(list(tmp_path.rglob("*.npz"))) == 2

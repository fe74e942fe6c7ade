from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import unitnb
from unitnb.files import store
from unitnb.networks import measured, trained
from unitnb.profiles import Recipe
from unitnb.roles import many_models
from unitnb.roles.by_place import categorise_roles
from unitnb.roles.relations import overfitting_signs, spearman_interval


def test_signs_are_means_over_classes():
    train = np.array([[[0, 0.5, 1.0], [0, 1.0, 0.8]]])
    known = {"head": np.ones((1, 2), int), "train_loss": np.array([[0.1, 0.3]])}
    found = overfitting_signs({"train": train, "test": train / 2, **known})
    assert found["train_loss"] == pytest.approx(0.2)
    assert found["gap"] == pytest.approx(0.45) and found["train_accuracy"] == pytest.approx(0.9)
    assert found["slope"] == pytest.approx((0.5 - 0.2) / 2)


def test_spearman_and_its_interval():
    x = np.arange(12.0)
    rho, low, high, p_value = spearman_interval(x, x**3)
    assert (rho, low, high) == pytest.approx((1, 1, 1)) and p_value < 0.001
    rho, low, high, p_value = spearman_interval(x, np.random.default_rng(0).random(12))
    assert low < 0 < high and low < rho < high and p_value > 0.05


def test_draws_without_a_correlation_are_left_out_of_its_interval():
    # One draw in nine takes the same pair three times. All others agree fully.
    assert spearman_interval([1, 2, 3], [1, 2, 3])[:3] == pytest.approx((1, 1, 1))
    assert np.isnan(spearman_interval([1, 2], [1, 2])).all()


def test_the_interval_of_a_correlation_narrows_with_the_root_of_the_pairs():
    # For independent pairs the error of the correlation is 1 / sqrt(n - 1): 0.1 for 101.
    x, y = np.random.default_rng(3).random((2, 101))
    _, low, high, _ = spearman_interval(x, y)
    assert high - low == pytest.approx(2 * 1.96 * 0.1, rel=0.15)


def test_without_measurements_there_is_nothing_to_show(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "weights_folder", lambda profile: tmp_path)
    monkeypatch.setattr(measured, "SHIPPED", tmp_path)
    assert many_models.model_results(unitnb.load_profile()) is None


def test_the_runs_of_one_class_stand_in_for_stored_results():
    outcomes, order = np.repeat(np.arange(5)[:, None] > 2, 4, axis=1), np.arange(4)
    curve = SimpleNamespace(
        correct=outcomes, accuracy=outcomes.mean(axis=1), loss=1 - outcomes.mean(axis=1), order=order
    )
    roles = categorise_roles(order, curve.correct, curve.correct, n_boot=2)
    models, results = many_models.results_of({"A": (curve, curve, roles), "B": (curve, curve, roles)})
    assert (
        models == ["A", "B"]
        and results["train"].shape == (2, 1, 5)
        and results["core"].tolist() == [[roles.core_size]] * 2
    )
    assert results["peak_place"].tolist() == [[0.75]] * 2 and results["train_loss"].tolist() == [[0]] * 2
    assert overfitting_signs(results)["gap"].tolist() == [0, 0]


def test_shipped_results_are_of_the_shipped_networks():
    """The stored curves of a main model are made again: same rank, same curves, to the image."""
    profile = unitnb.load_profile()
    models, results = many_models.model_results(profile)
    assert models == [*profile.models, *profile.extra] and len(models) >= 8
    images = unitnb.open_images(profile)
    few = replace(images, classes=images.classes[:2])
    again = many_models.insertion_results(profile, few, "C")
    for name in ("train", "test", "core", "head", "roles", "placebo", "entropy", "rate", "partial"):
        np.testing.assert_allclose(
            results[name][models.index("C"), :2], again[name], atol=0.021, err_msg=name
        )
    assert (
        results["rank"][models.index("C"), :2] == again["rank"]
    ).mean() > 0.95  # two units may be as good as equal
    stored = store.read_npz(trained.weights_folder(profile) / many_models.FILE)[1]
    known = {
        model: Recipe(**recipe) for model, recipe in stored["recipes"].items()
    }  # settings that came later have their defaults
    assert known == {model: profile.recipe(model) for model in models}


def test_results_of_the_package_serve_where_its_networks_stand(monkeypatch, tmp_path):
    monkeypatch.setattr(type(profile := unitnb.load_profile("cifar10")), "build", tmp_path)
    names = measured.store.read_npz(trained.SHIPPED / "cifar10" / "extra.npz")[1]["classes"]
    monkeypatch.setattr(measured.sources, "class_names", lambda _: names)
    shipped = trained.SHIPPED / "cifar10" / "extra.npz"
    assert measured.measured_file(profile, "extra.npz") == shipped
    assert measured.measured_file(profile, "nothing.npz") is None
    folder = tmp_path / "weights" / "cifar10"
    folder.mkdir(parents=True)
    (folder / "A.npz").write_bytes((trained.SHIPPED / "cifar10" / "A.npz").read_bytes())
    assert measured.measured_file(profile, "extra.npz") == shipped
    (folder / "A.npz").write_bytes(b"another network")
    assert measured.measured_file(profile, "extra.npz") is None
    (folder / "extra.npz").write_bytes(b"measured here")
    assert measured.measured_file(profile, "extra.npz") == folder / "extra.npz"


def test_results_of_the_package_are_not_those_of_other_classes(monkeypatch, tmp_path):
    monkeypatch.setattr(type(profile := unitnb.load_profile("cifar10")), "build", tmp_path)
    monkeypatch.setattr(measured.sources, "class_names", lambda _: ["cat", "dog"])
    assert measured.measured_file(profile, "extra.npz") is None

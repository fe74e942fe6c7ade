"""C15 in other networks: shares derived on paper, fewer classes by hand, files, and the figures' groups."""

import dataclasses

import keras
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

import unitnb
from unitnb.ablation.terms import PooledTerms, StoredTerms
from unitnb.controls import many_networks
from unitnb.controls.many_networks import Loss
from unitnb.controls.second_layer import second_layer
from unitnb.figures import fig6_networks
from unitnb.files.store import DamagedFileError
from unitnb.networks.depth import depth_layers
from unitnb.profiles import load_profile

FEW = {"n_rank": 8, "n_validation": 6, "n_others": 4, "n_random": 3, "points": 5}


@pytest.fixture
def split():
    """Four units of 6x6, pooled; unit 0 alone speaks for class 0, and classes 1 to 11 have small biases."""
    maps = keras.Input((6, 6, 4))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU(name="studied")(maps))
    model = keras.Model(maps, keras.layers.Dense(12)(pooled))
    kernel = np.zeros((4, 12), np.float32)
    kernel[0, 0] = 10
    model.layers[-1].set_weights([kernel, np.linspace(0, 1, 12, dtype=np.float32)])
    return unitnb.split_model(model, "studied")


def maps_of(units=4, n=8, seed=0):
    """The first unit has the same hole in every image and is the weakest, the others have holes anywhere."""
    maps = np.random.default_rng(seed).random((n, 6, 6, units)).astype(np.float32)
    maps[..., 0] = 0
    maps[:, [0, 1, 2, 3], [1, 2, 3, 0], 0] = [1.7, 1.8, 1.9, 2]  # a square, born with its fourth edge
    return maps


def test_the_share_is_that_of_the_one_unit_that_counts(split):
    """E puts unit 0 first (H = 0): all is lost after one of four; the mean activation puts it last."""
    profile = load_profile("shapes", {"n_random": 9})
    loss = many_networks.class_loss(split, maps_of(), 0, "ring", profile)
    assert (loss.units, loss.classes, loss.tail) == (4, 12, "pooled, 1 dense")
    assert (loss.accuracy, loss.best_first, loss.mean_activation) == (1, 0.25, 1)
    places = [np.flatnonzero(order == 0)[0] + 1 for order in many_networks.random_orders(4, 9)]
    assert loss.random_orders == np.median(places) / 4
    nothing = many_networks.class_loss(split, maps_of(), 3, "cross", profile)
    assert nothing.accuracy == 0 and np.isnan(nothing.best_first)


def test_fewer_classes_are_the_same_outputs(split):
    chosen = [7, 0, 3]
    narrowed = many_networks.with_classes(split.model, chosen)
    whole, part = (np.asarray(model(maps_of(), training=False)) for model in (split.model, narrowed))
    assert np.array_equal(part, whole[:, chosen])
    flat = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match="expected a Dense layer"):
        many_networks.with_classes(flat, [0])


def test_each_count_of_classes_holds_the_studied_ones(split, monkeypatch):
    """With two classes, units are lost as late as with twelve, and the label is found by its new index."""
    monkeypatch.setattr(many_networks, "COUNTS", (1, 2, 6, 12))
    sets = unitnb.controls.comparison.ClassMaps(
        {"ranking": {"a": maps_of(), "b": maps_of(seed=1)}}, 1, [], {"a": 0, "b": 11}
    )
    losses = many_networks.network_losses(split, sets, load_profile("shapes", {"n_random": 1}))
    assert [(loss.classes, loss.target_class) for loss in losses] == [
        (c, n) for c in (2, 6, 12) for n in "ab"
    ]
    assert [loss.accuracy for loss in losses if loss.target_class == "a"] == [1, 1, 1]


def made_loss(**changed):
    return dataclasses.replace(
        Loss("shapes", 128, 10, "flattened, 2 dense", "ring", 0.9, 0.5, 0.25, float("inf")), **changed
    )


def test_losses_are_written_and_read_again(tmp_path):
    losses = [made_loss(), made_loss(best_first=float("nan"), units=3)]
    found = many_networks.read_losses(many_networks.write_losses(tmp_path / "networks.csv", losses))
    assert found[0] == losses[0] and found[1].units == 3 and np.isnan(found[1].best_first)
    (tmp_path / "networks.csv").write_text("profile,units\nshapes,many\n")
    with pytest.raises(DamagedFileError, match="does not hold the columns"):
        many_networks.read_losses(tmp_path / "networks.csv")


def test_what_is_kept_leaves_the_own_profile_out_and_prefers_what_was_measured_here(tmp_path, monkeypatch):
    shipped = tmp_path / "shipped"
    monkeypatch.setattr(many_networks, "SHIPPED", shipped)
    monkeypatch.setattr(many_networks, "weights_folder", lambda profile: tmp_path / "here" / profile.name)
    for folder, share in (
        (shipped / "shapes", 0.1),
        (shipped / "other", 0.2),
        (tmp_path / "here" / "other", 0.3),
    ):
        many_networks.write_losses(
            folder / many_networks.FILE, [made_loss(profile=folder.name, best_first=share)]
        )
    found = many_networks.kept_losses(load_profile("shapes"))
    assert [(loss.profile, loss.best_first) for loss in found] == [("other", 0.3)]


def test_variants_differ_in_the_studied_layer_alone():
    profile = load_profile("cifar10-widths")
    found = many_networks.variants(profile)
    assert [variant.widths for variant in found] == [(32, 64, units) for units in profile.layer_units]
    assert len({variant.name for variant in found} | {profile.name}) == 1 + len(found)


# ---- pictures ----


def test_medians_count_never_as_the_whole_layer():
    group = [made_loss(best_first=share) for share in (0.1, 0.3, float("inf"))]
    assert fig6_networks.median_loss(group, "best_first").tolist() == pytest.approx([0.3, 0.2, 0.65])
    assert fig6_networks.median_loss(group, "random_orders").tolist() == [1, 1, 1]


def test_lines_join_networks_that_differ_in_one_thing():
    losses = [
        made_loss(profile="c", units=8),
        made_loss(profile="c-4", units=4),
        made_loss(profile="s", units=8),
    ]
    losses += [made_loss(profile="s", units=8, classes=30)]
    groups = fig6_networks.by_network(losses)
    assert [[g[0].units for g in f] for f in fig6_networks._families(groups, "units")] == [[4, 8]]
    assert [[g[0].classes for g in f] for f in fig6_networks._families(groups, "classes")] == [[10, 30]]
    figure = fig6_networks.networks_figure(losses)
    drawn = [line for axes in figure.axes for line in axes.lines if line.get_marker() == "*"]
    stars = [line for line in drawn if len(line.get_ydata())]  # without the legend's
    assert len(stars) == 3 and {line.get_ydata()[0] for line in stars} == {17 / 512}
    table = unitnb.networks_table(losses)
    assert "| s | 8 | 30 | flattened, 2 dense | 0.90 | 50% | 25% | 100% | 0 of 1 |" in table
    plt.close("all")


def test_the_table_of_classes_holds_what_the_curves_say(split):
    """Unit 0 alone speaks for class 0: all is lost with it, and in reverse nothing until the end."""
    best, worst = unitnb.ablation_curves(
        split, maps_of(), 0, [np.arange(4), np.arange(4)[::-1]], negatives=maps_of(seed=1)
    )
    row = unitnb.classes_table({"a": (best, worst)}).splitlines()[-1]
    empty = np.log(np.exp(np.linspace(0, 1, 12)).sum())
    assert row == f"| a | 1.00 | 25% | {empty:.2f} | {empty:.2f} | +0.00 | +0.00 | 25% |"


# ---- a second layer ----


def test_the_layer_before_is_studied_by_default_and_its_curves_are_those_of_the_masked_model():
    profile = load_profile("shapes", FEW)
    second = second_layer(profile)
    assert (second.layer, second.map_shape) == ("block2_conv2", (14, 14, 48))
    assert second.test["mean activation"].points.tolist() == [0, 12, 24, 36, 48]
    network, images = unitnb.load_model(profile), unitnb.open_images(profile)
    split = unitnb.split_model(network, second.layer)
    maps = split.feature_maps(unitnb.sample_set(images, profile, "S_100").images)
    order = unitnb.importance_rank(unitnb.controls.scores.mean_activation(maps))
    test = split.feature_maps(unitnb.sample_set(images, profile, "S_val").images)
    test[..., order[:12]] = 0
    recall = (split.predict(test).argmax(axis=1) == images.class_index(profile.target_class)).mean()
    assert second.test["mean activation"].best_curve[0, 1] == pytest.approx(recall)
    depth = {"by layer, trained": [0.5, -0.25], "by layer, random": [0.5, 0.5], "by chance": [2.5, 2.25]}
    whole, over, *others = fig6_networks.depth_figure(depth, [28, 14], second).axes
    assert len(others) == 2 and len(fig6_networks.depth_figure(depth, [28, 14], None).axes) == 2
    assert whole.lines[0].get_ydata().tolist() == [3.0, 2.0]  # chance is added once, and not taken off again
    assert over.lines[0].get_ydata().tolist() == [0.5, -0.25]
    row = "| trained weights | 3.00 | 2.00 | +0.50 | -0.25 | -1.0 |"
    assert row in fig6_networks.depth_table(depth, [28, 14])
    assert second.layer in fig6_networks.second_words(second)
    plt.close("all")


def test_there_is_no_second_layer_in_front_of_the_first(monkeypatch):
    monkeypatch.setattr("unitnb.controls.second_layer.layer_of", lambda *_: "block1_conv1")
    assert second_layer(load_profile("shapes", FEW)) is None


def test_rows_by_depth_are_those_of_the_maps():
    split = unitnb.split_model(unitnb.small_vgg(), "block2_conv3")
    assert unitnb.rows_by_depth(split, np.zeros((1, 32, 32, 3))) == [30, 28, 14, 14, 14]
    assert depth_layers(split.graph, split.layer)[-1] == split.layer


# ---- terms ----


def test_terms_made_when_asked_for_are_those_that_are_kept():
    rng = np.random.default_rng(0)
    change, kernel = (
        rng.normal(size=(9, 5, 1)).astype(np.float32),
        rng.normal(size=(1, 9, 7)).astype(np.float32),
    )
    stored, pooled = StoredTerms(change, kernel), PooledTerms(change, kernel)
    assert np.array_equal(stored.of(3), pooled.of(3))
    assert np.allclose(stored.whole([1, 2]), pooled.whole([1, 2]), atol=1e-6)
    for chosen in ([4], [0, 2, 8]):
        totals = [np.ones((5, 7)), np.ones((5, 7))]
        for terms, total in zip((stored, pooled), totals, strict=True):
            terms.add(np.array(chosen), total)
        assert np.allclose(*totals, atol=1e-6) and not np.allclose(totals[0], 1)
    for mask in (np.arange(9) % 2 == 0, np.arange(9) > 6):
        assert np.allclose(stored.sum_of(mask), pooled.sum_of(mask), atol=1e-6)

"""The core path of the profile ``imagenette`` on made-up photographs, with random weights."""

import numpy as np
import pytest
from test_imagenette import write_imagenette

import unitnb
from unitnb.claims import measures_extension
from unitnb.controls.scores import LENGTH, rival_scores
from unitnb.networks import given
from unitnb.networks.efficientnet_lite import efficientnet_lite0
from unitnb.profiles import load_profile

SIZE = 160  # pixels; maps of 5x5
FEW = {
    "n_rank": 3,
    "n_large": 5,
    "n_validation": 4,
    "n_others": 2,
    "n_random": 2,
    "points": 3,
    "keep_maps": False,
}

# Random weights are at chance.
pytestmark = pytest.mark.filterwarnings("ignore:accuracy on")


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Profile, images, and the network split after the profile's layer."""
    monkeypatch.setenv("UNITNB_DATA", str(write_imagenette(tmp_path / "imagenette")))
    monkeypatch.setattr(given, "load_given", lambda profile: efficientnet_lite0(profile.image_size))
    profile = load_profile("imagenette", {"image_size": SIZE, **FEW})
    return profile, unitnb.open_images(profile), unitnb.open_layer(profile)


def test_the_profile_ranks_ablates_and_compares_without_photographs(opened):
    profile, images, split = opened
    assert (split.layer, split.map_shape, split.engine) == ("top_activation", (5, 5, 1280), "running-sum")
    sample, others = (draw(images, profile, "S_val") for draw in (unitnb.sample_set, unitnb.sample_others))
    maps = split.feature_maps(sample.images)
    rank = unitnb.importance_rank(unitnb.effectiveness(unitnb.birth_points(maps)))
    curve = unitnb.ablation_curve(
        split, maps, sample.labels, rank, negatives=split.feature_maps(others.images), points=profile.points
    )
    answers = np.asarray(split.model(sample.images.astype(np.float32), training=False)).argmax(axis=1)
    assert curve.accuracy[0] == (answers == images.class_index(profile.target_class)).mean()
    assert curve.points.tolist() == [0, 640, 1280] and curve.n_classes == 1000
    assert curve.loss[-1] == pytest.approx(np.log(1000), abs=1e-3)  # a bias of zeros knows nothing


def test_scores_and_claims_run_behind_normalisation_and_activation(opened):
    profile, images, split = opened
    sets = unitnb.class_maps(images, profile, split)
    maps, others = sets.maps["ranking"]["garbage_truck"], sets.others("ranking", "garbage_truck")
    found = rival_scores(split, maps, sets.labels["garbage_truck"], others)
    assert all(values.shape == (1280,) for values in found.values()) and found[LENGTH].min() > 0
    claim = unitnb.scale_claim(split, *(sample.images[:3] for sample in sets.samples))
    assert claim["ratio of L1"] == 0.5 and claim["units"] == 1280
    assert measures_extension.is_residual(split.graph)

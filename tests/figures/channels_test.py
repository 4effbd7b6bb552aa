"""Channel profiles: what channel attention multiplies features with, averaged, and drawn."""

import numpy as np
import pytest

from asen_tf.figures.channels import COLORS, channel_grid, channel_profiles

WEIGHTS = np.random.default_rng(0).random((4, 30))
NAMES = ("neck_line", "color", "hem", "fit")


def test_correlations_are_those_of_the_differences_from_the_mean():
    axes = channel_grid(WEIGHTS, NAMES).axes[0]
    lifts = WEIGHTS - WEIGHTS.mean(0)
    alike = np.array([[a @ b / np.sqrt((a @ a) * (b @ b)) for b in lifts] for a in lifts])
    colors = next(i.get_array() for i in axes.images if i.get_array().shape[:2] == (4, 4))
    np.testing.assert_allclose(colors, COLORS(alike / 2 + 0.5), atol=1e-6)
    off = alike[~np.eye(4, dtype=bool)]
    numbers = [float(text.get_text()) for text in axes.texts if text.get_size() == 6.5]
    np.testing.assert_allclose(numbers, off, atol=0.0501)


def test_channels_stand_by_the_attribute_that_lifts_them_most():
    weights = np.zeros((3, 6))
    owners = [2, 0, 1, 0, 2, 1]
    weights[owners, range(6)] = [0.9, 0.5, 0.3, 0.7, 0.4, 0.6]
    axes = channel_grid(weights, NAMES[:3]).axes[0]
    colors = next(i.get_array() for i in axes.images if i.get_array().shape[:2] == (3, 6))
    order = [3, 1, 5, 2, 0, 4]
    lifts = (weights - weights.mean(0))[:, order]
    expected = COLORS(np.clip(lifts / np.quantile(np.abs(lifts), 0.99), -1, 1) / 2 + 0.5)
    np.testing.assert_allclose(colors, expected, atol=1e-6)


def test_equal_profiles_are_drawn_too():
    assert channel_grid(np.ones((2, 5)), NAMES[:2]).axes


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", ["asen", "asen_aaai2020"])
def test_profiles_are_the_factors_of_channel_attention(name, network, images):
    """A batch of one and a batch of three agree, and gated features are pooled ones times them."""
    model = network(name)
    found = channel_profiles(model, images, batch_size=2)
    assert found.shape == (3, 128) and (found > 0).all() and (found < 1).all()
    branch = model.global_branch if name == "asen" else model
    ids = np.tile(np.arange(3, dtype=np.int32), (3, 1))
    queried = model.attribute_embedding(ids) if name == "asen" else ids
    seen = images.reshape(3, 32, 2, 32, 2, 3).astype(np.float32).mean((2, 4))
    features = model.feature_extractor.features(seen)
    pooled, _ = branch.spatial_attention(features, queried)
    gated = branch.channel_attention(pooled, queried)
    pooled, gated = pooled.numpy(), gated.numpy()
    used = (np.abs(pooled) > 1e-4).all(0)
    assert used.mean() > 0.5
    factors = (gated[:, used] / pooled[:, used]).mean(0)
    np.testing.assert_allclose(found[used], factors, atol=1e-4)


def test_models_without_channel_attention_are_refused(network, images):
    for model in (network("triplet_net"), network("asen", channel_attention=False)):
        with pytest.raises(ValueError, match="does not weigh channels"):
            channel_profiles(model, images)


def test_no_photograph_is_refused(network, images):
    with pytest.raises(ValueError, match="received none"):
        channel_profiles(network("asen"), images[:0])

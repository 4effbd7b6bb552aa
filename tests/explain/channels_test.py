"""Channel profiles: what channel attention multiplies features with, averaged."""

import keras
import numpy as np
import pytest

from asen_tf.core import config as configs
from asen_tf.explain import channel_profiles
from asen_tf.models import registry


def build(name, **settings):
    config = configs.defaults()
    config.model.name = name
    config.model.update(settings)
    for branch in ("global_branch", "local_branch"):
        config.model[branch].update({"backbone": "resnet6", "size": 32, "common_dim": 8})
        config.model[branch].embedding_dim = 6
    config.model.attribute_dim = 8
    keras.utils.set_random_seed(0)
    return registry.build(config, 3, (0, 2, 4, 7))


@pytest.fixture(scope="module")
def canvases():
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", ["asen", "asen_aaai2020"])
def test_profiles_are_the_factors_of_channel_attention(name, canvases):
    """A batch of one and a batch of three agree, and gated features are pooled ones times them."""
    model = build(name)
    found = channel_profiles(model, canvases, batch_size=2)
    assert found.shape == (3, 128) and (found > 0).all() and (found < 1).all()
    branch = model.global_branch if name == "asen" else model
    ids = np.tile(np.arange(3, dtype=np.int32), (3, 1))
    asked = model.attribute_embedding(ids) if name == "asen" else ids
    seen = canvases.reshape(3, 32, 2, 32, 2, 3).astype(np.float32).mean((2, 4))
    features = model.trunk_of_features.features(seen)
    pooled, _ = branch.spatial_attention(features, asked)
    gated = branch.channel_attention(pooled, asked)
    pooled, gated = pooled.numpy(), gated.numpy()
    used = (np.abs(pooled) > 1e-4).all(0)
    assert used.mean() > 0.5
    factors = (gated[:, used] / pooled[:, used]).mean(0)
    np.testing.assert_allclose(found[used], factors, atol=1e-4)


def test_models_without_channel_attention_are_refused(canvases):
    for model in (build("triplet_net"), build("asen", channel_attention=False)):
        with pytest.raises(ValueError, match="does not weigh channels"):
            channel_profiles(model, canvases)


def test_no_photograph_is_refused(canvases):
    with pytest.raises(ValueError, match="received none"):
        channel_profiles(build("asen"), canvases[:0])

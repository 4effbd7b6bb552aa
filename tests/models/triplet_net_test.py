import keras
import numpy as np
import pytest

from asen_tf.models import TripletNet


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return TripletNet(3, "resnet6", size=32, embedding_dim=6)


def test_pooled_features_through_a_linear_map(model):
    features = np.random.default_rng(0).normal(size=(2, 4, 4, 128)).astype(np.float32)
    kernel, bias = model.projection.get_weights()
    expected = features.mean((1, 2)) @ kernel + bias
    found = model.outputs_of_features(features, {"attributes": np.array([[0, 2], [1, 1]])})
    np.testing.assert_allclose(found["global"], np.stack([expected] * 2, axis=1), atol=1e-5)


def test_the_attribute_is_not_looked_at(model):
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    every = model.embed_all(images).numpy()
    assert np.abs(every[0] - every[1]).max() > 0.001
    np.testing.assert_array_equal(every, np.broadcast_to(every[:, :1], every.shape))


def test_has_no_attention(model):
    assert not model.explains
    with pytest.raises(NotImplementedError, match="TripletNet has no attention"):
        model.explain(np.zeros((1, 64, 64, 3), np.uint8), [0])

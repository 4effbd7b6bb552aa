import numpy as np
import pytest

from asen_tf.layers import AttributeSpatialAttention


def reference(features, attributes, weights):
    """The equations of ASEN++ section III-C, an image and an attribute at a time."""
    feature_kernel, feature_bias, attribute_kernel, attribute_bias = weights
    batch, height, width, channels = features.shape
    pooled = np.zeros((batch, attributes.shape[1], channels))
    attention = np.zeros((batch, attributes.shape[1], height, width))
    for b, m in np.ndindex(pooled.shape[:2]):
        asked = np.tanh(attributes[b, m] @ attribute_kernel + attribute_bias)
        scores = np.zeros((height, width))
        for i, j in np.ndindex(height, width):
            seen = np.tanh(features[b, i, j] @ feature_kernel + feature_bias)
            scores[i, j] = (asked * seen).sum() / np.sqrt(len(asked))
        attention[b, m] = np.exp(scores) / np.exp(scores).sum()
        pooled[b, m] = (attention[b, m][..., None] * features[b]).sum((0, 1))
    return pooled, attention


@pytest.fixture(scope="module")
def inputs():
    random = np.random.default_rng(0)
    features = random.normal(size=(2, 3, 4, 5)).astype(np.float32)
    attributes = random.normal(size=(2, 3, 6)).astype(np.float32)
    return features, attributes


@pytest.fixture(scope="module")
def layer(inputs):
    layer = AttributeSpatialAttention(7)
    layer(*inputs)
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=w.shape) for w in layer.weights])
    return layer


def test_a_case_worked_by_hand():
    """Two positions, one channel, K = 1; weights undo the tanh at 0 and 1/2.

    p(a) = 1/2, p(x) = 0 and 1/2: the scores are 0 and 1/4, so that the second position weighs
    e^(1/4) = 1.284025 against 1: attention 0.437823 and 0.562177.
    """
    layer = AttributeSpatialAttention(1)
    features = np.array([[[[0.0], [2.0]]]], np.float32)
    attributes = np.array([[1.0]], np.float32)
    layer(features, attributes)
    half = 0.5493061  # artanh(1/2)
    layer.set_weights([np.array([[half / 2]]), np.zeros(1), np.array([[half]]), np.zeros(1)])
    pooled, attention = layer(features, attributes)
    np.testing.assert_allclose(attention, [[[0.437823, 0.562177]]], atol=1e-6)
    np.testing.assert_allclose(pooled, [[2 * 0.562177]], atol=1e-6)


def test_equals_the_equations(layer, inputs):
    weights = [
        w.numpy() for w in (*layer.feature_projection.weights, *layer.attribute_projection.weights)
    ]
    pooled, attention = layer(*inputs)
    expected_pooled, expected_attention = reference(*inputs, weights)
    np.testing.assert_allclose(pooled, expected_pooled, atol=1e-5)
    np.testing.assert_allclose(attention, expected_attention, atol=1e-6)


def test_a_learned_scale_multiplies_the_scores(layer, inputs):
    """1 at first; twice the scores square the attention's odds."""
    scaled = AttributeSpatialAttention(7, learned_scale=True)
    scaled(*inputs)
    assert scaled.scale.trainable and scaled.get_config()["learned_scale"]
    for mine, its in zip(scaled.weights[-4:], layer.weights, strict=True):
        mine.assign(its)
    attention = layer(*inputs)[1].numpy()
    np.testing.assert_allclose(scaled(*inputs)[1], attention, atol=1e-7)
    scaled.scale.assign(2.0)
    squared = attention**2
    expected = squared / squared.sum((-1, -2), keepdims=True)
    np.testing.assert_allclose(scaled(*inputs)[1], expected, atol=1e-6)


def test_attention_sums_to_one(layer, inputs):
    _, attention = layer(*inputs)
    np.testing.assert_allclose(np.sum(attention, axis=(-1, -2)), np.ones((2, 3)), atol=1e-6)


def test_one_attribute_an_image_equals_several(layer, inputs):
    features, attributes = inputs
    pooled, attention = layer(features, attributes)
    for m in range(attributes.shape[1]):
        one_pooled, one_attention = layer(features, attributes[:, m])
        np.testing.assert_allclose(one_pooled, pooled[:, m], atol=1e-6)
        np.testing.assert_allclose(one_attention, attention[:, m], atol=1e-6)

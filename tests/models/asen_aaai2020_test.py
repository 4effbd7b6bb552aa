import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.layers import WeaklySupervisedLocalization
from asen_tf.models import ASENAAAI2020
from asen_tf.models.asen_aaai2020.attention import ChannelAttention, SpatialAttention

IDS = np.array([[0, 2], [1, 1]])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return ASENAAAI2020(3, "resnet6", size=64, embedding_dim=6, common_dim=5, threshold=0.6)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3)).astype(np.uint8)


def of(layer):
    return [np.asarray(weight, np.float64) for weight in layer.get_weights()]


def one_pair(model, features, attribute):
    """Of one image and attribute [h, w, C]: embedding [D], attention [h, w], features [C]."""
    (height, width, channels), one_hot = features.shape, np.eye(3)[attribute]
    asa, aca = model.spatial_attention, model.channel_attention
    kernel, bias = of(asa.feature_projection)
    p_x = np.tanh(features.reshape(-1, channels) @ kernel + bias)
    p_a = np.tanh(one_hot @ of(asa.attribute_projection)[0])
    score = np.asarray(asa.score)
    logits = np.tanh((p_a * p_x) @ score + float(asa.score_bias))[:, 0]
    attention = np.exp(logits) / np.exp(logits).sum()
    pooled = attention @ features.reshape(-1, channels)

    query = np.maximum(one_hot @ of(aca.query)[0], 0)
    kernel, bias = of(aca.squeeze)
    squeezed = np.maximum(np.concatenate([pooled, query]) @ kernel + bias, 0)
    kernel, bias = of(aca.excite)
    weighted = pooled / (1 + np.exp(-(squeezed @ kernel + bias)))
    kernel, bias = of(model.projection)
    return weighted @ kernel + bias, attention.reshape(height, width), pooled


def test_equals_the_equations(model):
    model.spatial_attention.score_bias.assign(0.3)
    features = np.random.default_rng(0).normal(size=(2, 3, 4, 128))
    found = model.outputs_of_features(tf.constant(features, tf.float32), {"attributes": IDS})
    for b, m in np.ndindex(2, 2):
        embedding, attention, pooled = one_pair(model, features[b], IDS[b, m])
        np.testing.assert_allclose(found["global_pooled"][b, m], pooled, atol=1e-5)
        np.testing.assert_allclose(found["global"][b, m], embedding, atol=1e-5)
        np.testing.assert_allclose(found["attention"][b, m], attention, atol=1e-6)


def test_spatial_attention_by_hand():
    """Two positions, one channel: logits tanh(2 tanh(1) tanh(+-1)), pooled p - (1 - p)."""
    layer = SpatialAttention(1, dim=1)
    layer.build((None, 1, 2, 1), (None, None))
    layer.feature_projection.set_weights([np.ones((1, 1)), np.zeros(1)])
    layer.attribute_projection.set_weights([np.ones((1, 1))])
    layer.score.assign([[2.0]])
    pooled, attention = layer(np.float32([[[[1], [-1]]]]), np.array([[0]]))
    logit = np.tanh(2 * np.tanh(1) ** 2)
    p = 1 / (1 + np.exp(-2 * logit))
    np.testing.assert_allclose(attention[0, 0, 0], [p, 1 - p], atol=1e-6)
    np.testing.assert_allclose(pooled[0, 0], [2 * p - 1], atol=1e-6)


def test_channel_attention_by_hand():
    """What passes is x / (1 + exp(-(x + q))), q = max(0, w_a): no q for the second attribute."""
    layer = ChannelAttention(2, reduction=1)
    layer.build((None, None, 1), (None, None))
    layer.query.set_weights([np.float32([[2], [-3]])])
    layer.squeeze.set_weights([np.ones((2, 1)), np.zeros(1)])
    layer.excite.set_weights([np.ones((1, 1)), np.zeros(1)])
    found = layer(np.float32([[[1], [1]]]), np.array([[0, 1]]))
    expected = [[1 / (1 + np.exp(-3))], [1 / (1 + np.exp(-1))]]
    np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_no_position_outweighs_another_by_more_than_e_squared(model, images):
    """The tanh bounds logits, however large the score's weights become."""
    before = model.spatial_attention.score.numpy()
    model.spatial_attention.score.assign(1e3 * before)
    attention, _ = model.explain(images, IDS)
    model.spatial_attention.score.assign(before)
    ratios = np.max(attention, (-1, -2)) / np.min(attention, (-1, -2))
    assert ratios.max() > 4
    assert ratios.max() <= np.exp(2) * (1 + 1e-5)


def test_attributes_differ(model, images):
    every = model.embed_all(images).numpy()
    assert np.abs(every[:, 0] - every[:, 1]).max() > 0.01


def test_explain(model, images):
    attention, boxes = model.explain(images, IDS)
    assert attention.shape == (2, 2, 8, 8) and attention.dtype == tf.float32
    np.testing.assert_allclose(np.sum(attention, (-1, -2)), np.ones((2, 2)), atol=1e-5)
    np.testing.assert_array_equal(boxes, WeaklySupervisedLocalization(64, 0.6)(attention))
    for m in range(2):
        one_attention, one_boxes = model.explain(images, IDS[:, m])
        np.testing.assert_allclose(one_attention, attention[:, m], atol=1e-6)
        np.testing.assert_array_equal(one_boxes, boxes[:, m])


@pytest.mark.parametrize("left_out", ["spatial_attention", "channel_attention"])
def test_without_an_attention_the_embedding_is_what_is_left_of_it(model, left_out):
    ablated = ASENAAAI2020(
        3, "resnet6", size=64, embedding_dim=6, common_dim=5, **{left_out: False}
    )
    assert model.count_params() - ablated.count_params() == getattr(model, left_out).count_params()
    features = np.random.default_rng(0).normal(size=(2, 3, 4, 128)).astype(np.float32)
    found = ablated.outputs_of_features(tf.constant(features), {"attributes": IDS})
    if left_out == "spatial_attention":
        pooled = np.broadcast_to(features.mean((1, 2))[:, None], (2, 2, 128))
        expected = ablated.projection(ablated.channel_attention(pooled, IDS))
        assert np.all(np.abs(found["attention"] - 1 / 12) < 1e-7)
    else:
        pooled, attention = ablated.spatial_attention(features, IDS)
        expected = ablated.projection(pooled)
        np.testing.assert_allclose(found["attention"], attention, atol=1e-7)
        assert not ablated.weighs_channels
    np.testing.assert_allclose(found["global"], expected, atol=1e-5)
    assert ablated.get_config()[left_out] is False

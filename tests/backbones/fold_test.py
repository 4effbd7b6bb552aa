"""Folded networks against the networks themselves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import backbones
from asen_tf.backbones.fold import fold
from asen_tf.backbones.fused import BatchNormalization

IMAGES = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)


def normal(name):
    return BatchNormalization(epsilon=1e-3, name=name)


def small():
    """Depthwise convolutions with a normalisation behind them, and some that must not be folded."""
    images = keras.Input((32, 32, 3))
    depthwise = keras.layers.DepthwiseConv2D
    x = depthwise(3, 2, "same", depth_multiplier=2, use_bias=False, name="wide")(images)
    x = normal("wide_norm")(x)
    shared = depthwise(3, dilation_rate=2, name="shared", bias_initializer="uniform")(x)
    both = keras.layers.Add()([shared, normal("shared_norm")(shared)])
    active = depthwise(3, activation="relu", name="active")(both)
    return keras.Model(images, [normal("active_norm")(active), shared])


@pytest.mark.parametrize("build", [small, lambda: backbones.build("efficientnet_lite0", 32)])
def test_the_same_numbers_and_gradients(build):
    keras.utils.set_random_seed(0)
    network = build()
    draw = np.random.default_rng(1)
    for weight in network.weights:
        if len(weight.shape) == 1:
            weight.assign(draw.uniform(0.5, 1.5, weight.shape))
    folded = fold(network, 32)
    assert {id(v) for v in folded.variables} == {id(v) for v in network.variables}
    results = []
    for one in (network, folded):
        with tf.GradientTape() as tape:
            maps = keras.tree.flatten(one(IMAGES, training=False))
            loss = sum(tf.reduce_sum(at**2) for at in maps)
        values = [variable.value for variable in network.trainable_variables]
        results.append([*maps, *tape.gradient(loss, values)])
    for found, expected in zip(results[1], results[0], strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * scale)
    # Layers that run in both keep one graph each.
    again = keras.Model.from_config(network.get_config())
    assert [layer.name for layer in again.layers] == [layer.name for layer in network.layers]


def test_what_is_folded():
    names = {layer.name for layer in fold(small(), 32).layers}
    assert names >= {"wide_folded", "shared", "shared_folded", "active", "active_norm"}
    assert not names & {"wide", "wide_norm", "shared_norm"}


def test_variables_that_change_afterwards():
    layer = backbones.FeatureExtractor("efficientnet_lite0", 32)
    before = layer(IMAGES)
    layer.backbone.get_layer("block1a_dwconv_bn").gamma.assign_add([2.0] * 32)
    expected = layer.backbone(layer.preprocess(IMAGES), training=False)
    assert np.abs(layer(IMAGES) - before).max() > 0.01 * np.abs(expected).max()
    np.testing.assert_allclose(layer(IMAGES), expected, rtol=1e-3, atol=1e-3)

"""Fused batch normalisation against Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.backbones.fused import BatchNormalization, fuse

BATCH = np.random.default_rng(0).normal(3, 2, (4, 5, 6, 3)).astype(np.float32)


@pytest.fixture
def networks():
    """The same network, plain and fused, with the same weights."""
    image = keras.Input((5, 6, 3))
    norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="norm")
    plain = keras.Model(image, keras.layers.ReLU()(norm(image)))
    fused = fuse(plain)
    generator = np.random.default_rng(1)
    values = [generator.uniform(0.5, 2, w.shape) for w in plain.weights]
    for network in (plain, fused):
        network.set_weights(values)
    return plain, fused


def test_inference(networks):
    plain, fused = (network(BATCH, training=False) for network in networks)
    np.testing.assert_allclose(fused, plain, rtol=1e-5, atol=1e-5)


def test_training_outputs_and_gradients(networks):
    found = []
    for network in networks:
        with tf.GradientTape() as tape:
            images = tf.constant(BATCH)
            tape.watch(images)
            outputs = network(images, training=True)
            loss = tf.reduce_sum(outputs**2 * BATCH)
        variables = [v.value for v in network.trainable_variables]
        found.append([outputs, *tape.gradient(loss, [images, *variables])])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_moving_statistics_are_those_of_pytorch(networks):
    _, fused = networks
    mean, variance = (v.numpy() for v in fused.non_trainable_variables)
    fused(BATCH, training=True)
    rows = BATCH.reshape(-1, 3)
    found = [v.numpy() for v in fused.non_trainable_variables]
    np.testing.assert_allclose(found[0], 0.9 * mean + 0.1 * rows.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found[1], 0.9 * variance + 0.1 * rows.var(0, ddof=1), rtol=1e-5)


def test_a_layer_that_is_not_trainable_stands_still(networks):
    plain, fused = networks
    for network in networks:
        network.get_layer("norm").trainable = False
    before = [w.numpy() for w in fused.weights]
    outputs = fused(BATCH, training=True)
    np.testing.assert_allclose(outputs, plain(BATCH, training=True), rtol=1e-5, atol=1e-5)
    for one, other in zip(before, fused.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("policy", ["bfloat16", "mixed_bfloat16", "mixed_float16"])
def test_lower_precision(networks, policy):
    plain, _ = networks
    layer = BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=policy)
    layer.build(BATCH.shape)
    layer.set_weights(plain.get_layer("norm").get_weights())
    for training in (False, True):
        outputs = layer(BATCH, training=training)
        assert outputs.dtype == layer.compute_dtype
        expected = plain.get_layer("norm")(BATCH, training=training)
        np.testing.assert_allclose(tf.cast(outputs, tf.float32), expected, rtol=0.02, atol=0.05)
    for one, other in zip(layer.weights, plain.get_layer("norm").weights, strict=True):
        assert one.dtype == layer.variable_dtype
        np.testing.assert_allclose(tf.cast(one.value, tf.float32), other, rtol=0.02, atol=0.02)

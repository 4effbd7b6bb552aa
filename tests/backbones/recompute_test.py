"""Backbones that compute their maps twice: the same numbers, the maps between blocks kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import backbones
from asen_tf.backbones.recompute import check_recomputable, recomputing, segments

SIZE = 32


def build(name):
    keras.utils.set_random_seed(1)
    return backbones.build(name, SIZE)


@pytest.fixture(scope="module")
def images():
    return tf.constant(np.random.default_rng(0).normal(size=(3, SIZE, SIZE, 3)), tf.float32)


def step(network, run, images):
    """Output, gradients of its squares, and statistics after it; and the number of convolutions."""
    variables = [v.value for v in network.trainable_variables]

    def gradients(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            output = run(images)
            loss = tf.reduce_sum(output**2)
        return output, tape.gradient(loss, [images, *variables])

    traced = tf.function(gradients).get_concrete_function(images)
    output, found = traced(images)
    convolutions = sum(op.type == "Conv2D" for op in traced.graph.get_operations())
    statistics = [v.numpy() for v in network.non_trainable_variables]
    return [output, *found, *statistics], convolutions


def assert_same(found, expected):
    """Equal but for the order of sums, which differs between processors: it errs by the largest."""
    np.testing.assert_allclose(
        found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max() + 1e-6
    )


@pytest.mark.parametrize(
    ("name", "training"),
    [("resnet18", True), ("resnet18", False), ("resnet50", True), ("alexnet_torchvision", True)],
)
def test_the_same_numbers(name, training, images):
    network, other = build(name), build(name)
    expected, once = step(network, lambda x: network(x, training=training), images)
    found, twice = step(other, recomputing(other, training), images)
    for one, another in zip(expected, found, strict=True):
        assert_same(another, one)
    # What the last segment holds is needed as soon as it exists.
    kept = sum(isinstance(x, keras.layers.Conv2D) for x in segments(network)[-1].layers)
    assert twice == 2 * once - kept


def test_the_same_numbers_eagerly(images):
    network, other = build("resnet10"), build("resnet10")
    with tf.GradientTape(persistent=True) as tape:
        losses = [
            tf.reduce_sum(run(images) ** 2)
            for run in (lambda x: network(x, training=True), recomputing(other))
        ]
    for one, another in zip(network.variables, other.variables, strict=True):
        assert_same(another, one)
    for one, another in zip(network.trainable_variables, other.trainable_variables, strict=True):
        expected, found = (
            tape.gradient(loss, v.value) for loss, v in zip(losses, (one, another), strict=True)
        )
        assert_same(found, expected)


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("resnet18", [64, 64, 64, 128, 128, 256, 256]),
        ("resnet50", [64] + 3 * [256] + 4 * [512] + 6 * [1024]),
        ("alexnet_torchvision", [256]),
    ],
)
def test_a_segment_ends_before_each_block(name, channels):
    network = build(name)
    chain = segments(network)
    assert [segment.output.shape[-1] for segment in chain] == channels
    layers = [
        layer.name
        for segment in chain
        for layer in segment.layers
        if not isinstance(layer, keras.layers.InputLayer)
    ]
    assert len(layers) == len(set(layers)) == len(network.layers) - 1


@pytest.mark.parametrize("layer", [keras.layers.Dropout(0.5), keras.layers.BatchNormalization()])
def test_what_changes_at_each_pass_is_refused(layer):
    inputs = keras.Input((8, 8, 3))
    network = keras.Model(inputs, keras.layers.Conv2D(4, 3)(layer(inputs)))
    with pytest.raises(ValueError, match=f"its layer {layer.name} .* changes at each pass"):
        check_recomputable(network)
    for name in ("resnet18", "alexnet_torchvision"):
        check_recomputable(build(name))


def test_several_levels_are_refused():
    with pytest.raises(ValueError, match="it gives maps of 2 levels, expected one"):
        check_recomputable(backbones.build("resnet10", SIZE, ("P3", "P4")))

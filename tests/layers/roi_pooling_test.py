import numpy as np
import pytest
import tensorflow as tf

from asen_tf.layers import RoIPooling

MAPS = np.random.default_rng(0).normal(size=(2, 9, 7, 3)).astype(np.float32)


def test_as_crop_and_resize_then_max_pooling():
    random = np.random.default_rng(1)
    low, extent = random.uniform(0, 0.5, (2, 4, 2)), random.uniform(0.1, 0.5, (2, 4, 2))
    boxes = np.concatenate([low, low + extent], -1).astype(np.float32)
    corners = boxes[..., [1, 0, 3, 2]].reshape(8, 4)  # top, left, bottom, right
    cut = tf.image.crop_and_resize(MAPS, corners, np.repeat([0, 1], 4), (9, 7))
    expected = tf.nn.max_pool2d(cut, 3, 2, "VALID").numpy().reshape(2, 4, 4, 3, 3)
    np.testing.assert_allclose(RoIPooling()(MAPS, boxes), expected, atol=1e-5)


def test_of_the_whole_map_it_is_the_pooled_map():
    whole = np.tile(np.float32([0, 0, 1, 1]), (2, 1, 1))
    expected = tf.nn.max_pool2d(MAPS, 3, 2, "VALID")
    np.testing.assert_allclose(RoIPooling()(MAPS, whole)[:, 0], expected, atol=1e-6)


def test_a_map_smaller_than_the_window():
    whole = np.tile(np.float32([0, 0, 1, 1]), (2, 1, 1))
    found = RoIPooling()(MAPS[:, :2, :1], whole)
    np.testing.assert_allclose(found[:, 0, 0, 0], MAPS[:, :2, :1].max((1, 2)), atol=1e-6)


def test_gradient_to_the_features_alone():
    features, boxes = tf.ones((1, 5, 5, 2)), tf.constant([[[0.1, 0.2, 0.9, 0.7]]])
    with tf.GradientTape() as tape:
        tape.watch([features, boxes])
        pooled = RoIPooling()(features, boxes)
    to_features, to_boxes = tape.gradient(pooled, [features, boxes])
    # Bilinear weights sum to 1: 2 x 2 cells of 2 channels.
    np.testing.assert_allclose(tf.reduce_sum(to_features), 8, rtol=1e-5)
    assert to_boxes is None


def test_bad_window():
    with pytest.raises(ValueError, match="must be 1 or more, got 0 and 2"):
        RoIPooling(0)

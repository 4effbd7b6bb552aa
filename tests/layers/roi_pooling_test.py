import numpy as np
import pytest
import tensorflow as tf

from asen_tf.layers import RoIPooling


def test_as_crop_and_resize_then_max_pooling():
    """TensorFlow's crop puts its outermost samples on the corners it is given; bins have theirs
    inside."""
    random = np.random.default_rng(0)
    features = random.normal(size=(2, 9, 7, 3)).astype(np.float32)
    low, extent = random.uniform(0.1, 0.4, (2, 4, 2)), random.uniform(0.3, 0.5, (2, 4, 2))
    boxes = np.concatenate([low, low + extent], -1).astype(np.float32)
    left, top, right, bottom = (boxes[..., i].ravel() for i in range(4))

    def corner(start, end, cells, share):
        return ((start + share * (end - start)) * cells - 0.5) / (cells - 1)

    first, last = 0.5 / 8, 7.5 / 8
    corners = [
        corner(top, bottom, 9, first),
        corner(left, right, 7, first),
        corner(top, bottom, 9, last),
        corner(left, right, 7, last),
    ]
    sampled = tf.image.crop_and_resize(
        features, np.stack(corners, -1), np.repeat([0, 1], 4), (8, 8)
    )
    expected = tf.nn.max_pool2d(sampled, 2, 2, "VALID").numpy().reshape(2, 4, 4, 4, 3)
    np.testing.assert_allclose(RoIPooling(4)(features, boxes), expected, atol=1e-5)


def test_the_whole_of_a_map_by_hand():
    """Two samples a cell: a quarter from the cell's edge they are 3/4 of it and 1/4 of the next."""
    features = np.float32([[0, 8], [0, 0]])[None, :, :, None]
    pooled = RoIPooling(2)(features, np.float32([[[0, 0, 1, 1]]])).numpy()[0, 0, :, :, 0]
    # Left bins: the sample next to the middle, 1/4 of 8; lower bins: likewise a quarter.
    np.testing.assert_allclose(pooled, [[2, 8], [0.5, 2]], atol=1e-6)


def test_gradient_to_the_features_alone():
    features, boxes = tf.ones((1, 4, 4, 2)), tf.constant([[[0.1, 0.2, 0.9, 0.7]]])
    with tf.GradientTape() as tape:
        tape.watch([features, boxes])
        pooled = RoIPooling(2)(features, boxes)
    to_features, to_boxes = tape.gradient(pooled, [features, boxes])
    # Bilinear weights sum to 1: 2 x 2 bins of 2 channels.
    np.testing.assert_allclose(tf.reduce_sum(to_features), 8, rtol=1e-5)
    assert to_boxes is None


def test_bad_size():
    with pytest.raises(ValueError, match="size must be 1 or more, got 0"):
        RoIPooling(0)

"""Squares without TensorFlow, against those that training sees."""

import numpy as np
import pytest

from asen_tf.images import geometry, graph, squares

# Height and width: larger, smaller, as large as the square; odd and even; a line of pixels.
SIZES = [(90, 40), (41, 90), (300, 211), (64, 64), (65, 64), (20, 31), (7, 200), (1, 1), (128, 256)]


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_they_are_those_of_the_graph(size, fit):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    found, expected = squares.to_square(pixels, 64, fit), graph.to_square(pixels, 64, fit).numpy()
    assert found.shape == expected.shape == (64, 64, 3) and found.dtype == np.uint8
    # Halves may be rounded to either side.
    off = np.abs(found.astype(int) - expected)
    assert off.max() <= 1 and off.mean() < 0.01


def test_a_half_of_each_side_is_the_mean_of_a_triangle():
    """By hand: a pixel takes 1/8, 3/8, 3/8, 1/8 of the four around it, 3/7, 3/7, 1/7 at an edge."""
    line = np.array([0, 80, 160, 240, 40, 120], np.uint8)
    pixels = np.tile(line[None, :, None], (6, 1, 3))
    expected = [
        (3 * 0 + 3 * 80 + 1 * 160) / 7,
        (1 * 80 + 3 * 160 + 3 * 240 + 1 * 40) / 8,
        (1 * 240 + 3 * 40 + 3 * 120) / 7,
    ]
    found = squares.to_square(pixels, 3)
    np.testing.assert_array_equal(found, np.tile(np.round(expected)[None, :, None], (3, 1, 3)))


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_boxes_in_pixels_are_those_of_the_graph(fit):
    draw = np.random.default_rng(0)
    sizes = draw.integers(5, 900, (200, 2)).astype(np.int32)
    boxes = np.sort(draw.random((200, 2, 2), np.float32), axis=1).reshape(200, 4)
    expected = geometry.pixel_boxes(boxes[:, None], sizes, fit)[:, 0].numpy()
    found = squares.pixel_boxes(boxes, sizes.tolist(), fit)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, expected)
    assert squares.pixel_boxes(np.empty((0, 4), np.float32), [], fit).shape == (0, 4)

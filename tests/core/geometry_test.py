import numpy as np
import pytest

from asen_tf.core.geometry import to_photograph


def test_corners_of_the_square_are_corners_of_the_centre_square():
    sizes = [[100, 161], [161, 100], [50, 50]]
    boxes = to_photograph(np.tile([0.0, 0.0, 1.0, 1.0], (3, 1)), sizes)
    assert boxes.tolist() == [[30, 0, 130, 100], [0, 30, 100, 130], [0, 0, 50, 50]]


def test_positions_match_a_centre_crop_of_the_index_image():
    height, width = 40, 64
    y, x = np.mgrid[:height, :width]
    crop = np.stack([x, y], -1)[:, 12:52]
    points = np.array([[3, 7], [39, 0], [20, 20]]) / 40
    found = to_photograph(points[None], [[height, width]])
    np.testing.assert_allclose(found[0], [crop[7, 3], crop[0, 39], crop[20, 20]])


def test_extra_axes_belong_to_the_same_photograph():
    boxes = np.random.default_rng(0).random((2, 3, 5, 4))
    sizes = np.array([[30, 20], [10, 40]])
    found = to_photograph(boxes, sizes)
    for b in range(2):
        for m in range(3):
            for i in range(5):
                alone = to_photograph(boxes[b, m, i][None], sizes[b : b + 1])[0]
                np.testing.assert_allclose(found[b, m, i], alone)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"points .* or boxes"):
        to_photograph(np.zeros((2, 3)), [[1, 1], [1, 1]])
    with pytest.raises(ValueError, match=r"sizes must be \[2, 2\]"):
        to_photograph(np.zeros((2, 4)), [[1, 1]])

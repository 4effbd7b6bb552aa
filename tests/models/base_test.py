import numpy as np

from asen_tf.models.base import original_boxes


def test_original_boxes_by_hand():
    """A square of 56 at (28, 14) of 112, in photographs of 400 x 200 and 200 x 301.

    The scale is 200 / 112: 28 -> 50, 14 -> 25, 56 -> 100. The centred square begins at column
    100 of the first, and at row (301 - 200) // 2 = 50 of the second.
    """
    regions = np.array([[[28, 14, 56]], [[28, 14, 56]]])
    sizes = np.array([[200, 400], [301, 200]])
    boxes = original_boxes(regions, 112, sizes)
    assert boxes.numpy().tolist() == [[[150, 25, 250, 125]], [[50, 75, 150, 175]]]


def test_boxes_are_rounded_down():
    """13 / 112 * 100 = 11.6, 3 / 112 * 100 = 2.7, 20 / 112 * 100 = 17.9."""
    boxes = original_boxes(np.array([[[13, 3, 20]]]), 112, np.array([[100, 100]]))
    assert boxes.numpy().tolist() == [[[11, 2, 28, 19]]]


def test_whole_image_is_the_centred_square():
    boxes = original_boxes(np.array([[[0, 0, 224]]]), 224, np.array([[333, 500]]))
    assert boxes.numpy().tolist() == [[[83, 0, 416, 333]]]

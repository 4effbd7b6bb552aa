"""Small photographs in arrays."""

import numpy as np
import pytest

from asen_tf.viz import sprite, square, strip


def photographs(count, height=40, width=20):
    return [np.full((height, width, 3), 10 * n, np.uint8) for n in range(count)]


def test_square_is_the_centred_one():
    image = np.zeros((30, 10, 3), np.uint8)
    image[10:20] = 200
    np.testing.assert_array_equal(square(image, 5), np.full((5, 5, 3), 200))


def test_sprite_goes_row_by_row_and_is_white_where_nothing_is():
    sheet = sprite(photographs(5), side=4)
    assert sheet.shape == (8, 12, 3)
    levels = sheet.reshape(2, 4, 3, 4, 3)[:, 0, :, 0, 0]
    np.testing.assert_array_equal(levels, [[0, 10, 20], [30, 40, 255]])


def test_strip_has_gaps_between_but_not_outside():
    row = strip(photographs(2, 6, 6), gap=2)
    np.testing.assert_array_equal(row[0, :, 0], [0] * 6 + [255] * 2 + [10] * 6)


def test_no_photograph_is_refused():
    with pytest.raises(ValueError, match="received none"):
        sprite([])
    with pytest.raises(ValueError, match="uint8"):
        sprite([np.zeros((2, 2))])

"""What pictures share: text that fits, and photographs cut to shape."""

import numpy as np

from asen_tf.figures import style
from asen_tf.figures.style import square, strip


def test_square_is_the_centred_one():
    image = np.zeros((30, 10, 3), np.uint8)
    image[10:20] = 200
    np.testing.assert_array_equal(square(image, 5), np.full((5, 5, 3), 200))


def test_strip_has_gaps_between_but_not_outside():
    row = strip([np.full((6, 6, 3), level, np.uint8) for level in (0, 10)], gap=2)
    np.testing.assert_array_equal(row[0, :, 0], [0] * 6 + [255] * 2 + [10] * 6)


def test_text_that_is_too_wide_is_made_smaller_then_cut():
    full = style.text_width("sleeve length", 10)
    assert style.fit("sleeve length", full * 1.01, 10) == ("sleeve length", 10)
    string, size = style.fit("sleeve length", full * 0.9, 10)
    assert string == "sleeve length" and 8 <= size < 10
    string, size = style.fit("sleeve length", full * 0.5, 10)
    assert string.endswith("…") and string[:-1] and "sleeve length".startswith(string[:-1])
    assert style.text_width(string, size) <= full * 0.5

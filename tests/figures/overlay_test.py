"""Heat maps over photographs: where the heat and the boxes lie."""

import numpy as np
import pytest

from asen_tf.figures import overlay as overlays
from asen_tf.figures.overlay import attention_overlay

GREY = 90
WHITE = (255, 255, 255)
LANDSCAPE, PORTRAIT = (120, 200), (210, 140)


def photograph(height, width):
    return np.full((height, width, 3), GREY, np.uint8)


def hot_cell(row, column, size=5):
    heat = np.zeros((size, size), np.float32)
    heat[row, column] = 3.0
    return heat


def change(overlay):
    return np.abs(overlay.astype(int) - GREY).sum(-1)


@pytest.mark.parametrize(
    ("size", "left", "top", "side"), [(LANDSCAPE, 40, 0, 120), (PORTRAIT, 0, 35, 140)]
)
@pytest.mark.parametrize("cell", [(0, 0), (1, 3), (4, 2)])
def test_heat_peaks_at_the_centre_of_its_cell_in_the_centred_square(size, left, top, side, cell):
    overlay = attention_overlay(photograph(*size), hot_cell(*cell))
    inside = change(overlay)[top : top + side, left : left + side]
    pixels = side // 5
    rows, columns = np.nonzero(inside == inside.max())
    # A cell at the edge of the map is constant from its centre outwards.
    for peak, index in ((rows, cell[0]), (columns, cell[1])):
        first, last = index * pixels, (index + 1) * pixels - 1
        assert first <= peak.min() and peak.max() <= last
        if 0 < index < 4:
            assert (peak.min() + peak.max()) / 2 == (first + last) / 2


def test_upsampling_is_bilinear_with_half_pixel_centres():
    heat = np.random.default_rng(0).random((4, 4)).astype(np.float32)
    at = np.clip((np.arange(22) + 0.5) * 4 / 22 - 0.5, 0, 3)
    columns = np.array([np.interp(at, np.arange(4), row) for row in heat])
    expected = np.array([np.interp(at, np.arange(4), column) for column in columns.T]).T
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    np.testing.assert_allclose(overlays._upsample(heat, 22), expected, atol=1e-5)


def test_outside_of_the_square_is_dimmed_and_cold_parts_are_untouched():
    overlay = attention_overlay(photograph(*LANDSCAPE), hot_cell(2, 2))
    assert (overlay[:, :40] < GREY).all() and (overlay[:, 160:] < GREY).all()
    assert (overlay[:20, 40:160] == GREY).all()


def test_with_pad_the_map_covers_the_square_around_the_photograph():
    """It is the overlay of the photograph on its white, cut out again; nothing is dimmed."""
    height, width = photograph(*LANDSCAPE).shape[:2]
    before = (width - height) // 2
    padded = np.full((width, width, 3), GREY, np.uint8)
    whole = attention_overlay(padded, hot_cell(2, 3))[before : before + height]
    found = attention_overlay(photograph(*LANDSCAPE), hot_cell(2, 3), fit="pad")
    np.testing.assert_array_equal(found, whole)


def test_scale_of_the_attention_does_not_matter_and_a_constant_map_shows_no_heat():
    image = photograph(50, 50)
    once, twice = (attention_overlay(image, k * hot_cell(1, 1) + 7) for k in (1, 1000))
    np.testing.assert_array_equal(once, twice)
    np.testing.assert_array_equal(attention_overlay(image, np.full((3, 3), 0.2)), image)


def test_box_has_its_outermost_pixels_at_its_edges():
    left, top, right, bottom = 60, 30, 110, 90
    flat = np.ones((5, 5))
    overlay = attention_overlay(photograph(*LANDSCAPE), flat, (left, top, right, bottom))
    rows, columns = np.nonzero((overlay == WHITE).all(-1))
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (
        top,
        bottom,
        left,
        right,
    )
    for row in (top, bottom - 1):
        assert (overlay[row, left:right] == WHITE).all()
    for column in (left, right - 1):
        assert (overlay[top:bottom, column] == WHITE).all()
    assert (overlay[40:80, 70:100] == GREY).all()


def test_box_may_touch_the_edges_be_smaller_than_a_pixel_or_be_unknown():
    image, flat = photograph(40, 60), np.ones((2, 2))
    assert (attention_overlay(image, flat, (0, 0, 60, 40))[[0, -1]] == WHITE).all()
    tiny = attention_overlay(image, flat, (30.1, 20.1, 30.4, 20.4))
    assert (tiny == WHITE).all(-1).sum() == 1
    np.testing.assert_array_equal(
        attention_overlay(image, flat, [np.nan] * 4), attention_overlay(image, flat)
    )


def test_the_photograph_given_stays_as_it_was():
    image = photograph(40, 40)
    attention_overlay(image, hot_cell(0, 0), (5, 5, 20, 20))
    assert (image == GREY).all()


@pytest.mark.parametrize(
    ("image", "heat", "box", "message"),
    [
        (photograph(8, 8).astype(np.float32), np.ones((2, 2)), None, "uint8"),
        (photograph(8, 8)[..., 0], np.ones((2, 2)), None, r"\[8, 8\]"),
        (photograph(8, 8)[:0], np.ones((2, 2)), None, r"\[0, 8, 3\]"),
        (photograph(8, 8), np.ones((2, 2, 1)), None, r"\[2, 2, 1\]"),
        (photograph(8, 8), np.array([[1.0, np.nan]]), None, "finite"),
        (photograph(8, 8), np.ones((2, 2)), (0, 0, 9, 8), "right <= 8"),
        (photograph(8, 8), np.ones((2, 2)), (3, 0, 3, 8), "left < right"),
        (photograph(8, 8), np.ones((2, 2)), (1, 2, 3), r"\[3\]"),
    ],
)
def test_bad_input_is_refused(image, heat, box, message):
    with pytest.raises(ValueError, match=message):
        attention_overlay(image, heat, box)

import numpy as np
import pytest
import tensorflow as tf

from asen_tf.layers import PeakLocalization


def pixels(regions, size):
    """`rel_xyxy` as left, top and side of squares in pixels, int [..., 3]; they are whole."""
    found = np.asarray(regions) * size
    left, top, right, bottom = np.moveaxis(np.rint(found).astype(int), -1, 0)
    np.testing.assert_allclose(found, np.rint(found), atol=1e-4)
    np.testing.assert_array_equal(right - left, bottom - top)
    return np.stack([left, top, right - left], axis=-1)


def peaked(height, width, *cells):
    attention = np.full((height, width), 0.1, np.float32)
    for row, column in cells:
        attention[row, column] = 0.9
    return attention


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        # The cell's centre is (100 * 2.5 / 5, 100 * 1.5 / 5) = (50, 30), the square 40 wide.
        ([(1, 2)], [30, 10, 40]),
        # Centres (10, 10) and (90, 90): moved inside.
        ([(0, 0)], [0, 0, 40]),
        ([(4, 4)], [60, 60, 40]),
        # Between the centres (30, 50) and (70, 50).
        ([(2, 1), (2, 3)], [30, 30, 40]),
    ],
)
def test_by_hand(cells, expected):
    found = pixels(PeakLocalization(100, share=0.4)(peaked(5, 5, *cells)), 100)
    assert found.tolist() == expected


def test_cells_of_fractional_pixels():
    """Cells of 112 / 7 = 16 wide and 112 / 3 = 37.3 high; row 1's centre is 56, column 6's 104."""
    found = pixels(PeakLocalization(112, share=0.25)(peaked(3, 7, (1, 6))), 112)
    assert found.tolist() == [84, 42, 28]  # 104 - 14 = 90 would pass the border


def test_a_constant_map_gives_the_centre():
    maps = np.full((2, 3, 7, 7), 1 / 49, np.float32)
    regions = PeakLocalization(112)(maps).numpy()
    np.testing.assert_array_equal(regions, np.broadcast_to([0.25, 0.25, 0.75, 0.75], (2, 3, 4)))


def test_the_whole_image():
    maps = np.random.default_rng(0).uniform(size=(4, 2, 5, 6)).astype(np.float32)
    regions = PeakLocalization(75, share=1.0)(maps).numpy()
    np.testing.assert_array_equal(regions, np.broadcast_to([0, 0, 1, 1], (4, 2, 4)))


def test_random_maps_one_by_one():
    maps = np.random.default_rng(0).uniform(size=(50, 7, 5)).astype(np.float32)
    regions = pixels(PeakLocalization(64, share=0.3)(maps), 64)
    for attention, region in zip(maps, regions, strict=True):
        row, column = np.unravel_index(attention.argmax(), attention.shape)
        x, y = int((column + 0.5) * 64 / 5), int((row + 0.5) * 64 / 7)
        side = 19  # 0.3 * 64 = 19.2
        assert region.tolist() == [*(min(max(c - 9, 0), 64 - side) for c in (x, y)), side]


def test_no_gradient():
    maps = tf.Variable(tf.random.uniform((2, 5, 5)))
    with tf.GradientTape() as tape:
        regions = PeakLocalization(40)(maps)
    assert tape.gradient(regions, maps) is None


@pytest.mark.parametrize("share", [0.0, 1.1])
def test_share_outside_the_range(share):
    with pytest.raises(ValueError, match=r"share must lie in \(0, 1\]"):
        PeakLocalization(112, share)

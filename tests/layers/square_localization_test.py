import numpy as np
import pytest
import tensorflow as tf

from asen_tf.layers import SquareLocalization


def square(attention, threshold=0.3, smallest=5 / 14, margin=1 / 14):
    """The same with loops over cells, in double precision."""
    height, width = attention.shape
    attention = attention.astype(np.float64)
    if attention.min() == attention.max():
        return [0, 0, 1, 1]
    rows, columns = np.nonzero((attention - attention.min()) / np.ptp(attention) > threshold)
    sides = [(columns.min(), columns.max(), width), (rows.min(), rows.max(), height)]
    side = min(1, max(smallest, *((last + 1 - first) / n for first, last, n in sides)) + margin)
    starts = [
        min(max((first + last + 1) / 2 / n - side / 2, 0), 1 - side) for first, last, n in sides
    ]
    return [*starts, *(start + side for start in starts)]


def peaked(height, width, *cells):
    attention = np.full((height, width), 0.1, np.float32)
    for row, column in cells:
        attention[row, column] = 0.9
    return attention


@pytest.mark.parametrize(
    ("attention", "expected"),
    [
        # One cell: 5 of 14 and 1 more, around its middle (7.5, 6.5).
        (peaked(14, 14, (6, 7)), [4.5, 3.5, 10.5, 9.5]),
        # In a corner: moved inside.
        (peaked(14, 14, (0, 13)), [8, 0, 14, 6]),
        # Rows 2 to 9 of column 7: 8 and 1 more, around (7.5, 6).
        (peaked(14, 14, (2, 7), (9, 7)), [3, 1.5, 12, 10.5]),
        # From corner to corner: no larger than the image.
        (peaked(14, 14, (0, 0), (13, 13)), [0, 0, 14, 14]),
        # Another grid: rows 1 and 2 of 7 are 4 of 14, around (7, 4).
        (peaked(7, 7, (1, 3), (2, 3)), [4, 1, 10, 7]),
        (peaked(7, 14, (1, 7), (2, 7)), [4.5, 1, 10.5, 7]),
    ],
)
def test_by_hand(attention, expected):
    np.testing.assert_allclose(SquareLocalization()(attention) * 14, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(7, 7), (14, 14), (5, 9)])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7])
def test_random_maps_one_by_one(shape, threshold):
    maps = np.random.default_rng(0).uniform(size=(40, *shape)).astype(np.float32) ** 8
    regions = SquareLocalization(threshold, smallest=0.2)(maps).numpy()
    for attention, region in zip(maps, regions, strict=True):
        np.testing.assert_allclose(region, square(attention, threshold, 0.2), atol=1e-6)
    assert (regions >= 0).all() and (regions <= 1).all()


def test_a_scale_or_an_offset_changes_nothing():
    """The range is the map's own."""
    maps = np.random.default_rng(1).integers(0, 9, (20, 7, 7)).astype(np.float32)
    expected = SquareLocalization(0.7)(maps)
    np.testing.assert_array_equal(SquareLocalization(0.7)(4 * maps + 16), expected)


@pytest.mark.parametrize("value", [0.0, 1 / 49, 1.0])
def test_a_constant_map_keeps_the_whole_image(value):
    regions = SquareLocalization()(np.full((2, 3, 7, 7), value, np.float32)).numpy()
    np.testing.assert_array_equal(regions, np.broadcast_to([0, 0, 1, 1], (2, 3, 4)))


def test_no_gradient():
    maps = tf.Variable(tf.random.uniform((2, 5, 5)))
    with tf.GradientTape() as tape:
        regions = SquareLocalization()(maps)
    assert tape.gradient(regions, maps) is None


@pytest.mark.parametrize("name", ["threshold", "smallest", "margin"])
@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_shares_outside_the_range(name, value):
    with pytest.raises(ValueError, match=rf"{name} must lie in \[0, 1\), got {value}"):
        SquareLocalization(**{name: value})

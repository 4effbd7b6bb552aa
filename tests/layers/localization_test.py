import cv2
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.layers import WeaklySupervisedLocalization

# A value this near to the threshold falls on either side of it, as the resize rounds. float32
# carries 255 to 2e-5, and resizing and scaling round some five times.
ROUNDING = 1e-4


def pixels(regions, size):
    """`rel_xyxy` as left, top and side of squares in pixels, int [..., 3]; they are whole."""
    found = np.asarray(regions) * size
    left, top, right, bottom = np.moveaxis(np.rint(found).astype(int), -1, 0)
    np.testing.assert_allclose(found, np.rint(found), atol=1e-4)
    np.testing.assert_array_equal(right - left, bottom - top)
    return np.stack([left, top, right - left], axis=-1)


def square(attention, size, threshold, nudge=0.0):
    """ASEN++ section III-D with OpenCV: left, top, side, before the square is kept inside."""
    resized = cv2.resize(attention.astype(np.float64), (size, size), interpolation=cv2.INTER_LINEAR)
    level = (resized - resized.min()) / np.ptp(resized) * 255 + nudge
    rows, columns = np.nonzero(np.trunc(level) > 255 * threshold)
    left, width = columns.min(), np.ptp(columns) + 1
    top, height = rows.min(), np.ptp(rows) + 1
    side = max(width, height)
    return [*(published_start(s, e, side, size) for s, e in ((left, width), (top, height))), side]


def published_start(start, extent, side, size):
    centre = start + extent // 2
    return size - side if centre + side // 2 > size else max(0, centre - side // 2)


def kept_inside(region, size):
    """An odd square whose centre + side // 2 is the border passes it by a pixel."""
    left, top, side = region
    return min(left, size - side), min(top, size - side), side


def peaked(random, count, height, width):
    """Maps with one strong peak each, near to a border as often as not."""
    peak = random.uniform(-0.2, 1.2, (count, 2, 1, 1)) * [[[height]], [[width]]]
    rows, columns = np.mgrid[:height, :width]
    spread = random.uniform(0.3, 3, (count, 1, 1))
    distance = (rows - peak[:, 0]) ** 2 + (columns - peak[:, 1]) ** 2
    return np.exp(-distance / spread) + random.uniform(0, 0.1, (count, height, width))


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize(
    ("size", "height", "width"), [(32, 2, 2), (112, 7, 7), (75, 5, 5), (64, 4, 7)]
)
def test_the_published_square(size, height, width, threshold):
    random = np.random.default_rng(size)
    maps = np.concatenate(
        [peaked(random, 60, height, width), random.uniform(size=(20, height, width))]
    ).astype(np.float32)
    regions = pixels(WeaklySupervisedLocalization(size, threshold)(maps), size)
    exact = 0
    for attention, region in zip(maps, regions, strict=True):
        allowed = [
            kept_inside(square(attention, size, threshold, nudge), size)
            for nudge in (0.0, -ROUNDING, ROUNDING)
        ]
        assert tuple(region) in allowed
        exact += tuple(region) == allowed[0]
    assert exact >= 0.95 * len(maps)
    assert (regions >= 0).all()
    assert (regions[:, :2] + regions[:, 2:] <= size).all()


def test_an_odd_square_stays_inside():
    """Column 7 of 8 and rows 2 to 4: the centre is 7, and 7 - 3 // 2 leaves two columns for 3."""
    attention = np.zeros((8, 8), np.float32)
    attention[2:5, 7] = 1
    assert square(attention, 8, 0.5) == [6, 2, 3]  # columns 6, 7 and 8
    region = pixels(WeaklySupervisedLocalization(8, 0.5)(attention), 8)
    assert region.tolist() == [5, 2, 3]


def test_two_peaks_share_one_rectangle():
    attention = np.zeros((1, 8, 8), np.float32)
    attention[0, 1, 2] = attention[0, 4, 3] = 1
    # Rows 1 to 4, columns 2 to 3: side 4, from column 3 - 2 and row 3 - 2.
    region = pixels(WeaklySupervisedLocalization(8, 0.5)(attention), 8)
    assert region.tolist() == [[1, 1, 4]]


def test_only_the_largest_of_two_peaks():
    attention = np.zeros((1, 8, 8), np.float32)
    attention[0, 1, 2] = attention[0, 4:7, 5] = 1
    # Rows 4 to 6 of column 5: side 3, from column 5 - 1 and row 5 - 1.
    layer = WeaklySupervisedLocalization(8, 0.5, keep="largest")
    assert pixels(layer(attention), 8).tolist() == [[4, 4, 3]]


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7])
def test_the_square_around_the_largest_component(threshold):
    """With OpenCV's components. Maps of which a value lies at the threshold may fall either way."""
    maps = np.random.default_rng(2).uniform(size=(60, 7, 7)).astype(np.float32)
    regions = pixels(WeaklySupervisedLocalization(56, threshold, keep="largest")(maps), 56)
    exact, moved = 0, 0
    for attention, region in zip(maps, regions, strict=True):
        resized = cv2.resize(attention.astype(np.float64), (56, 56))
        level = np.trunc((resized - resized.min()) / np.ptp(resized) * 255)
        kept = np.uint8(level > 255 * threshold)
        _, _, boxes, _ = cv2.connectedComponentsWithStats(kept, connectivity=8)
        left, top, width, height, _ = max(boxes[1:], key=lambda box: box[cv2.CC_STAT_AREA])
        side = max(width, height)
        starts = published_start(left, width, side, 56), published_start(top, height, side, 56)
        exact += tuple(region) == kept_inside((*starts, side), 56)
        moved += tuple(region) != kept_inside(square(attention, 56, threshold), 56)
    assert exact >= 0.95 * len(maps)
    assert moved > 0.2 * len(maps)  # else the rectangle around all components would pass


@pytest.mark.parametrize("keep", ["all", "largest"])
@pytest.mark.parametrize("value", [0.0, 1 / 49, 1.0])
def test_a_constant_map_keeps_the_whole_image(value, keep):
    maps = np.full((2, 3, 7, 7), value, np.float32)
    regions = WeaklySupervisedLocalization(112, keep=keep)(maps).numpy()
    np.testing.assert_array_equal(regions, np.broadcast_to([0, 0, 1, 1], (2, 3, 4)))


def test_leading_axes_are_kept():
    maps = np.random.default_rng(0).uniform(size=(2, 3, 5, 5)).astype(np.float32)
    layer = WeaklySupervisedLocalization(40, 0.5)
    together = layer(maps).numpy()
    assert together.shape == (2, 3, 4)
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[index], layer(maps[index]))


def test_no_gradient():
    maps = tf.Variable(tf.random.uniform((2, 5, 5)))
    with tf.GradientTape() as tape:
        regions = WeaklySupervisedLocalization(40)(maps)
    assert tape.gradient(regions, maps) is None


@pytest.mark.parametrize("threshold", [-0.1, 1.0])
def test_threshold_outside_the_range(threshold):
    with pytest.raises(ValueError, match="threshold must lie in"):
        WeaklySupervisedLocalization(112, threshold)


def test_unknown_positions_to_keep():
    with pytest.raises(ValueError, match="Did you mean 'largest'"):
        WeaklySupervisedLocalization(112, keep="larges")

import numpy as np
import pytest

from asen_tf.images.geometry import cell_centres, pixel_boxes, to_photograph
from asen_tf.images.graph import to_square


def test_corners_of_the_square_are_corners_of_the_centre_square():
    sizes = [[100, 161], [161, 100], [50, 50]]
    boxes = to_photograph(np.tile([0.0, 0.0, 1.0, 1.0], (3, 1)), sizes)
    assert np.asarray(boxes).tolist() == [[30, 0, 130, 100], [0, 30, 100, 130], [0, 0, 50, 50]]


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


def test_with_pad_the_square_is_larger_than_the_photograph():
    """The white stands on both sides of a photograph of 40 x 64: 12 pixels of the square's 64."""
    boxes = np.array([[[0, 0, 1, 1], [0.25, 12 / 64, 0.5, 52 / 64]]])
    found = to_photograph(boxes, [[40, 64]], "pad")
    np.testing.assert_allclose(found, [[[0, -12, 64, 52], [16, 0, 32, 40]]])
    assert np.asarray(pixel_boxes(boxes, [[40, 64]], "pad")).tolist() == [
        [[0, 0, 64, 40], [16, 0, 32, 40]]
    ]


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("size", [(40, 64), (64, 41), (50, 50)])
def test_what_is_found_in_the_square_is_where_it_was_in_the_photograph(fit, size):
    """A dark block is drawn, the photograph becomes a square, the block's box comes back."""
    image = np.full((*size, 3), 255, np.uint8)
    image[20:28, 22:34] = 0
    dark = to_square(image, 512, fit).numpy()[..., 0] < 128
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / 512
    found = np.asarray(pixel_boxes(box[None, None], [size], fit))
    assert found.tolist() == [[[22, 20, 34, 28]]]


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_what_is_found_in_a_square_of_a_region_is_where_it_was(fit):
    """Random photographs, regions and dark blocks in them; the block's box comes back."""
    draw = np.random.default_rng(7)

    def ends(low, high, least):
        start = draw.integers(low, high - least + 1)
        return start, draw.integers(start + least, high + 1)

    for _ in range(40):
        size = draw.integers(60, 120, 2)
        (left, right), (top, bottom) = ends(0, size[1], 40), ends(0, size[0], 40)
        height, width = bottom - top, right - left
        # In the part that "crop" leaves of the region.
        across, down = max(0, width - height + 1) // 2, max(0, height - width + 1) // 2
        x1, x2 = ends(left + across, right - across, 6)
        y1, y2 = ends(top + down, bottom - down, 6)
        image = np.full((*size, 3), 255, np.uint8)
        image[y1:y2, x1:x2] = 0
        dark = to_square(image[top:bottom, left:right], 512, fit).numpy()[..., 0] < 128
        rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
        box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / 512
        found = to_photograph(box[None], [[height, width]], fit, [[left, top]])
        np.testing.assert_allclose(found, [[x1, y1, x2, y2]], atol=0.5)


def test_rounded_once_and_not_outside():
    """A square of 56 at (28, 14) of 112, in photographs of 400 x 200 and 200 x 301."""
    boxes = np.array([[[28, 14, 84, 70]], [[28, 14, 84, 70]]], np.float32) / 112
    found = pixel_boxes(boxes, [[200, 400], [301, 200]])
    assert np.asarray(found).tolist() == [[[150, 25, 250, 125]], [[50, 75, 150, 175]]]
    thirds = np.array([[[13, 3, 33, 23]]], np.float32) / 112  # 11.6, 2.7, 29.5, 20.5 of 100
    assert np.asarray(pixel_boxes(thirds, [[100, 100]])).tolist() == [[[12, 3, 29, 21]]]


def test_cells_lie_at_their_middles():
    np.testing.assert_allclose(cell_centres(4), [0.125, 0.375, 0.625, 0.875])


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"points .* or boxes"):
        to_photograph(np.zeros((2, 3)), [[1, 1], [1, 1]])
    with pytest.raises(ValueError, match=r"sizes must be \[2, 2\]"):
        to_photograph(np.zeros((2, 4)), [[1, 1]])

import numpy as np
import pytest

from asen_tf.layers import RegionCrop


def reference(image, region, size, reference_side):
    """Four bilinear samples a pixel, at the centres of its quarters, then their mean.

    Samples of a region that is magnified at the border would lie outside the outermost pixel
    centres: the row of samples then begins (or ends) there.
    """
    scale = image.shape[0] / reference_side
    left, top, extent = np.asarray(region) * scale
    samples = 2 * size

    def positions(start):
        step = extent / samples
        first, last = start + step / 2 - 0.5, start + extent - step / 2 - 0.5
        return np.linspace(max(first, 0), min(last, image.shape[0] - 1), samples)

    rows, columns = positions(top), positions(left)
    sampled = np.empty((samples, samples, 3))
    for (i, y), (j, x) in ((a, b) for a in enumerate(rows) for b in enumerate(columns)):
        sampled[i, j] = bilinear(image.astype(np.float64), y, x)
    return sampled.reshape(size, 2, size, 2, 3).mean((1, 3))


def bilinear(image, y, x):
    last = image.shape[0] - 1
    top, left = int(y), int(x)
    bottom, right = min(top + 1, last), min(left + 1, last)
    above = image[top, left] * (1 - x % 1) + image[top, right] * (x % 1)
    below = image[bottom, left] * (1 - x % 1) + image[bottom, right] * (x % 1)
    return above * (1 - y % 1) + below * (y % 1)


def images(count, side, dtype=np.uint8):
    random = np.random.default_rng(side)
    return random.integers(0, 256, (count, side, side, 3)).astype(dtype)


def relative(regions, side):
    """Left, top and side of squares in pixels of an image, as `rel_xyxy`."""
    left, top, extent = np.moveaxis(np.float32(regions), -1, 0)
    return np.stack([left, top, left + extent, top + extent], axis=-1) / side


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("side", [16, 32, 48])
def test_equals_the_samples_one_by_one(side, dtype):
    photographs = images(2, side, dtype)
    regions = np.array(
        [[[0, 0, 16], [0, 0, 5], [11, 11, 5]], [[3, 7, 8], [0, 9, 7], [15, 0, 1]]], np.int32
    )
    crop = RegionCrop(4)
    for way in (crop, crop.by_products):
        crops = way(photographs, relative(regions, 16)).numpy()
        assert crops.shape == (2, 3, 4, 4, 3) and crops.dtype == np.float32
        for b, m in np.ndindex(2, 3):
            expected = reference(photographs[b], regions[b, m], 4, 16)
            np.testing.assert_allclose(crops[b, m], expected, atol=0.02)


@pytest.mark.parametrize("times", [2, 4])
def test_the_whole_image_is_averaged_down(times):
    photographs = images(2, 8 * times)
    whole = np.tile(np.float32([[[0, 0, 1, 1]]]), (2, 1, 1))
    crops = RegionCrop(8)(photographs, whole)[:, 0]
    blocks = photographs.reshape(2, 8, times, 8, times, 3)
    np.testing.assert_allclose(crops, blocks.mean((2, 4)), atol=0.02)


def test_an_inner_region_is_averaged_down():
    """16 of 64 pixels, from row 24 and column 40, in pixels of an image half that large."""
    photographs = images(1, 64)
    crops = RegionCrop(8)(photographs, relative([[[20, 12, 8]]], 32))[0, 0]
    expected = photographs[0, 24:40, 40:56].reshape(8, 2, 8, 2, 3).mean((1, 3))
    np.testing.assert_allclose(crops, expected, atol=0.02)


@pytest.mark.parametrize("region", [[0, 0, 3], [13, 13, 3], [0, 13, 3], [0, 0, 16], [15, 15, 1]])
def test_regions_at_the_border_read_no_black(region):
    white = np.full((1, 16, 16, 3), 255, np.uint8)
    crops = RegionCrop(6)(white, relative([[region]], 16))
    np.testing.assert_allclose(crops, np.full((1, 1, 6, 6, 3), 255.0), atol=0.001)


def test_each_region_is_cut_from_its_own_image():
    shades = np.array([10, 200, 90], np.uint8)
    photographs = np.broadcast_to(shades[:, None, None, None], (3, 8, 8, 3))
    quarter = np.tile(np.float32([0, 0, 0.5, 0.5]), (3, 2, 1))
    crops = RegionCrop(2)(photographs, quarter)
    np.testing.assert_allclose(
        crops, np.broadcast_to(shades[:, None, None, None, None], (3, 2, 2, 2, 3)), atol=0.001
    )


def test_regions_need_not_be_squares():
    """All rows of columns 8 to 16; eight samples along either side."""
    photographs = images(1, 32)
    crop = RegionCrop(4)(photographs, np.float32([[[0.25, 0, 0.5, 1]]]))[0, 0]
    rows = photographs[0, :, 8:16].reshape(8, 4, 8, 3)[:, 1:3].mean(1)  # samples at 1.5, 5.5, ...
    np.testing.assert_allclose(crop, rows.reshape(4, 2, 4, 2, 3).mean((1, 3)), atol=0.02)


@pytest.mark.parametrize("reference", [112, 224, 256, 299])
def test_edges_of_pixels_stay_such(reference):
    """As parts of a side some come back beside the whole number, which would blur the crop."""
    photographs = np.random.default_rng(0).random((1, 2 * reference, 2 * reference, 3))
    crop = RegionCrop(8)
    for n, left in enumerate(range(0, reference - 8, 13)):
        region = relative([[[left, 3, 8]]], reference)
        way = crop.by_products if n % 2 else crop
        found = way(np.float32(photographs), region)[0, 0]
        cut = photographs[0, 6:22, 2 * left : 2 * left + 16].reshape(8, 2, 8, 2, 3)
        np.testing.assert_allclose(found, cut.mean((1, 3)), atol=1e-4)

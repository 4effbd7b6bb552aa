import numpy as np

from asen_tf.metrics.localization import box_iou, pointing_hit


def test_iou_of_integer_boxes_matches_counted_pixels():
    rng = np.random.default_rng(0)
    corners = np.sort(rng.integers(0, 12, (2, 60, 2, 2)), axis=2)
    a, b = np.concatenate([corners[:, :, 0], corners[:, :, 1]], axis=-1)

    def pixels(box):
        left, top, right, bottom = box
        return {(x, y) for x in range(left, right) for y in range(top, bottom)}

    for one, other, iou in zip(a, b, box_iou(a, b), strict=True):
        union = pixels(one) | pixels(other)
        assert iou == (len(pixels(one) & pixels(other)) / len(union) if union else 0)


def test_iou_broadcasts_and_passes_nan_on():
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [np.nan] * 4, [5, 5, 6, 6]])
    np.testing.assert_allclose(box_iou([0, 0, 2, 2], boxes), [1, 1 / 3, np.nan, 0])


def test_pointing_hit_counts_the_border():
    points = np.array([[1, 2], [3, 5], [2, 3], [0.9, 3], [2, 5.1], [np.nan, 3]])
    hits = pointing_hit(points, [1, 2, 3, 5])
    assert hits.tolist() == [True, True, True, False, False, False]


def test_pointing_may_miss_by_the_tolerance():
    points = np.array([(8.0, 15.0), (7.9, 15.0), (15.0, 22.0), (15.0, 22.1)])
    found = pointing_hit(points, (10, 10, 20, 20), tolerance=np.full(4, 2.0))
    np.testing.assert_array_equal(found, [True, False, True, False])

"""The plane keeps neighbours."""

import numpy as np
import pytest

from asen_tf.explain import layout


def groups(count, each):
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(count, 16))
    points = np.repeat(centres, each, 0) + 0.1 * generator.normal(size=(count * each, 16))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_neighbours_stay_in_their_group():
    points = layout(groups(3, 20))
    assert points.shape == (60, 2)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_array_equal(distances.argmin(1) // 20, np.arange(60) // 20)


def test_the_same_seed_gives_the_same_plane():
    vectors = groups(2, 5)
    np.testing.assert_array_equal(layout(vectors), layout(vectors))


def test_as_few_as_four_points_and_no_fewer():
    assert np.isfinite(layout(groups(4, 1))).all()
    with pytest.raises(ValueError, match=r"at least 4 vectors as \[N, D\], received \[3, 16\]"):
        layout(groups(3, 1))

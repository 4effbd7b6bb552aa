import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from asen_tf.layers.connected_components import component_labels, largest_component

TOUCHING = np.ones((3, 3))  # corners count


def last_cells(mask):
    """For each cell that is set, the number of its component's last cell; else its own."""
    components, count = scipy.ndimage.label(mask, TOUCHING)
    labels = np.arange(mask.size).reshape(mask.shape)
    for component in range(1, count + 1):
        labels[components == component] = np.flatnonzero(components == component).max()
    return labels


@pytest.mark.parametrize(
    ("height", "width", "density"),
    [(1, 1, 0.5), (1, 9, 0.6), (5, 7, 0.5), (16, 16, 0.4), (20, 31, 0.6), (64, 64, 0.41)],
)
def test_labels_are_those_of_scipy(height, width, density):
    masks = np.random.default_rng(height).random((5, height, width)) < density
    labels = component_labels(masks).numpy()
    for mask, found in zip(masks, labels, strict=True):
        np.testing.assert_array_equal(found, last_cells(mask))


def test_a_long_winding_component_is_one():
    """A snake through 21 rows, which runs to the right and to the left in turn."""
    mask = np.zeros((21, 30), bool)
    mask[::2] = True
    mask[1::4, -1] = mask[3::4, 0] = True
    assert scipy.ndimage.label(mask, TOUCHING)[1] == 1
    labels = tf.function(component_labels)(mask[None]).numpy()[0]
    assert (labels[mask] == 21 * 30 - 1).all()


def test_largest_component_by_hand():
    """Three cells that touch at corners beat the two above and the one apart."""
    drawn = ["##..#", ".....", "#....", ".#...", "#...."]
    mask = np.array([[cell == "#" for cell in row] for row in drawn])
    expected = mask & (np.arange(5)[:, None] >= 2)
    np.testing.assert_array_equal(largest_component(mask[None])[0], expected)


def test_of_equal_components_the_one_that_ends_first():
    """Two cells each: the one at the right begins first, the one at the left ends first."""
    mask = np.zeros((3, 4), bool)
    mask[:2, 3] = mask[1, :2] = True
    expected = np.zeros((3, 4), bool)
    expected[1, :2] = True
    np.testing.assert_array_equal(largest_component(mask[None])[0], expected)


def test_largest_of_many_masks_of_any_number():
    masks = np.random.default_rng(1).random((7, 12, 17)) < 0.35
    masks[3] = False
    masks[4] = True
    largest = tf.function(
        largest_component, input_signature=[tf.TensorSpec((None, None, None), tf.bool)]
    )
    found = largest(masks).numpy()
    for mask, kept in zip(masks, found, strict=True):
        components, count = scipy.ndimage.label(mask, TOUCHING)
        sizes = np.bincount(components.ravel(), minlength=1)[1:]
        assert kept.sum() == (sizes.max() if count else 0)
        assert scipy.ndimage.label(kept, TOUCHING)[1] == min(count, 1)
        assert (mask | ~kept).all()
    assert largest(masks[:0]).shape == (0, 12, 17)

import numpy as np
import pytest

from asen_tf.layers import AttributeMask


def test_learned_masks_are_the_positive_part_of_their_weights():
    layer = AttributeMask(3, 4)
    layer.build((None,))
    weight = np.array([[1, -2, 0, 0.5], [0.1, 0.2, 0.3, 0.4], [-1, -1, -1, 2]], np.float32)
    layer.set_weights([weight])
    found = layer(np.array([[2, 0], [1, 1]]))
    expected = [[[0, 0, 0, 2], [1, 0, 0, 0.5]], [[0.1, 0.2, 0.3, 0.4]] * 2]
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_learned_masks_start_at_the_published_distribution():
    layer = AttributeMask(50, 1000)
    layer.build((None,))
    (weight,) = layer.get_weights()
    assert weight.mean() == pytest.approx(0.9, abs=0.02)
    assert weight.std() == pytest.approx(0.7, abs=0.02)


def test_disjoint_masks():
    """Seven dimensions and three attributes: two each, and one that is nobody's."""
    layer = AttributeMask(3, 7, "disjoint")
    expected = [[1, 1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0]]
    np.testing.assert_array_equal(layer(np.arange(3)), expected)
    assert layer.weights == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 7, "disjunct"), "Did you mean 'disjoint'"),
        ((3, 2, "disjoint"), "a dimension for each of the 3 attributes, the embedding has 2"),
    ],
)
def test_bad_settings(arguments, message):
    with pytest.raises(ValueError, match=message):
        AttributeMask(*arguments)

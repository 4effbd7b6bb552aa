"""Channel profiles: order, colours and correlations, against NumPy's."""

import numpy as np
import pytest

from asen_tf.viz import channel_grid
from asen_tf.viz.channels import COLORS

WEIGHTS = np.random.default_rng(0).random((4, 30))
NAMES = ("neck_line", "color", "hem", "fit")


def test_correlations_are_those_of_the_differences_from_the_mean():
    axes = channel_grid(WEIGHTS, NAMES).axes[0]
    lifts = WEIGHTS - WEIGHTS.mean(0)
    alike = np.array([[a @ b / np.sqrt((a @ a) * (b @ b)) for b in lifts] for a in lifts])
    colors = next(i.get_array() for i in axes.images if i.get_array().shape[:2] == (4, 4))
    np.testing.assert_allclose(colors, COLORS(alike / 2 + 0.5), atol=1e-6)
    off = alike[~np.eye(4, dtype=bool)]
    numbers = [float(text.get_text()) for text in axes.texts if text.get_size() == 6.5]
    np.testing.assert_allclose(numbers, off, atol=0.0501)


def test_channels_stand_by_the_attribute_that_lifts_them_most():
    weights = np.zeros((3, 6))
    owners = [2, 0, 1, 0, 2, 1]
    weights[owners, range(6)] = [0.9, 0.5, 0.3, 0.7, 0.4, 0.6]
    axes = channel_grid(weights, NAMES[:3]).axes[0]
    colors = next(i.get_array() for i in axes.images if i.get_array().shape[:2] == (3, 6))
    order = [3, 1, 5, 2, 0, 4]
    lifts = (weights - weights.mean(0))[:, order]
    expected = COLORS(np.clip(lifts / np.quantile(np.abs(lifts), 0.99), -1, 1) / 2 + 0.5)
    np.testing.assert_allclose(colors, expected, atol=1e-6)


def test_equal_profiles_are_drawn_too():
    assert channel_grid(np.ones((2, 5)), NAMES[:2]).axes


@pytest.mark.parametrize(
    ("weights", "names", "message"),
    [
        (WEIGHTS, NAMES[:3], "received [4, 30] and 3"),
        (WEIGHTS[:1], NAMES[:1], "two attributes or more"),
        (WEIGHTS[0], NAMES, "received [30]"),
        (WEIGHTS * np.inf, NAMES, "finite"),
    ],
)
def test_bad_input_is_refused(weights, names, message):
    with pytest.raises(ValueError) as refused:
        channel_grid(weights, names)
    assert message in str(refused.value)

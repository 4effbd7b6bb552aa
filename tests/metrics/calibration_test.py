import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from asen_tf.metrics.calibration import expected_calibration_error


def test_gaps_of_bins_count_by_their_predictions():
    """0.95 and 0.99 say 0.97 and are right once in two; 0.3 is right always."""
    found = expected_calibration_error([0.95, 0.99, 0.3], [True, False, True], bins=10)
    assert found == pytest.approx((2 * (0.97 - 0.5) + (1 - 0.3)) / 3)


def test_as_scikit_learn_has_the_bins():
    draw = np.random.default_rng(0)
    confidence = draw.uniform(size=2000)
    right = draw.uniform(size=2000) < confidence**2
    accuracy, mean = calibration_curve(right, confidence, n_bins=15)
    counts = np.histogram(confidence, bins=np.linspace(0, 1, 16))[0]
    expected = np.abs(accuracy - mean) @ counts / 2000
    assert expected_calibration_error(confidence, right) == pytest.approx(expected)


def test_what_is_as_sure_as_it_is_right():
    assert expected_calibration_error([1.0, 1.0], [True, True]) == 0
    assert expected_calibration_error([1.0, 0.0], [False, True]) == 1

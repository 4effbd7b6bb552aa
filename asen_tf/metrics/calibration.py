"""Whether probabilities are as often right as they say."""

import numpy as np
from numpy.typing import ArrayLike

BINS = 15


def expected_calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> float:
    """How far confidence is from accuracy, on average (Guo et al., ICML 2017).

    Predictions are sorted into bins of equal width; of each bin that has any, the difference of
    their mean confidence and the share of them that is right counts by their number.

    Args:
      confidence: float [N] in 0..1, N >= 1, the probability of what was predicted.
      right: bool [N], whether it was so.
      bins: how many.

    Returns:
      0 to 1; 0 is perfect.
    """
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    bin_of = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1).astype(int)
    gaps = np.bincount(bin_of, confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(right))

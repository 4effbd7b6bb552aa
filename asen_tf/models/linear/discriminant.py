"""Linear discriminant analysis by scikit-learn, as the weights of a softmax."""

import warnings

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

_NEVER = -1e9  # the logit of what has no probability


def linear_discriminant(vectors: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classifier of one attribute's values: shrinkage of Ledoit and Wolf, priors of the data.

    An image with several values counts once for each of them. Values without images have no
    probability; with fewer than two values, or no more images than values, there is nothing to
    tell apart, and what is there is equally probable.

    Args:
      vectors: float [N, C].
      labels: bool [N, V], the values that each of them carries; perhaps none.

    Returns:
      float32 [C, V] and [V]: the probabilities of x are softmax(x @ first + second).
    """
    rows, values = np.nonzero(labels)
    present = np.unique(values)
    kernel = np.zeros((vectors.shape[1], labels.shape[1]), np.float32)
    bias = np.full(labels.shape[1], _NEVER if len(present) else 0.0, np.float32)
    bias[present] = 0.0
    if not 1 < len(present) < len(rows):
        return kernel, bias
    found = LinearDiscriminantAnalysis("lsqr", shrinkage="auto")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Only one sample available")  # of a value
        found.fit(vectors[rows].astype(np.float64), values)
    # Of two values, scikit-learn keeps the difference of the second to the first.
    kernel[:, present[-len(found.coef_) :]] = found.coef_.T
    bias[present[-len(found.coef_) :]] = found.intercept_
    return kernel, bias

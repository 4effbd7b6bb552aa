"""Linear discriminant analysis as the weights of a softmax."""

import warnings

import numpy as np
import scipy.linalg
from sklearn.covariance import ledoit_wolf
from sklearn.preprocessing import StandardScaler

_NEVER = -1e9  # the logit of what has no probability


def linear_discriminant(vectors: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classifier of one attribute's values: shrinkage of Ledoit and Wolf, priors of the data.

    An image with several values counts once for each of them. Values without images have no
    probability; with fewer than two values, or no more images than values, there is nothing to
    tell apart, and what is there is equally probable.

    It is scikit-learn's `LinearDiscriminantAnalysis("lsqr", shrinkage="auto")`, whose solver takes
    five times as long for 3 072 channels.

    Args:
      vectors: float [N, C].
      labels: bool [N, V], the values that each of them carries; perhaps none.

    Returns:
      float32 [C, V] and [V]: the probabilities of x are softmax(x @ first + second).
    """
    rows, values = np.nonzero(labels)
    present, counts = np.unique(values, return_counts=True)
    kernel = np.zeros((vectors.shape[1], labels.shape[1]), np.float32)
    bias = np.full(labels.shape[1], _NEVER if len(present) else 0.0, np.float32)
    bias[present] = 0.0
    if not 1 < len(present) < len(rows):
        return kernel, bias
    vectors, priors = vectors[rows].astype(np.float64), counts / len(rows)
    each = [vectors[values == value] for value in present]
    means = np.stack([own.mean(0) for own in each], axis=1)
    weighted = (prior * _covariance(own) for prior, own in zip(priors, each, strict=True))
    solved = _solved(sum(weighted), means)
    kernel[:, present] = solved
    bias[present] = np.log(priors) - (means * solved).sum(0) / 2
    return kernel, bias


def _covariance(vectors):
    """Of one value, shrunken as if all channels had the same variance, [C, C]."""
    scaler = StandardScaler()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Only one sample available")
        shrunken, _ = ledoit_wolf(scaler.fit_transform(vectors))
    return scaler.scale_[:, None] * shrunken * scaler.scale_


def _solved(covariance, means):
    try:
        return scipy.linalg.cho_solve(scipy.linalg.cho_factor(covariance), means)
    except scipy.linalg.LinAlgError:  # images of a value are all alike
        return scipy.linalg.lstsq(covariance, means)[0]

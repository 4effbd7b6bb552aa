"""Labels that are probably wrong: out-of-sample probabilities, and confident learning on them.

Confident learning is that of Northcutt, Jiang and Chuang, "Confident Learning: Estimating
Uncertainty in Dataset Labels", JAIR 70 (2021), by cleanlab.
"""

import importlib
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

# scikit-learn's C, of vectors of length 1 in quadratic mean; docs/labels.md has what others gave.
REGULARIZATION = 8.0
_MOST_ITERATIONS = 300


class Judged(NamedTuple):
    """What the others say of each label, arrays [N].

    Attributes:
      likely: int, the most probable value beside the given one.
      probability: of that value, 0 to 1.
      score: how probable the given value is, 0 to 1; the lowest is the most doubtful.
      wrong: bool, whether the label is probably wrong.
    """

    likely: np.ndarray
    probability: np.ndarray
    score: np.ndarray
    wrong: np.ndarray


def checked_values(given: np.ndarray, groups: np.ndarray, folds: int) -> np.ndarray:
    """Values that stand in at least `folds` groups, ascending: others cannot be checked.

    Args:
      given: int [N], a value each.
      groups: int [N], of photographs that belong together.
      folds: of the cross-validation.
    """
    pairs = np.unique(np.stack([given, groups]), axis=1)
    values, counts = np.unique(pairs[0], return_counts=True)
    return values[counts >= folds]


def out_of_sample(
    vectors: np.ndarray, given: np.ndarray, groups: np.ndarray, folds: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """How probable each value is, by classifiers that have seen neither the label nor its group.

    They are logistic regressions, of strong regularization, whatever the scale of vectors.

    Args:
      vectors: float [N, C].
      given: int [N], values 0 to V - 1; of one that a fold has alone, nothing is said against it.
      groups: int [N]; those of one group are in one fold.
      folds: of the cross-validation, which is stratified.

    Yields:
      Of each fold its rows, int [n], and float [n, V].
    """
    values = np.arange(given.max() + 1)
    length = np.sqrt(np.mean(np.sum(np.square(vectors), axis=1)))
    vectors = vectors / (length or 1.0)
    for seen, rest in StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(
        vectors, given, groups
    ):
        found = np.zeros((len(rest), len(values)))
        found[:, np.unique(given[seen])] = _probabilities(vectors[seen], given[seen], vectors[rest])
        # Of a value that only this fold has, nothing is known.
        unknown = ~np.isin(given[rest], given[seen])
        found[unknown] = given[rest][unknown, None] == values
        yield rest, found


def _probabilities(seen: np.ndarray, given: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """How probable each value that was seen is, float [n, values]."""
    if len(np.unique(given)) == 1:
        return np.ones((len(rest), 1))
    classifier = LogisticRegression(C=REGULARIZATION, max_iter=_MOST_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(seen, given).predict_proba(rest)


def judge(given: np.ndarray, probabilities: np.ndarray) -> Judged:
    """Which labels are probably wrong, by confident learning.

    Args:
      given: int [N], values 0 to V - 1.
      probabilities: float [N, V], out of sample.
    """
    cleanlab = needed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = cleanlab.filter.find_label_issues(given, probabilities, n_jobs=1)
        score = cleanlab.rank.get_label_quality_scores(given, probabilities)
    others = probabilities.copy()
    others[np.arange(len(given)), given] = -1
    likely = others.argmax(1)
    return Judged(likely, others.max(1), score, wrong)


def needed() -> ModuleType:
    """cleanlab, or a ValueError that says how to get it."""
    try:
        for part in ("filter", "rank"):
            importlib.import_module(f"cleanlab.{part}")
        return importlib.import_module("cleanlab")
    except ImportError as error:
        raise ValueError(
            f'checking labels needs pip install "asen_tf[labels]" ({error})'
        ) from error

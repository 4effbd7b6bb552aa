"""Doubtful labels against scikit-learn's cross-validation, and cases whose answer is known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from asen_tf.evaluation.label_errors import (
    REGULARIZATION,
    checked_values,
    judge,
    out_of_sample,
)

FOLDS = 4


@pytest.fixture
def cleanlab():
    pytest.importorskip("cleanlab", reason="needs asen_tf[labels]")


@pytest.fixture
def photographs():
    """Vectors [120, 6] of three values far from each other, given values, products of two."""
    given = np.arange(120) // 2 % 3
    centres = 10 * np.eye(3, 6)
    vectors = centres[given] + np.random.default_rng(0).normal(size=(120, 6))
    return vectors, given, np.arange(120) // 2


def probabilities(vectors, given, groups):
    found = np.full((len(given), given.max() + 1), np.nan)
    for rows, of_fold in out_of_sample(vectors, given, groups, FOLDS):
        assert np.isnan(found[rows]).all()
        found[rows] = of_fold
    return found


def test_probabilities_are_those_of_scikit_learns_cross_validation(photographs):
    vectors, given, groups = photographs
    vectors = vectors + 8 * np.random.default_rng(1).normal(size=vectors.shape)  # values overlap
    expected = cross_val_predict(
        LogisticRegression(C=REGULARIZATION, max_iter=1000),
        vectors / np.sqrt((vectors**2).sum(1).mean()),
        given,
        groups=groups,
        cv=StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0),
        method="predict_proba",
    )
    found = probabilities(vectors, given, groups)
    assert found.min(axis=1).mean() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_groups_stay_together(photographs):
    vectors, given, groups = photographs
    folds = [set(groups[rows]) for rows, _ in out_of_sample(vectors, given, groups, FOLDS)]
    assert len(folds) == FOLDS
    assert sum(map(len, folds)) == len(set(groups))


@pytest.mark.usefixtures("cleanlab")
def test_what_can_be_told_apart_has_no_wrong_labels(photographs):
    vectors, given, groups = photographs
    judged = judge(given, probabilities(vectors, given, groups))
    assert not judged.wrong.any()
    np.testing.assert_array_less(0.9, judged.score)


@pytest.mark.usefixtures("cleanlab")
def test_changed_labels_are_found(photographs):
    vectors, given, groups = photographs
    changed = given.copy()
    places = [3, 40, 77, 101]
    changed[places] = (given[places] + 1) % 3
    judged = judge(changed, probabilities(vectors, changed, groups))
    assert np.flatnonzero(judged.wrong).tolist() == places
    np.testing.assert_array_equal(judged.likely[places], given[places])
    np.testing.assert_array_less(0.8, judged.probability[places])
    assert set(np.argsort(judged.score)[:4]) == set(places)


@pytest.mark.usefixtures("cleanlab")
def test_judged_by_hand():
    """Thresholds are 0.68 and 0.74, the means of what labels have: the third is above the other."""
    given = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    first = np.array([0.9, 0.8, 0.1, 0.9, 0.7, 0.2, 0.4, 0.2, 0.3, 0.2])
    judged = judge(given, np.stack([first, 1 - first], 1))
    assert np.flatnonzero(judged.wrong).tolist() == [2]
    assert judged.likely.tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(judged.score, np.where(given == 0, first, 1 - first))
    np.testing.assert_allclose(judged.probability, np.where(given == 0, 1 - first, first))


def test_nothing_speaks_against_a_value_that_one_fold_has_alone(photographs):
    vectors, given, groups = photographs
    given = np.where(groups == 5, 3, given)
    found = probabilities(vectors, given, groups)
    np.testing.assert_array_equal(found[groups == 5], np.eye(4)[[3, 3]])


def test_a_fold_may_see_one_value(photographs):
    vectors, _, groups = photographs
    given = (groups == 5).astype(int)
    found = probabilities(vectors, given, groups)
    np.testing.assert_array_equal(found[groups == 5], np.eye(2)[[1, 1]])
    assert not np.isnan(found).any()


def test_values_are_checked_that_stand_in_enough_groups():
    given = np.array([0, 0, 0, 1, 1, 1, 2])
    groups = np.array([0, 1, 2, 3, 3, 4, 5])
    assert checked_values(given, groups, 3).tolist() == [0]
    assert checked_values(given, groups, 2).tolist() == [0, 1]
    assert checked_values(given[:0], groups[:0], 2).tolist() == []

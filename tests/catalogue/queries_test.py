"""Weights, changes, feedback, reranking and comparison, beside SciPy and cases worked by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import percentileofscore

from asen_tf.catalogue import queries

ATTRIBUTES = ("neckline", "color", "pattern")


def unit(*shape, seed=0):
    vectors = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_weights_stand_in_the_attributes_order_and_what_is_not_named_counts_nothing():
    weights = queries.weight_vector(ATTRIBUTES, {"pattern": -0.3, "neckline": 1})
    np.testing.assert_array_equal(weights, [1, 0, -0.3])


def test_weights_that_are_whole_numbers_can_be_shared_out():
    weights = queries.weight_vector(ATTRIBUTES, {name: 2 for name in ATTRIBUTES})
    weights /= weights.sum()
    np.testing.assert_allclose(weights, [1 / 3] * 3)


def test_without_weights_all_count_alike():
    np.testing.assert_array_equal(queries.weight_vector(ATTRIBUTES), [1, 1, 1])


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"color": 0.5}, [1, 0.5, 0]),
        ({"neckline": 0.2, "color": 0.5}, [0.2, 0.5, 0]),
        ({}, [1] * 3),
    ],
    ids=["unnamed", "named", "no weights"],
)
def test_a_changed_attribute_counts_one_unless_it_is_weighted(weights, expected):
    found = queries.weight_vector(ATTRIBUTES, weights, changed=["neckline"])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"colour": 1}, "unknown attribute 'colour'. Did you mean 'color'?"),
        ({"color": float("nan")}, "finite weight of color, got nan"),
        ({"color": 0.0}, "other than 0"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        queries.weight_vector(ATTRIBUTES, weights)


def test_the_inner_product_with_a_weighted_query_is_the_weighted_sum_of_cosines():
    query, items, weights = unit(3, 8), unit(5, 3, 8, seed=1), np.float32([1, 0.5, -0.3])
    sums = items.reshape(5, -1) @ queries.weighted(query, weights).ravel()
    by_hand = [
        sum(w * float(q @ v) for w, q, v in zip(weights, query, item, strict=True))
        for item in items
    ]
    np.testing.assert_allclose(sums, by_hand, atol=1e-6)
    means = queries.mean_score(queries.cosines(query, items), weights)
    np.testing.assert_allclose(means, np.array(by_hand) / 1.8, atol=1e-6)


def test_the_same_item_has_a_score_of_one():
    query = unit(3, 8)
    weights = np.float32([2, 0, 3])
    assert queries.mean_score(queries.cosines(query, query[None]), weights) == pytest.approx([1.0])
    opposite = queries.mean_score(queries.cosines(query, -query[None]), -weights)
    assert opposite == pytest.approx([1.0])


def test_a_prototype_is_the_direction_of_the_mean():
    found = queries.prototype(np.float32([[1, 0, 0], [0, 1, 0], [0, 1, 0]]))
    np.testing.assert_allclose(found, np.array([1, 2, 0]) / np.sqrt(5), atol=1e-7)
    assert found.dtype == np.float32


@pytest.mark.parametrize("vectors", [np.zeros((0, 3)), np.float32([[1, 0], [-1, 0]])])
def test_no_prototype_without_a_direction(vectors):
    with pytest.raises(ValueError, match="expected"):
        queries.prototype(vectors)


def test_feedback_weighs_by_the_inverse_sum_of_pairwise_distances():
    chosen = unit(4, 3, 8)
    inverse = np.array([1 / pdist(chosen[:, v].astype(np.float64)).sum() for v in range(3)])
    found = queries.feedback_weights(chosen)
    np.testing.assert_allclose(found, inverse / inverse.sum(), rtol=1e-5)


def test_feedback_weights_by_hand():
    """Distances sqrt(2) and 2 in two spaces: weights 2 and sqrt(2), over their sum."""
    chosen = np.array([[[1, 0], [1, 0]], [[0, 1], [-1, 0]]])
    total = 2 + np.sqrt(2)
    found = queries.feedback_weights(chosen)
    np.testing.assert_allclose(found, [2 / total, np.sqrt(2) / total], rtol=1e-6)


def test_equal_items_divide_by_no_zero():
    same = np.repeat(unit(1, 3, 8), 3, axis=0)
    np.testing.assert_allclose(queries.feedback_weights(same), [1 / 3] * 3, rtol=1e-6)
    # Equal in one space only, and 90 degrees apart in the other.
    one = np.float32([[[1, 0], [1, 0]], [[1, 0], [0, 1]]])
    ratio = np.sqrt(2) / 0.01
    expected = [ratio / (1 + ratio), 1 / (1 + ratio)]
    np.testing.assert_allclose(queries.feedback_weights(one), expected, rtol=1e-5)


def test_one_item_gives_no_feedback():
    with pytest.raises(ValueError, match="at least two chosen items to compare, got 1"):
        queries.feedback_weights(unit(1, 3, 8))


def test_blending_goes_from_one_order_to_the_other():
    scores, similarities = [30.0, 20.0, 10.0], [0.1, 0.5, 0.3]
    orders = [
        queries.best_first(queries.blended(scores, similarities, blend)).tolist()
        for blend in (0, 0.5, 1)
    ]
    # Half and half: (1 + 0) / 2, (0.5 + 1) / 2, (0 + 0.5) / 2.
    assert orders == [[0, 1, 2], [1, 0, 2], [1, 2, 0]]
    np.testing.assert_allclose(queries.blended(scores, similarities, 0.5), [0.5, 0.75, 0.25])


def test_equal_scores_keep_their_order():
    assert queries.best_first(queries.blended([5, 5, 5], [1, 1, 1], 0.5)).tolist() == [0, 1, 2]


def test_an_empty_list_can_be_blended():
    assert queries.blended([], [], 0.5).shape == (0,)


@pytest.mark.parametrize(
    ("scores", "similarities", "blend", "message"),
    [
        ([1, 2], [1], 0.5, r"\[2\] and \[1\]"),
        ([1], [1], 1.5, "blend of 0 to 1, got 1.5"),
        ([float("inf")], [1], 0.5, "finite"),
    ],
)
def test_bad_lists_are_refused(scores, similarities, blend, message):
    with pytest.raises(ValueError, match=message):
        queries.blended(scores, similarities, blend)


def test_random_pairs_are_of_different_items_and_reach_all():
    pairs = queries.random_pairs(5, 2000, seed=0)
    assert pairs.shape == (2000, 2) and pairs.min() == 0 and pairs.max() == 4
    assert (pairs[:, 0] != pairs[:, 1]).all()
    _, counts = np.unique(pairs, axis=0, return_counts=True)
    assert len(counts) == 20 and counts.min() > 60  # 100 expected
    with pytest.raises(ValueError, match="at least two items"):
        queries.random_pairs(1, 10, seed=0)


def test_percentiles_agree_with_scipy():
    population = np.random.default_rng(0).integers(0, 20, (300, 4)).astype(float)
    values = np.array([-1.0, 3.0, 10.5, 19.0])
    expected = [
        percentileofscore(column, value, kind="mean")
        for column, value in zip(population.T, values, strict=True)
    ]
    np.testing.assert_allclose(queries.percentiles(values, population), expected)

import itertools

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from asen_tf.metrics import retrieval


def random_queries(seed, queries=40, candidates=25, ties=False):
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((queries, candidates)).astype(np.float32)
    if ties:
        scores = np.round(scores)
    relevant = rng.random((queries, candidates)) < rng.random((queries, 1)) * 0.6
    relevant[0] = False
    relevant[1] = True
    return scores, relevant


def slow_ranking(scores, relevant):
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    return [bool(relevant[i]) for i in order]


def slow_average_precision(ranked):
    hits, total = 0, 0.0
    for rank, hit in enumerate(ranked, start=1):
        if hit:
            hits += 1
            total += hits / rank
    return total / hits if hits else 0.0


def slow_triplet_accuracy(ranked):
    right = wrong = 0
    for i, j in itertools.combinations(range(len(ranked)), 2):
        right += ranked[i] and not ranked[j]
        wrong += ranked[j] and not ranked[i]
    return right / (right + wrong) if right + wrong else float("nan")


def test_ranking_and_average_precision_match_plain_python_with_ties():
    scores, relevant = random_queries(0, ties=True)
    ranked = retrieval.ranked_relevance(scores, relevant)
    expected = [slow_ranking(s, r) for s, r in zip(scores, relevant, strict=True)]
    np.testing.assert_array_equal(ranked, expected)
    np.testing.assert_allclose(
        retrieval.average_precision(ranked), [slow_average_precision(r) for r in expected]
    )
    np.testing.assert_allclose(
        retrieval.triplet_accuracy(ranked), [slow_triplet_accuracy(r) for r in expected]
    )


def test_average_precision_matches_scikit_learn():
    scores, relevant = random_queries(1)
    ours = retrieval.average_precision(retrieval.ranked_relevance(scores, relevant))
    some = relevant.any(-1)
    theirs = np.zeros(len(scores))
    theirs[some] = [
        average_precision_score(r, s) for r, s in zip(relevant[some], scores[some], strict=True)
    ]
    np.testing.assert_allclose(ours, theirs)
    assert retrieval.mean_average_precision(scores, relevant) == pytest.approx(theirs.mean())


@pytest.mark.parametrize("k", [1, 3, 10, 25, 60])
def test_ndcg_matches_scikit_learn(k):
    scores, relevant = random_queries(2)
    ours = retrieval.ndcg_at_k(retrieval.ranked_relevance(scores, relevant), k)
    theirs = [ndcg_score([r], [s], k=k) for r, s in zip(relevant.astype(int), scores, strict=True)]
    np.testing.assert_allclose(ours, theirs)


def test_triplet_accuracy_matches_scikit_learn():
    scores, relevant = random_queries(3)
    ours = retrieval.triplet_accuracy(retrieval.ranked_relevance(scores, relevant))
    both = relevant.any(-1) & ~relevant.all(-1)
    assert np.isnan(ours[~both]).all()
    theirs = [roc_auc_score(r, s) for r, s in zip(relevant[both], scores[both], strict=True)]
    np.testing.assert_allclose(ours[both], theirs)


def test_cut_off_metrics_by_hand():
    ranked = np.array([[0, 1, 1, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]], bool)
    np.testing.assert_allclose(retrieval.precision_at_k(ranked, 2), [1 / 2, 0, 0])
    np.testing.assert_allclose(retrieval.precision_at_k(ranked, 10), [3 / 10, 1 / 10, 0])
    np.testing.assert_allclose(retrieval.recall_at_k(ranked, 3), [2 / 3, 0, 0])
    np.testing.assert_allclose(retrieval.recall_at_k(ranked, 5), [1, 1, 0])
    np.testing.assert_allclose(retrieval.top_k_accuracy(ranked, 1), [0, 0, 0])
    np.testing.assert_allclose(retrieval.top_k_accuracy(ranked, 2), [1, 0, 0])
    np.testing.assert_allclose(
        retrieval.average_precision(ranked), [(1 / 2 + 2 / 3 + 3 / 5) / 3, 1 / 5, 0]
    )


def test_excluded_candidates_leave_no_trace():
    scores, relevant = random_queries(4, ties=True)
    scores[:, 3] = -np.inf
    excluded = np.zeros_like(relevant)
    dropped = np.arange(len(scores)) % scores.shape[1]
    excluded[np.arange(len(scores)), dropped] = True
    ranked = retrieval.ranked_relevance(scores, relevant, excluded)
    counts = np.full(len(scores), scores.shape[1] - 1)
    for query, column in enumerate(dropped):
        without = slow_ranking(np.delete(scores[query], column), np.delete(relevant[query], column))
        assert ranked[query].tolist() == [*without, False]
        one = slice(query, query + 1)
        np.testing.assert_allclose(
            retrieval.triplet_accuracy(ranked[one], counts[one]), [slow_triplet_accuracy(without)]
        )


@pytest.mark.parametrize("candidates", [1, 2, 5, 7])
def test_expected_average_precision_matches_all_orders(candidates):
    for relevant in range(candidates + 1):
        start = [True] * relevant + [False] * (candidates - relevant)
        orders = itertools.permutations(start)
        expected = np.mean([slow_average_precision(order) for order in orders])
        found = retrieval.expected_average_precision(relevant, candidates)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_expected_average_precision_broadcasts_and_takes_empty_lists():
    found = retrieval.expected_average_precision([0, 1, 2], [0, 1, 2])
    np.testing.assert_allclose(found, [0, 1, 1])
    assert retrieval.expected_average_precision([[0], [1]], 3).shape == (2, 1)


@pytest.mark.parametrize("k", [1, 2, 4, 9])
def test_expected_top_k_accuracy_is_the_mean_over_all_orders(k):
    for candidates in range(1, 7):
        for relevant in range(candidates + 1):
            orders = set(itertools.permutations([1] * relevant + [0] * (candidates - relevant)))
            expected = np.mean([any(order[:k]) for order in orders])
            found = retrieval.expected_top_k_accuracy(relevant, candidates, k)
            np.testing.assert_allclose(found, expected, rtol=1e-12)
    found = retrieval.expected_top_k_accuracy([[0], [1]], 1, 3)
    assert found.shape == (2, 1)


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int64])
def test_integer_scores_rank_highest_first(dtype):
    scores = np.array([[0, 1, 0, 1]]).astype(dtype)
    ranked = retrieval.ranked_relevance(scores, [[1, 0, 0, 1]])
    assert ranked.tolist() == [[False, True, True, False]]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"\(1, 2\) and \(1, 3\)"):
        retrieval.ranked_relevance([[0.0, 1.0]], [[1, 0, 1]])
    with pytest.raises(ValueError, match="1 NaN"):
        retrieval.ranked_relevance([[0.0, np.nan]], [[1, 0]])
    with pytest.raises(ValueError, match="excluded must be"):
        retrieval.ranked_relevance([[0.0, 1.0]], [[1, 0]], [True])
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        retrieval.precision_at_k([[True]], 0)
    with pytest.raises(ValueError, match=r"got shape \(2,\)"):
        retrieval.average_precision([True, False])
    with pytest.raises(ValueError, match="between 0 and candidates"):
        retrieval.expected_average_precision(3, 2)
    with pytest.raises(ValueError, match="between 0 and candidates"):
        retrieval.expected_top_k_accuracy(3, 2, 1)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        retrieval.expected_top_k_accuracy(1, 2, 0)

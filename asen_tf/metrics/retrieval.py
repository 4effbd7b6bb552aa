"""Retrieval metrics in NumPy, one value a query.

`ranked_relevance` sorts the candidates of each query. What it returns, bool [Q, N], is `ranked` in
every other metric; those give float64 [Q] and take cut-offs k from 1. Lists may end in padding
(False), so that queries with fewer candidates share an array.
"""

import numpy as np
from numpy.typing import ArrayLike


def ranked_relevance(
    scores: ArrayLike, relevant: ArrayLike, excluded: ArrayLike | None = None
) -> np.ndarray:
    """Relevance of each query's candidates, best score first.

    Args:
      scores: [Q, N] real numbers, higher is better; equal ones keep their order.
      relevant: [Q, N] bool or 0/1.
      excluded: [Q, N] bool, candidates that do not count for that query (such as the query's own
        image). They become padding at the end of its list.

    Raises:
      ValueError: shapes differ, or a score is NaN.
    """
    scores, relevant = np.asarray(scores), np.asarray(relevant, bool)
    if scores.ndim != 2 or scores.shape != relevant.shape:
        raise ValueError(
            "scores and relevant must both be [queries, candidates], "
            f"got {scores.shape} and {relevant.shape}"
        )
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    if np.isnan(scores).any():
        raise ValueError(f"scores must be numbers, got {np.isnan(scores).sum()} NaN")
    keys = -scores
    if excluded is not None:
        excluded = np.asarray(excluded, bool)
        if excluded.shape != scores.shape:
            raise ValueError(f"excluded must be {scores.shape} like scores, got {excluded.shape}")
        keys[excluded] = np.nan  # sorts behind every number, even -inf scores
        relevant = relevant & ~excluded
    order = np.argsort(keys, axis=-1, kind="stable")
    return np.take_along_axis(relevant, order, axis=-1)


def average_precision(ranked: ArrayLike) -> np.ndarray:
    """Mean of the precisions at the relevant candidates, over the whole list; 0 without any."""
    ranked = _lists(ranked)
    hits = ranked.cumsum(-1)
    precision = hits / np.arange(1, ranked.shape[-1] + 1)
    return (precision * ranked).sum(-1) / np.maximum(ranked.sum(-1), 1)


def mean_average_precision(scores: ArrayLike, relevant: ArrayLike) -> float:
    """Mean of `average_precision` over the queries; takes what `ranked_relevance` does."""
    return float(average_precision(ranked_relevance(scores, relevant)).mean())


def precision_at_k(ranked: ArrayLike, k: int) -> np.ndarray:
    """Relevant ones among the first k, divided by k even where the list is shorter."""
    return _first(ranked, k).sum(-1) / k


def recall_at_k(ranked: ArrayLike, k: int) -> np.ndarray:
    """Share of a query's relevant candidates that stand among the first k; 0 without any."""
    return _first(ranked, k).sum(-1) / np.maximum(_lists(ranked).sum(-1), 1)


def ndcg_at_k(ranked: ArrayLike, k: int) -> np.ndarray:
    """Normalised discounted cumulative gain of the first k, with gains 0 and 1.

    Jarvelin and Kekalainen, TOIS 2002, with discount 1 / log2(rank + 1); 0 for a query without a
    relevant candidate.
    """
    first, relevant = _first(ranked, k), _lists(ranked).sum(-1)
    discounts = 1 / np.log2(np.arange(2, first.shape[-1] + 2))
    best = np.concatenate([[0.0], discounts.cumsum()])[np.minimum(relevant, len(discounts))]
    return np.divide(first @ discounts, best, out=np.zeros(len(first)), where=relevant > 0)


def top_k_accuracy(ranked: ArrayLike, k: int) -> np.ndarray:
    """1 where any of the first k is relevant, else 0."""
    return np.asarray(_first(ranked, k).any(-1), np.float64)


def triplet_accuracy(ranked: ArrayLike, candidates: ArrayLike | None = None) -> np.ndarray:
    """Share of a query's (relevant, irrelevant) pairs in the right order: the area under its ROC.

    Equal scores count as they are ranked. NaN for a query that lacks relevant or irrelevant
    candidates.

    Args:
      ranked: [Q, N] bool.
      candidates: [Q] int, how many entries of each list are no padding (default: all).
    """
    ranked = _lists(ranked)
    total = np.broadcast_to(ranked.shape[-1] if candidates is None else candidates, len(ranked))
    relevant = ranked.sum(-1)
    pairs = relevant * (total - relevant)
    rank_sum = ranked @ np.arange(ranked.shape[-1])
    wrong = rank_sum - relevant * (relevant - 1) // 2
    accuracy = np.full(len(ranked), np.nan)
    return np.subtract(1, wrong / np.maximum(pairs, 1), out=accuracy, where=pairs > 0)


def expected_average_precision(relevant: ArrayLike, candidates: ArrayLike) -> np.ndarray:
    """Expected average precision of a random order, in closed form.

    A relevant candidate stands at rank r with probability 1/N; (R-1)/(N-1) of the r-1 before it
    are then expected to be relevant. With H_N the N-th harmonic number the sum over r gives
    E[AP] = (H_N + (R-1)/(N-1) * (N - H_N)) / N.

    Args:
      relevant: number of relevant candidates R, any shape.
      candidates: number of candidates N, broadcast against `relevant`.

    Returns:
      float64 of the common shape, 0 where R = 0.

    Raises:
      ValueError: R is negative or larger than N.
    """
    relevant, total = _counts(relevant, candidates)
    longest = int(total.max(initial=0))
    harmonic = np.concatenate([[0.0], (1 / np.arange(1, longest + 1)).cumsum()])[total]
    others = (relevant - 1) / np.maximum(total - 1, 1)
    expected = (harmonic + others * (total - harmonic)) / np.maximum(total, 1)
    return np.where(relevant > 0, expected, 0.0)


def expected_top_k_accuracy(relevant: ArrayLike, candidates: ArrayLike, k: int) -> np.ndarray:
    """Chance that any of the first k of a random order is relevant, in closed form.

    Of R relevant ones among N candidates the first k miss all with the probability
    C(N - R, k) / C(N, k), the product over i < k of (N - R - i) / (N - i).

    Arguments and result are those of `expected_average_precision`; k from 1.
    """
    _check_cutoff(k)
    relevant, total = _counts(relevant, candidates)
    drawn = np.arange(k)
    missing = np.maximum((total - relevant)[..., None] - drawn, 0)
    miss = missing / np.maximum(total[..., None] - drawn, 1)
    return np.where(relevant > 0, 1 - miss.prod(-1), 0.0)


def _counts(relevant: ArrayLike, candidates: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    relevant, total = np.broadcast_arrays(np.asarray(relevant), np.asarray(candidates))
    if (relevant < 0).any() or (relevant > total).any():
        raise ValueError(
            "relevant must lie between 0 and candidates, "
            f"got relevant {relevant.tolist()} of candidates {total.tolist()}"
        )
    return relevant, total


def _lists(ranked: ArrayLike) -> np.ndarray:
    ranked = np.asarray(ranked, bool)
    if ranked.ndim != 2:
        raise ValueError(f"ranked must be [queries, candidates], got shape {ranked.shape}")
    return ranked


def _first(ranked: ArrayLike, k: int) -> np.ndarray:
    _check_cutoff(k)
    return _lists(ranked)[:, :k]


def _check_cutoff(k: int) -> None:
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")

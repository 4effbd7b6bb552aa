"""Measures rankings of candidates, query by query, and sums them up."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from asen_tf.core.choices import IMAGE, PRODUCT
from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.tasks import RetrievalTask
from asen_tf.metrics import retrieval

BYTES_A_SCORE = 48  # score, sort key, order, relevance and the metrics' intermediate arrays
CACHED_BYTES = 16 << 20  # more at a time takes longer, for it leaves the processor's caches

PerQuery = dict[str, np.ndarray]
Rank = Callable[[int, slice, np.ndarray, np.ndarray], Iterator[tuple[str, np.ndarray]]]


def measure(
    tasks: Sequence[RetrievalTask],
    rank: Rank,
    ks: Sequence[int],
    progress: type[Progress],
    memory_limit_bytes: int = CACHED_BYTES,
) -> dict[str, list[PerQuery]]:
    """Ranks the candidates of all queries, some queries at a time, and measures the rankings.

    Args:
      tasks: who is searched for and among whom.
      rank: (number of the task, slice of its queries [q], relevant bool [q, N], excluded bool
        [q, N]) -> variants of the ranking: name and relevance of the candidates, best first, bool
        [q, N], as `metrics.retrieval.ranked_relevance` gives it. Every call names the same ones.
      ks: cut-offs of the metrics that have one.
      progress: what says how it goes, counting queries.
      memory_limit_bytes: what ranking may take, but for a query whose candidates alone take more.

    Returns:
      Variant -> for each task the metrics of each of its queries.
    """
    per_query: dict[str, list[PerQuery]] = {}
    with progress("ranking", sum(len(task.queries) for task in tasks), "queries") as meter:
        for number, task in enumerate(tasks):
            found: dict[str, list[PerQuery]] = {}
            for chunk in _chunks(task, memory_limit_bytes):
                relevant, excluded = task.relevant(chunk), task.excluded(chunk)
                candidates = (~excluded).sum(-1)
                for name, ranked in rank(number, chunk, relevant, excluded):
                    found.setdefault(name, []).append(_metrics(ranked, candidates, ks))
                meter.update(len(candidates))
            for name, of_chunks in found.items():
                per_query.setdefault(name, []).append(_joined(of_chunks))
    return per_query


def summaries(
    manifest: Manifest,
    split: str,
    relevance: str,
    tasks: Sequence[RetrievalTask],
    skipped: Sequence[str],
    per_query: Mapping[str, Sequence[PerQuery]],
) -> dict[str, dict]:
    """Variant -> the layout that `Evaluator.evaluate` describes."""
    same = IMAGE if manifest.products is None else PRODUCT
    about = {"split": split, "relevance": relevance, "exclude_same": same}
    return {
        name: {**about, **_summary(manifest, tasks, metrics), "skipped": list(skipped)}
        for name, metrics in per_query.items()
    }


def differences(per_query: Mapping[str, Sequence[PerQuery]], top: str) -> dict[str, dict]:
    """How far the variant `top` is ahead of each other variant on the same queries.

    Returns:
      Variant -> `map`, the mean over all queries of the difference of their average precisions, and
      `standard_error`, that of this mean, None for a single query.
    """
    found = {}
    precisions = {name: _joined(tasks)["map"] for name, tasks in per_query.items()}
    for name in filter(top.__ne__, precisions):
        ahead = precisions[top] - precisions[name]
        error = ahead.std(ddof=1) / len(ahead) ** 0.5 if len(ahead) > 1 else None
        found[name] = {"map": float(ahead.mean()), "standard_error": error and float(error)}
    return found


def _chunks(task: RetrievalTask, memory_limit_bytes: int) -> list[slice]:
    """Runs of queries whose scores fit in the memory meant for them."""
    allowed = min(memory_limit_bytes, CACHED_BYTES)
    size = max(1, allowed // (BYTES_A_SCORE * len(task.candidates)))
    return [slice(begin, begin + size) for begin in range(0, len(task.queries), size)]


def _metrics(ranked: np.ndarray, candidates: np.ndarray, ks: Sequence[int]) -> PerQuery:
    relevant = ranked.sum(-1)
    metrics = {
        "relevant": relevant,
        "map": retrieval.average_precision(ranked),
        "random_map": retrieval.expected_average_precision(relevant, candidates),
        "triplet_accuracy": retrieval.triplet_accuracy(ranked, candidates),
    }
    for name, function in (
        ("precision", retrieval.precision_at_k),
        ("recall", retrieval.recall_at_k),
        ("ndcg", retrieval.ndcg_at_k),
        ("top_accuracy", retrieval.top_k_accuracy),
    ):
        metrics |= {f"{name}@{k}": function(ranked, k) for k in ks}
    return metrics


def _joined(chunks: Sequence[PerQuery]) -> PerQuery:
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _summary(
    manifest: Manifest, tasks: Sequence[RetrievalTask], per_query: Sequence[PerQuery]
) -> dict:
    attributes = {
        manifest.space.names[task.attribute]: {
            "queries": len(task.queries),
            "candidates": len(task.candidates),
            **{name: _mean(values) for name, values in metrics.items()},
        }
        for task, metrics in zip(tasks, per_query, strict=True)
    }
    result = {"queries": sum(len(task.queries) for task in tasks)}
    for name, values in _joined(per_query).items():
        result[name] = _mean(values)
        result[f"{name}_macro"] = _mean([row[name] for row in attributes.values()])
    return {**result, "attributes": attributes}


def _mean(values: Sequence[float | None] | np.ndarray) -> float | None:
    """The mean of those that are defined, None where none is."""
    values = np.asarray(values, np.float64)
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else None

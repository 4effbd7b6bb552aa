"""Retrieval quality of embeddings, by the papers' protocol."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.pairs import Canvases, checked, pair_batches, with_canvases
from asen_tf.evaluation.storage import Allocate, float_arrays
from asen_tf.evaluation.tasks import RetrievalTask, retrieval_tasks
from asen_tf.metrics import retrieval

WHOLE = "embedding"
BYTES_A_SCORE = 48  # score, sort key, order, relevance and the metrics' intermediate arrays

EmbedFn = Callable[[np.ndarray, np.ndarray], np.ndarray]
PerQuery = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """Ranks the candidates of every query, attribute by attribute, and measures the ranking.

    Every query ranks all candidates of its attribute by dot product, equal scores by row; a
    candidate is relevant if it shares a value with the query. An image is never its own candidate.
    Average precision runs over the whole list, and queries without a relevant candidate count 0
    (Ma et al., AAAI 2020; Dong et al., TIP 2021).

    Attributes:
      embed_fn: (images uint8 [B, S, S, 3], attributes int32 [B, M]) -> [B, M, D], the embeddings of
        each image for its M attributes. B and M are the same at every call.
      batch_size: images a call.
      ks: cut-offs of precision, recall, nDCG and top-k accuracy.
      memory_limit_bytes: embeddings that take more go to a temporary file; ranking takes up to a
        quarter of it besides.
      scratch_folder: where that file goes (default: the system's temporary folder).
      progress: what says how it goes, first counting images, then queries.
    """

    embed_fn: EmbedFn
    batch_size: int = 32
    ks: Sequence[int] = (1, 5, 10, 20)
    memory_limit_bytes: int = 2 << 30
    scratch_folder: str | None = None
    progress: type[Progress] = Progress

    def __post_init__(self) -> None:
        for name, numbers in (("batch_size", [self.batch_size]), ("ks", self.ks)):
            if any(number < 1 for number in numbers):
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")

    def evaluate(
        self,
        manifest: Manifest,
        split: str,
        canvases: Canvases,
        variants: Mapping[str, slice] | None = None,
    ) -> dict:
        """Evaluates one split; each image is embedded once.

        Args:
          manifest: says who is a query and who a candidate of which attribute.
          split: "train", "valid" or "test".
          canvases: manifest rows int64 [B] -> images uint8 [B, S, S, 3]. Runs in another thread.
          variants: name -> part of the embeddings' last axis that is to be measured by itself.

        Returns:
          A dict ready for JSON. `split`; `attributes`: name -> `queries`, `candidates` and the
          metrics `map`, `random_map` (expected for a random order), `triplet_accuracy` (None where
          no query has relevant and irrelevant candidates), `precision@k`, `recall@k`, `ndcg@k` and
          `top_accuracy@k`; on top, each metric's mean over all queries under its own name and its
          plain mean over the attributes under `<name>_macro`, and the sum of the queries;
          `skipped`: attributes without queries or candidates. With variants also `variants`:
          name -> the same layout, and `variant`: the one on top, which is the first that takes the
          whole embedding, else the first.

        Raises:
          ValueError: unknown split, no attribute with queries and candidates, a variant that takes
            nothing, or embeddings of another shape or with numbers that are not finite.
          OSError: no room for the temporary file.
        """
        if variants is not None and not variants:
            raise ValueError("variants must name at least one part of the embedding, got none")
        tasks, skipped = retrieval_tasks(manifest, split)
        parts = variants or {WHOLE: slice(None)}
        with float_arrays(self.memory_limit_bytes, self.scratch_folder) as allocate:
            embeddings = self._embed(tasks, canvases, parts, allocate)
            per_query = self._rank(tasks, embeddings, parts)
            dimension = embeddings.shape[1]
        results = {
            name: _result(manifest, split, tasks, skipped, per_query[name]) for name in parts
        }
        if variants is None:
            return results[WHOLE]
        top = _top_variant(parts, dimension)
        return {"variant": top, **results[top], "variants": results}

    def _embed(
        self,
        tasks: Sequence[RetrievalTask],
        canvases: Canvases,
        parts: Mapping[str, slice],
        allocate: Allocate,
    ) -> np.ndarray:
        """[P, D], the images of each task after those of the task before."""
        images = np.concatenate([task.images for task in tasks])
        attributes = np.concatenate([np.full(len(t.images), t.attribute) for t in tasks])
        embeddings = None
        batches = pair_batches(images, attributes, self.batch_size)
        for batch, loaded in with_canvases(batches, canvases, self.progress):
            found = checked(
                self.embed_fn(loaded, batch.attributes),
                (*batch.attributes.shape, None if embeddings is None else embeddings.shape[1]),
                "embed_fn's result",
            )
            if embeddings is None:
                _check_parts(parts, found.shape[-1])
                embeddings = allocate(len(images), found.shape[-1])
            embeddings[batch.pairs] = found[batch.image_of_pair, batch.slot_of_pair]
        return embeddings

    def _rank(
        self,
        tasks: Sequence[RetrievalTask],
        embeddings: np.ndarray,
        parts: Mapping[str, slice],
    ) -> dict[str, list[PerQuery]]:
        """Variant -> for each task the metrics of each of its queries."""
        total, start = sum(len(task.queries) for task in tasks), 0
        per_query = {name: [] for name in parts}
        with self.progress("ranking", total, "queries") as meter:
            for task in tasks:
                own = embeddings[start : start + len(task.images)]
                start += len(task.images)
                found = {name: [] for name in parts}
                for chunk in self._chunks(task):
                    for name, metrics in self._rank_chunk(task, own, chunk, parts).items():
                        found[name].append(metrics)
                    meter.add(len(task.queries[chunk]))
                for name, chunks in found.items():
                    per_query[name].append(_joined(chunks))
        return per_query

    def _chunks(self, task: RetrievalTask) -> list[slice]:
        """Runs of queries whose scores fit in the memory meant for them."""
        size = max(1, self.memory_limit_bytes // 4 // (BYTES_A_SCORE * len(task.candidates)))
        return [slice(begin, begin + size) for begin in range(0, len(task.queries), size)]

    def _rank_chunk(
        self,
        task: RetrievalTask,
        embeddings: np.ndarray,
        chunk: slice,
        parts: Mapping[str, slice],
    ) -> dict[str, PerQuery]:
        relevant, excluded = task.relevant(chunk), task.own_image(chunk)
        queries = embeddings[task.query_positions[chunk]]
        candidates = embeddings[: len(task.candidates)]
        metrics = {}
        for name, part in parts.items():
            scores = queries[:, part] @ candidates[:, part].T
            ranked = retrieval.ranked_relevance(scores, relevant, excluded)
            metrics[name] = self._metrics(ranked, (~excluded).sum(-1))
        return metrics

    def _metrics(self, ranked: np.ndarray, candidates: np.ndarray) -> PerQuery:
        metrics = {
            "map": retrieval.average_precision(ranked),
            "random_map": retrieval.expected_average_precision(ranked.sum(-1), candidates),
            "triplet_accuracy": retrieval.triplet_accuracy(ranked, candidates),
        }
        for name, function in (
            ("precision", retrieval.precision_at_k),
            ("recall", retrieval.recall_at_k),
            ("ndcg", retrieval.ndcg_at_k),
            ("top_accuracy", retrieval.top_k_accuracy),
        ):
            metrics |= {f"{name}@{k}": function(ranked, k) for k in self.ks}
        return metrics


def _check_parts(parts: Mapping[str, slice], dimension: int) -> None:
    for name, part in parts.items():
        if not len(range(*part.indices(dimension))):
            raise ValueError(
                f"variant {name!r} takes {part} of embeddings of dimension {dimension}, "
                "which is nothing"
            )


def _top_variant(parts: Mapping[str, slice], dimension: int) -> str:
    whole = [name for name, p in parts.items() if p.indices(dimension) == (0, dimension, 1)]
    return whole[0] if whole else next(iter(parts))


def _joined(chunks: Sequence[PerQuery]) -> PerQuery:
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _result(
    manifest: Manifest,
    split: str,
    tasks: Sequence[RetrievalTask],
    skipped: Sequence[str],
    per_query: Sequence[PerQuery],
) -> dict:
    attributes = {
        manifest.space.names[task.attribute]: {
            "queries": len(task.queries),
            "candidates": len(task.candidates),
            **{name: _mean(values) for name, values in metrics.items()},
        }
        for task, metrics in zip(tasks, per_query, strict=True)
    }
    result = {"split": split, "queries": sum(len(task.queries) for task in tasks)}
    for name, values in _joined(per_query).items():
        result[name] = _mean(values)
        result[f"{name}_macro"] = _mean([row[name] for row in attributes.values()])
    return {**result, "attributes": attributes, "skipped": list(skipped)}


def _mean(values: Sequence[float | None] | np.ndarray) -> float | None:
    """The mean of those that are defined, None where none is."""
    values = np.asarray(values, np.float64)
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else None

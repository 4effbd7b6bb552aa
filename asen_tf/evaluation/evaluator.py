"""Retrieval quality of embeddings, by the papers' protocol."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.pairs import HELD_BYTES, EmbedFn, ImageLoader, embed_pairs
from asen_tf.evaluation.rankings import PerQuery, differences, measure, summaries
from asen_tf.evaluation.storage import FloatArrays, float_arrays
from asen_tf.evaluation.tasks import OFFICIAL, RetrievalTask, checked_relevance, retrieval_tasks
from asen_tf.metrics import retrieval

WHOLE = "embedding"


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """Ranks the candidates of every query, attribute by attribute, and measures the ranking.

    Every query ranks all candidates of its attribute by dot product, equal scores by row; a
    candidate is relevant if it shares a value with the query. An image is never its own candidate,
    nor is another of its product, where the manifest knows products.
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
      relevance: which values of an image count, see `core.choices.RELEVANCE`.
      progress: what says how it goes, first counting images, then queries.
    """

    embed_fn: EmbedFn
    batch_size: int = 32
    ks: Sequence[int] = (1, 5, 10, 20)
    memory_limit_bytes: int = 2 << 30
    scratch_folder: str | None = None
    relevance: str = OFFICIAL
    progress: type[Progress] = Progress

    def __post_init__(self) -> None:
        for name, numbers in (("batch_size", [self.batch_size]), ("ks", self.ks)):
            if any(number < 1 for number in numbers):
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        checked_relevance(self.relevance)

    def evaluate(
        self,
        manifest: Manifest,
        split: str,
        load_images: ImageLoader,
        slices: Mapping[str, slice] | None = None,
    ) -> dict:
        """Evaluates one split; each image is embedded once.

        Args:
          manifest: says who is a query and who a candidate of which attribute.
          split: "train", "valid" or "test".
          load_images: manifest rows int64 [B] -> images uint8 [B, S, S, 3]. Runs in another thread.
          slices: name -> slice of the embeddings' last axis that is to be measured by itself.

        Returns:
          A dict ready for JSON. `split`; `relevance`; `exclude_same`, see
          `core.choices.EXCLUDED_SAME`; `attributes`: name -> `queries`, `candidates` and means over
          the queries: `relevant` (how many candidates are), `map`, `random_map` (expected for a
          random order), `triplet_accuracy` (None where no query has relevant and irrelevant
          candidates), `precision@k`, `recall@k`, `ndcg@k` and `top_accuracy@k`; on top, the mean of
          each over all queries under its own name and its plain mean over the attributes under
          `<name>_macro`, and the sum of the queries; `skipped`: attributes of which nothing is
          measured, see `retrieval_tasks`. With slices also `variants`: name -> the same layout;
          `variant`: the one on top, which is the first that takes the whole embedding, else the
          first; and `differences`: see `rankings.differences`.

        Raises:
          ValueError: unknown split, no attribute with queries and candidates, a slice that takes
            nothing, or embeddings of another shape or with numbers that are not finite.
          OSError: no room for the temporary file.
        """
        if slices is not None and not slices:
            raise ValueError("slices must name at least one slice of the embedding, got none")
        tasks, skipped = retrieval_tasks(manifest, split, self.relevance)
        measured = slices or {WHOLE: slice(None)}
        with float_arrays(self.memory_limit_bytes, self.scratch_folder) as arrays:
            images = np.concatenate([task.images for task in tasks])
            attributes = np.concatenate([np.full(len(t.images), t.attribute) for t in tasks])
            run = load_images, self.batch_size, self.progress
            embeddings = embed_pairs(self.embed_fn, images, attributes, *run, arrays)
            dimension = embeddings.shape[1]
            _check_slices(measured, dimension)
            per_query = self._rank(tasks, embeddings, measured, arrays)
        results = summaries(manifest, split, self.relevance, tasks, skipped, per_query)
        if slices is None:
            return results[WHOLE]
        top = _top_slice(measured, dimension)
        ahead = differences(per_query, top)
        return {"variant": top, **results[top], "variants": results, "differences": ahead}

    def _rank(
        self,
        tasks: Sequence[RetrievalTask],
        embeddings: np.ndarray,
        slices: Mapping[str, slice],
        arrays: FloatArrays,
    ) -> dict[str, list[PerQuery]]:
        """Slice -> for each task the metrics of each of its queries.

        Args:
          tasks: whose images' embeddings stand one task after the other.
        """
        own = np.split(embeddings, np.cumsum([len(task.images) for task in tasks])[:-1])
        memory = self.memory_limit_bytes // 8
        block_bytes = min(memory, HELD_BYTES) // len(slices)
        blocks: dict[int, dict[str, _ScoreBlock]] = {}

        def blocks_of(number: int) -> dict[str, _ScoreBlock]:
            if number not in blocks:
                blocks.clear()
                arrays.release()
                task, vectors = tasks[number], own[number]
                blocks[number] = {
                    name: _ScoreBlock(
                        vectors[:, its], task.query_positions, len(task.candidates), block_bytes
                    )
                    for name, its in slices.items()
                }
            return blocks[number]

        def rank(
            number: int, chunk: slice, relevant: np.ndarray, excluded: np.ndarray
        ) -> Iterator[tuple[str, np.ndarray]]:
            for name, block in blocks_of(number).items():
                yield name, retrieval.ranked_relevance(block.scores(chunk), relevant, excluded)

        return measure(tasks, rank, self.ks, self.progress, memory)


class _ScoreBlock:
    """Scores of runs of queries against all candidates, computed for many queries at once.

    Args:
      vectors: [P, d], the candidates and then further images.
      query_positions: [Q] rows of the queries.
      candidates: how many of the rows are candidates.
      memory_bytes: what the scores may take, but for a run that takes more.
    """

    def __init__(
        self, vectors: np.ndarray, query_positions: np.ndarray, candidates: int, memory_bytes: int
    ):
        self._vectors = vectors
        self._queries = query_positions
        self._candidates = candidates
        self._size = memory_bytes // (4 * candidates)
        self._begin = self._end = 0

    def scores(self, chunk: slice) -> np.ndarray:
        """[q, N] of the queries begin .. end - 1; chunks come in their order."""
        begin, end = chunk.start, min(chunk.stop, len(self._queries))
        if end > self._end:
            self._begin, self._end = begin, max(end, begin + self._size)
            queries = self._vectors[self._queries[begin : self._end]]
            self._scores = queries @ self._vectors[: self._candidates].T
        return self._scores[begin - self._begin : end - self._begin]


def _check_slices(slices: Mapping[str, slice], dimension: int) -> None:
    for name, its in slices.items():
        if not len(range(*its.indices(dimension))):
            raise ValueError(
                f"slice {name!r} takes nothing of embeddings of dimension {dimension}: {its}"
            )


def _top_slice(slices: Mapping[str, slice], dimension: int) -> str:
    whole = [name for name, p in slices.items() if p.indices(dimension) == (0, dimension, 1)]
    return whole[0] if whole else next(iter(slices))

"""Top-k retrieval accuracy, with the query as it is and changed (Ak et al., WACV 2018)."""

from collections.abc import Callable, Sequence

import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.data.label_sets import LabelSets
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.pairs import EmbedFn, ImageLoader, checked, embed_pairs
from asen_tf.evaluation.prototypes import value_means
from asen_tf.evaluation.searches import Searches, drawn, possible, with_target
from asen_tf.evaluation.storage import float_arrays
from asen_tf.metrics import retrieval

KINDS = ("direct", "one_change", "two_changes")  # by the number of attributes that change

_BYTES_A_SCORE = 24  # score, who is a target, and what compares with the best of them

# Vectors [R, D], attributes [R, C] and wanted values [R, C], within their attributes -> [R, D].
ChangeFn = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def evaluate_manipulation(
    embed_fn: EmbedFn,
    manifest: Manifest,
    split: str,
    load_images: ImageLoader,
    special: Sequence[str] = (),
    ks: Sequence[int] = (1, 5, 10, 20),
    change_fn: ChangeFn | None = None,
    batch_size: int = 32,
    most: int = 20_000,
    seed: int = 0,
    memory_limit_bytes: int = 2 << 30,
    progress: type[Progress] = Progress,
) -> dict:
    """How often one of the first k found has exactly the wanted labels.

    The items are the photographs of a split that are labelled for all special attributes; each
    is a query, and all others are its candidates. Searched is for the query's own labels
    ("direct"), and for those with every other value of one attribute, or of two, in their place.
    A search hits where one of the first k candidates has exactly the wanted values in all special
    attributes. Searches without any such candidate are left out and counted.

    A query is the concatenation of its unit vectors for the special attributes, compared by dot
    product; a change replaces the attribute's vector by the value's prototype, the mean of the
    vectors of the train split's images of that value, at unit length, so that it counts as much
    as the others (a value that no such image has gets the vector 0). Equal scores rank by row.

    Args:
      embed_fn, split, batch_size, progress: see `Evaluator`.
      manifest: the photographs and their labels; roles do not matter.
      load_images: see `Evaluator`; of that split and of train.
      special: names of the attributes; (): all.
      ks: how many candidates count.
      change_fn: how a model that manipulates by itself changes its one embedding of an image (see
        `EmbeddingModel.change`); then there are no prototypes, and embed_fn embeds for the first
        special attribute only.
      most: searches of each kind; where there are more, so many are drawn evenly.
      seed: of that draw.
      memory_limit_bytes: vectors that take more go to a temporary file; scoring takes up to a
        quarter of it besides.

    Returns:
      A dict ready for JSON. `split`; `special`, names; `items`; `left_out`, images that lack a
      label; `ks`; and for each of `KINDS` that the number of attributes allows: `searches` that
      have a target, `without_target`, `measured`, `targets` (their mean number), `top_accuracy@k`
      and `random_top_accuracy@k` (expected for a random order), None where nothing was measured;
      for "one_change" also `attributes`: name -> `measured` and the accuracies.

    Raises:
      ValueError: an unknown split or attribute, no item, a k or `most` below 1, or vectors of
        another shape or with numbers that are not finite.
    """
    if min([most, *ks]) < 1:
        raise ValueError(f"ks and most must be 1 or more, got {tuple(ks)} and {most}")
    items = LabelSets.of_split(manifest, split, special)
    if change_fn is None:
        names = [manifest.space.names[a] for a in items.attributes]
        means = value_means(embed_fn, manifest, load_images, names, "train", batch_size, progress)
        change_fn = _replacing(means, items, manifest.space.offsets)
        attributes = items.attributes
    else:
        attributes = items.attributes[:1]
    with float_arrays(memory_limit_bytes) as arrays:
        images = np.repeat(items.rows, len(attributes))
        pairs = images, np.tile(attributes, len(items.rows))
        vectors = embed_pairs(embed_fn, *pairs, load_images, batch_size, progress, arrays)
        vectors = vectors.reshape(len(items.rows), -1)
        groups = items.groups()
        rank = _Ranker(items, groups, vectors, change_fn, memory_limit_bytes // 4, progress)
        result = {
            "split": split,
            "special": [manifest.space.names[a] for a in items.attributes],
            "items": len(items.rows),
            "left_out": items.left_out,
            "ks": list(ks),
        }
        for changes, kind in enumerate(KINDS[: len(items.attributes) + 1]):
            total = sum(len(some.queries) for some in with_target(items, groups, changes))
            searches = drawn(with_target(items, groups, changes), total, most, seed=(seed, changes))
            result[kind] = {
                "searches": total,
                "without_target": possible(items, changes) - total,
                **_summary(manifest, items, groups, searches, changes, rank(searches), ks),
            }
    return result


def _replacing(means: np.ndarray, items: LabelSets, offsets: Sequence[int]) -> ChangeFn:
    """Puts the prototypes of wanted values in the place of the attributes' vectors."""
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    prototypes = means / np.where(lengths > 0, lengths, 1)
    place = np.full(len(offsets) - 1, -1)
    place[items.attributes] = np.arange(len(items.attributes))

    def change(vectors, attributes, values):
        changed = vectors.reshape(len(vectors), len(items.attributes), -1).copy()
        rows = np.arange(len(vectors))[:, None]
        changed[rows, place[attributes]] = prototypes[np.asarray(offsets)[attributes] + values]
        return changed.reshape(vectors.shape)

    return change


class _Ranker:
    """Says where the first target of a search stands among items with vectors [N, D]."""

    def __init__(self, items, groups, vectors, change_fn, memory_limit_bytes, progress):
        self._items, self._groups = items, groups
        self._vectors, self._change = vectors, change_fn
        bytes_a_search = vectors.shape[1] * 12 + len(vectors) * _BYTES_A_SCORE
        self._at_a_time = max(1, memory_limit_bytes // bytes_a_search)
        self._progress = progress

    def __call__(self, searches: Searches) -> np.ndarray:
        """Candidates that rank before the best target, int64 [R]."""
        ranks = [np.empty(0, np.int64)]
        with self._progress("searching", len(searches.queries), "searches") as meter:
            for start in range(0, len(searches.queries), self._at_a_time):
                chunk = slice(start, start + self._at_a_time)
                some = Searches(*(column[chunk] for column in searches))
                ranks.append(self._of_some(some))
                meter.update(len(some.queries))
        return np.concatenate(ranks)

    def _of_some(self, searches):
        scores = self._wanted_vectors(searches) @ self._vectors.T
        own = np.arange(len(searches.queries)), searches.queries
        scores[own] = -np.inf
        targets = self._groups.numbers == searches.wanted[:, None]
        targets[own] = False
        best = np.where(targets, scores, -np.inf).max(1, keepdims=True)
        equal = scores == best
        first = (targets & equal).argmax(1)[:, None]
        before = (scores > best) | (equal & (np.arange(scores.shape[1]) < first))
        return before.sum(1)

    def _wanted_vectors(self, searches):
        vectors = self._vectors[searches.queries]
        given, wanted = self._items.sets[searches.queries], self._groups.sets[searches.wanted]
        row, place = np.nonzero(given != wanted)
        if not len(row):
            return vectors
        shape = (len(vectors), -1)
        changed = self._change(
            vectors,
            self._items.attributes[place].reshape(shape),
            wanted[row, place].reshape(shape),
        )
        return checked(changed, vectors.shape, "change_fn's result")


def _summary(manifest, items, groups, searches, changes, rank, ks) -> dict:
    """The numbers of the searches, and where one attribute changes, of each that does."""
    # Of its own group the query itself is no target.
    targets = groups.counts[searches.wanted] - (changes == 0)
    candidates = len(items.rows) - 1
    result = _accuracies(rank, targets, candidates, ks)
    if changes == 1:
        differ = items.sets[searches.queries] != groups.sets[searches.wanted]
        result["attributes"] = {
            manifest.space.names[attribute]: _accuracies(rank[own], targets[own], candidates, ks)
            for attribute, own in zip(items.attributes, differ.T, strict=True)
        }
    return result


def _accuracies(rank: np.ndarray, targets: np.ndarray, candidates: int, ks: Sequence[int]) -> dict:
    result = {"measured": len(rank), "targets": _mean(targets)}
    for k in ks:
        result[f"top_accuracy@{k}"] = _mean(rank < k)
        random = retrieval.expected_top_k_accuracy(targets, candidates, k)
        result[f"random_top_accuracy@{k}"] = _mean(random)
    return result


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None

"""Top-k retrieval accuracy, with the query as it is and changed (Ak et al., WACV 2018)."""

from collections.abc import Sequence

import numpy as np

from asen_client.core.errors import check_names
from asen_tf.core.choices import CHANGES, DRAWN
from asen_tf.core.progress import Progress
from asen_tf.data.label_sets import LabelSets
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation import changes as changing
from asen_tf.evaluation import searches as searching
from asen_tf.evaluation.changes import ChangeFn
from asen_tf.evaluation.first_targets import FirstTargets
from asen_tf.evaluation.pairs import EmbedFn, ImageLoader
from asen_tf.evaluation.recognition import PredictFn
from asen_tf.evaluation.searches import Pool, Searches
from asen_tf.evaluation.storage import float_arrays
from asen_tf.metrics import retrieval

KINDS = ("direct", "one_change", "two_changes")  # by the number of attributes that change
CURVE = 50  # the last k of a curve


def evaluate_manipulation(
    embed_fn: EmbedFn,
    manifest: Manifest,
    split: str,
    load_images: ImageLoader,
    special: Sequence[str] = (),
    ks: Sequence[int] = (1, 5, 10, 20),
    change_fn: ChangeFn | None = None,
    batch_size: int = 32,
    predict_fn: PredictFn | None = None,
    changes: str = DRAWN,
    most: int = 20_000,
    seed: int = 0,
    memory_limit_bytes: int = 2 << 30,
    progress: type[Progress] = Progress,
) -> dict:
    """How often one of the first k found has exactly the wanted labels.

    The items are the photographs of a split that are labelled for all special attributes. Searched
    is for a query's own labels ("direct"), and for those with another value of one attribute, or of
    two, in their place. A search hits where one of the first k of the gallery has exactly the
    wanted values in all special attributes. Searches without any such photograph are left out and
    counted.

    With `changes` "drawn" it is the paper's draw: one search of each kind for each query, of random
    attributes and values. Queries and gallery are those that the roles of the data tell apart;
    where they do not, each item searches among all others. With "every", each item does, and all
    changes are searched for.

    The nearest is found by equation 4, the sum of the Euclidean distances of unit vectors: one for
    each special attribute, and one for all others where these share one. A change replaces the
    attribute's vector by the value's prototype, the mean of the vectors of the train split's images
    of that value, at unit length (0 where there is no such image). If all attributes have the same
    vector, it is moved instead from the mean of the value that the query is recognised to show, to
    that of the wanted one. Equal distances rank by row.

    Args:
      embed_fn, split, batch_size, progress: see `Evaluator`.
      manifest: the photographs, their labels and roles.
      load_images: see `Evaluator`; of that split and of train.
      special: names of the attributes; (): all.
      ks: how many of the gallery count.
      change_fn: how a model that manipulates by itself changes its one embedding of an image (see
        `EmbeddingModel.change`); then there are no prototypes, and embed_fn embeds for the first
        special attribute only.
      predict_fn: says which values a query shows, where all attributes have the same vector (see
        `evaluate_recognition`); None: the nearest prototype does.
      changes: of `core.choices.CHANGES`.
      most: with "every", searches of each kind; where there are more, so many are drawn evenly.
      seed: of the draws.
      memory_limit_bytes: vectors that take more go to a temporary file; scoring takes up to a
        quarter of it besides.

    Returns:
      A dict ready for JSON. `split`; `changes`; `special`, names; `items`; `left_out`, images that
      lack a label; `queries` and `gallery`, how many; `ks`; and for each of `KINDS` that the number
      of attributes allows: `searches` that have a target, `without_target`, `measured`, `targets`
      (their mean number), `top_accuracy@k` and `random_top_accuracy@k` (expected for a random
      order), None where nothing was measured, and `curve` and `random_curve`, these for each k from
      1 to `CURVE`, [] where nothing was measured; for "one_change" also `attributes`: name ->
      `measured`, the accuracies and the curves.

    Raises:
      ValueError: an unknown split or attribute, no item, a k or `most` below 1, or vectors of
        another shape or with numbers that are not finite.
    """
    pool = _pool(manifest, split, special, ks, changes, most)
    items = pool.items
    given = embed_fn, manifest, items, load_images, change_fn, predict_fn
    with float_arrays(memory_limit_bytes) as arrays:
        vectors, change = changing.represented(*given, batch_size, progress, arrays)
        limit = memory_limit_bytes // 4
        rank = FirstTargets(items, pool.groups, pool.gallery, vectors, change, limit, progress)
        return _result(manifest, split, pool, ks, changes, most, seed, rank)


def random_manipulation(
    manifest: Manifest,
    split: str,
    special: Sequence[str] = (),
    ks: Sequence[int] = (1, 5, 10, 20),
    changes: str = DRAWN,
    most: int = 20_000,
    seed: int = 0,
) -> dict:
    """What a random order is expected to score in `evaluate_manipulation`; opens no image.

    Arguments and result are those of `evaluate_manipulation`; the accuracies are the random ones.
    """
    pool = _pool(manifest, split, special, ks, changes, most)
    return _result(manifest, split, pool, ks, changes, most, seed, None)


def _pool(manifest, split, special, ks, changes, most) -> Pool:
    check_names("changes", [changes], CHANGES)
    if min([most, *ks]) < 1:
        raise ValueError(f"ks and most must be 1 or more, got {tuple(ks)} and {most}")
    items = LabelSets.of_split(manifest, split, special)
    return Pool.of_roles(items, manifest) if changes == DRAWN else Pool.of_all(items)


def _result(manifest, split, pool, ks, changes, most, seed, rank) -> dict:
    """What the searches of a pool score; `rank` None: in random order."""
    items, names = pool.items, manifest.space.names
    result = {
        "split": split,
        "changes": changes,
        "special": [names[a] for a in items.attributes],
        "items": len(items.rows),
        "left_out": items.left_out,
        "queries": int(pool.queries.sum()),
        "gallery": int(pool.gallery.sum()),
        "ks": list(ks),
    }
    for count, kind in enumerate(KINDS[: len(items.attributes) + 1]):
        if changes == DRAWN:
            searches, without = searching.drawn(pool, count, (seed, count))
            total = len(searches.queries)
        else:
            searches, total, without = searching.every(pool, count, most, (seed, count))
        found = _Found(pool, searches, rank and rank(searches))
        result[kind] = {"searches": total, "without_target": without, **found.all(ks)}
        if count == 1:
            result[kind]["attributes"] = {
                names[attribute]: found.where(own).all(ks)
                for attribute, own in zip(items.attributes, found.changed, strict=True)
            }
    return result


class _Found:
    """Searches, and how many of the gallery rank before the best target of each; None: unknown."""

    def __init__(self, pool: Pool, searches: Searches, ranks: np.ndarray | None):
        self._pool, self._searches, self._ranks = pool, searches, ranks
        self._targets, self._candidates = pool.targets(searches), pool.candidates(searches)

    @property
    def changed(self) -> np.ndarray:
        """bool [S, R]: in which special attributes what is wanted differs from the query."""
        given = self._pool.items.sets[self._searches.queries]
        return (given != self._pool.groups.sets[self._searches.wanted]).T

    def where(self, chosen: np.ndarray) -> "_Found":
        searches = Searches(*(column[chosen] for column in self._searches))
        return _Found(self._pool, searches, None if self._ranks is None else self._ranks[chosen])

    def all(self, ks: Sequence[int]) -> dict:
        measured = len(self._targets)
        result = {"measured": measured, "targets": _mean(self._targets)}
        for k in ks:
            result[f"top_accuracy@{k}"] = _mean(self._hits(k))
            result[f"random_top_accuracy@{k}"] = _mean(self._random(k))
        every = range(1, CURVE + 1) if measured else ()
        result["curve"] = [_mean(self._hits(k)) for k in every]
        return result | {"random_curve": [_mean(self._random(k)) for k in every]}

    def _hits(self, k: int) -> np.ndarray:
        return self._random(k) if self._ranks is None else self._ranks < k

    def _random(self, k: int) -> np.ndarray:
        pairs = np.stack([self._targets, self._candidates])
        (targets, candidates), place = np.unique(pairs, axis=1, return_inverse=True)
        return retrieval.expected_top_k_accuracy(targets, candidates, k)[place.ravel()]


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None

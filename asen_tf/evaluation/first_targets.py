"""Where the best target of a search stands, by the distances of Ak et al. (WACV 2018)."""

import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.data.label_sets import Groups, LabelSets
from asen_tf.evaluation.changes import Change
from asen_tf.evaluation.searches import Searches

_BYTES_A_DISTANCE = 32  # their sum, one, who is a target, and what compares with the best of them


def distances(
    wanted: np.ndarray, vectors: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Equation 4: the sum of the Euclidean distances of the vectors in the same place.

    Args:
      wanted: float32 [R, v, D].
      vectors: float32 [N, v, D].
      weights: [v], those of equation 6; None: all are 1.

    Returns:
      float32 [R, N].
    """
    total = np.zeros((len(wanted), len(vectors)), np.float32)
    for place in range(vectors.shape[1]):
        own, other = wanted[:, place], vectors[:, place]
        squares = (own**2).sum(1)[:, None] + (other**2).sum(1) - 2 * (own @ other.T)
        weight = np.float32(1 if weights is None else weights[place])
        total += weight * np.sqrt(np.maximum(squares, 0))
    return total


class FirstTargets:
    """Ranks the gallery for searches, as many at a time as the memory allows.

    Args:
      items, groups: whom labels are known of, and the groups of those labelled alike.
      gallery: bool [N], which of them can be found.
      vectors: float32 [N, v, D].
      change: what a query's vectors become.
      memory_limit_bytes: what a search may take.
      progress: counts searches.
    """

    def __init__(
        self,
        items: LabelSets,
        groups: Groups,
        gallery: np.ndarray,
        vectors: np.ndarray,
        change: Change,
        memory_limit_bytes: int,
        progress: type[Progress],
    ):
        self._items, self._groups = items, groups
        self._gallery = gallery
        self._vectors, self._change = vectors, change
        bytes_a_search = vectors[0].size * 12 + len(vectors) * _BYTES_A_DISTANCE
        self._at_a_time = max(1, memory_limit_bytes // bytes_a_search)
        self._progress = progress

    def __call__(self, searches: Searches) -> np.ndarray:
        """How many of the gallery rank before the best target, int64 [R]; equal ones by row."""
        ranks = [np.empty(0, np.int64)]
        with self._progress("searching", len(searches.queries), "searches") as meter:
            for start in range(0, len(searches.queries), self._at_a_time):
                chunk = slice(start, start + self._at_a_time)
                ranks.append(self._of_some(Searches(*(column[chunk] for column in searches))))
                meter.update(len(ranks[-1]))
        return np.concatenate(ranks)

    def _of_some(self, searches):
        # All are compared, for taking out the gallery would copy its vectors.
        found = distances(self._wanted(searches), self._vectors)
        targets = self._groups.numbers == searches.wanted[:, None]
        out = np.broadcast_to(~self._gallery, found.shape).copy()
        out[np.arange(len(out)), searches.queries] = True  # no query finds itself
        found[out], targets[out] = np.inf, False
        best = np.where(targets, found, np.inf).min(1, keepdims=True)
        equal = found == best
        first = (targets & equal).argmax(1)[:, None]
        before = (found < best) | (equal & (np.arange(found.shape[1]) < first))
        return before.sum(1)

    def _wanted(self, searches):
        vectors = self._vectors[searches.queries]
        given, wanted = self._items.sets[searches.queries], self._groups.sets[searches.wanted]
        row, place = np.nonzero(given != wanted)
        if not len(row):
            return vectors
        shape = (len(vectors), -1)
        attributes = self._items.attributes[place].reshape(shape)
        return self._change(
            searches.queries, vectors, attributes, wanted[row, place].reshape(shape)
        )

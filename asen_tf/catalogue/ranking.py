"""Results by their likeness to the query alone."""

import bisect
import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from asen_tf.catalogue import queries
from asen_tf.catalogue.engine import Engine
from asen_tf.catalogue.filters import Condition
from asen_tf.catalogue.items import Hits, Query
from asen_tf.catalogue.nearest import A_GROUP, CANDIDATES, nearest
from asen_tf.catalogue.products import leading

# So many results may be passed over for their scores; of distances, the order is exact so far.
MOST_ABOVE = {"cosine": 2**17 - 1, "euclidean": CANDIDATES // A_GROUP - 1}


def ranked(
    engine: Engine,
    wanted: Query,
    k: int,
    where: Condition | None = None,
    exclude: Sequence[str] = (),
    offset: int = 0,
    group: str = "",
) -> Hits:
    """As `Engine.search`, by the query's measure, and by the best of the query's several."""
    limits = {"where": where, "exclude": exclude, "group": group}
    if len(wanted.vectors) == 1:
        if wanted.measure != "cosine":
            return nearest(engine, wanted, k, offset=offset, **limits)
        linear = queries.weighted(wanted.vectors[0], wanted.weights)
        return engine.search(linear, k, offset=offset, **limits)
    best: dict[str, np.float32] = {}
    for vectors in wanted.vectors:
        one = dataclasses.replace(wanted, vectors=vectors[None])
        # What is among the best of all is among the best of those that it is most like.
        for id, score in zip(*ranked(engine, one, offset + k, **limits), strict=True):
            best[id] = max(score, best.get(id, score))
    ids = sorted(best, key=lambda id: (-best[id], id))
    if group and engine.has_field(group):
        ids = leading(engine, group, ids)
    ids = ids[offset : offset + k]
    return Hits(ids, np.array([best[id] for id in ids], np.float32))


def above(find: Callable[..., Hits], ceiling: float, measure: str) -> int:
    """How many results score more, looked for one at a time: mostly few do, of very many.

    Args:
      find: (k, offset=) -> the results by this measure, best first.

    Raises:
      ValueError: more than `MOST_ABOVE` do.
    """

    def is_above(place: int) -> bool:
        return any(score > ceiling for score in find(1, offset=place).scores)

    end = 0
    while is_above(end):
        if end >= MOST_ABOVE[measure]:
            raise ValueError(
                f"more than {MOST_ABOVE[measure]} results score above the ceiling of {ceiling}; "
                "raise it, or narrow the search by a condition"
            )
        end = 2 * end + 1
    start = (end + 1) // 2  # all before it are above
    return bisect.bisect_left(range(end), True, lo=start, key=lambda place: not is_above(place))

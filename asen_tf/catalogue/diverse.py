"""Results that are like the query and unlike each other."""

from collections.abc import Callable

import numpy as np

from asen_tf.catalogue import queries
from asen_tf.catalogue.engine import Engine
from asen_tf.catalogue.items import Hits, Query

# So many of the best results are put in another order at a time.
POOL = 200


def diverse(
    engine: Engine,
    wanted: Query,
    find: Callable[[int, int], Hits],
    k: int,
    offset: int,
    diversity: float,
) -> Hits:
    """Results in the order of maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).

    The best comes first, and then always that for which
    (1 - diversity) sim(result, query) - diversity max over those before sim(result, one before)
    is largest. First come the `POOL` most like the query, then the next so many: pages never
    overlap.

    Args:
      find: (k, offset) -> the results by their likeness to the query alone.
      diversity: 0, their order, to 1.
    """
    found = Hits([], np.empty(0, np.float32))
    for block in range(offset // POOL, -(-(offset + k) // POOL)):
        hits = find(POOL, block * POOL)
        order = _order(engine, wanted, hits, offset + k - block * POOL, diversity)
        order = order[max(0, offset - block * POOL) :]
        found.ids.extend(hits.ids[n] for n in order)
        found = Hits(found.ids, np.concatenate([found.scores, hits.scores[order]]))
    return found


def _order(engine: Engine, wanted: Query, hits: Hits, count: int, diversity: float) -> list[int]:
    """Places of the first `count` hits in their new order."""
    if not hits.ids:
        return []
    counting = np.flatnonzero(wanted.weights)
    weights = np.abs(wanted.weights[counting])
    vectors = engine.vectors(hits.ids, counting.tolist())
    alike = queries.cosines if wanted.measure == "cosine" else queries.closeness
    nearest = np.full(len(hits.ids), -np.inf)
    left, order = np.ones(len(hits.ids), bool), [0]
    while len(order) < min(count, len(hits.ids)):
        left[order[-1]] = False
        similar = alike(vectors[order[-1]], vectors)
        nearest = np.maximum(nearest, queries.mean_score(similar, weights))
        gain = (1 - diversity) * hits.scores - diversity * nearest
        order.append(int(np.where(left, gain, -np.inf).argmax()))
    return order

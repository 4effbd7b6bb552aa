"""The items whose weighted sum of Euclidean distances to a query is smallest."""

from collections.abc import Sequence

import numpy as np

from asen_tf.catalogue import queries
from asen_tf.catalogue.engine import Engine
from asen_tf.catalogue.items import Hits, Query

# Engines rank by cosines: so many of their best are put in the order of distances at a time.
CANDIDATES = 4096


def nearest(engine: Engine, wanted: Query, k: int, offset: int = 0, **limits) -> Hits:
    """As `Engine.search`, by distances; scores are the weighted means of 1 minus the distances.

    Exact where at most `CANDIDATES` items meet the limits. Where more do, first come the
    `CANDIDATES` best by the weighted sum of cosines, then the next so many, each of these in the
    exact order of distances: pages never overlap.
    """
    linear = engine.check_query(queries.weighted(wanted.vectors, wanted.weights), k, None, offset)
    blocks = -(-(offset + k) // CANDIDATES)
    found = engine.search(linear, blocks * CANDIDATES, **limits)
    scores = similarities(engine, wanted, found.ids)
    # Equal scores stay as they are found, which is by id.
    order = np.lexsort([-scores, np.arange(len(scores)) // CANDIDATES])[offset : offset + k]
    return Hits([found.ids[n] for n in order], scores[order])


def similarities(engine: Engine, wanted: Query, ids: Sequence[str]) -> np.ndarray:
    """float64 [N]: how similar items are to a query, by its measure, -1 to 1."""
    if not ids:
        return np.empty(0)
    counting = np.flatnonzero(wanted.weights)
    found = engine.vectors(ids, counting.tolist())
    alike = queries.cosines if wanted.measure == "cosine" else queries.closeness
    return queries.mean_score(alike(wanted.vectors[counting], found), wanted.weights[counting])

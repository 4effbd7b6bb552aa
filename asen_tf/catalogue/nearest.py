"""The items whose weighted sum of Euclidean distances to a query is smallest."""

from collections.abc import Sequence

import numpy as np

from asen_tf.catalogue import queries
from asen_tf.catalogue.engine import Engine
from asen_tf.catalogue.filters import Condition
from asen_tf.catalogue.items import Hits, Query
from asen_tf.catalogue.products import others
from asen_tf.core.read_ahead import batched

# Engines rank by cosines: so many of their best are put in the order of distances at a time.
CANDIDATES = 4096
# Groups have several items each.
A_GROUP = 4


def nearest(
    engine: Engine,
    wanted: Query,
    k: int,
    where: Condition | None = None,
    exclude: Sequence[str] = (),
    offset: int = 0,
    group: str = "",
) -> Hits:
    """As `Engine.search`, by distances; scores are the weighted means of 1 minus the distances.

    Exact where at most `CANDIDATES` items meet the limits, or a quarter as many groups. Where more
    do, first come the `CANDIDATES` best by the weighted sum of cosines, then the next so many, each
    of these in the exact order of distances: pages never overlap. The query is a single one.
    """
    [vectors] = wanted.vectors
    linear = engine.check_query(queries.weighted(vectors, wanted.weights), k, None, offset)
    group = group if group and engine.has_field(group) else ""
    size = max(1, CANDIDATES // A_GROUP) if group else CANDIDATES
    blocks = -(-(offset + k) // size)
    found = engine.search(linear, blocks * size, where, exclude, group=group).ids
    owners = {name: place for place, name in enumerate(found)}
    if group and found:
        of_groups = others(engine, group, found, engine.records(found), where)
        owners |= {name: owners[one] for one, names in of_groups.items() for name in names}
    names = sorted(owners)
    scores = similarities(engine, wanted, names)
    places = np.array([owners[name] for name in names], np.int64)
    order = np.lexsort([-scores, places // size])  # equal scores stay in the order of their ids
    _, first = np.unique(places[order], return_index=True)
    order = order[np.sort(first)[offset : offset + k]]
    return Hits([names[n] for n in order], scores[order])


def similarities(engine: Engine, wanted: Query, ids: Sequence[str]) -> np.ndarray:
    """float64 [N]: how similar items are to a query, by its measure, -1 to 1."""
    counting = np.flatnonzero(wanted.weights).tolist()
    found = [np.empty(0)]
    for some in batched(ids, CANDIDATES):
        found.append(scores_of(wanted, engine.vectors(some, counting)).max(0))
    return np.concatenate(found)


def scores_of(wanted: Query, items: np.ndarray) -> np.ndarray:
    """float64 [Q, N]: how similar items are to each of a query's Q, by its measure, -1 to 1.

    `items`: [N, attributes that count, D].
    """
    counting = np.flatnonzero(wanted.weights)
    alike = queries.cosines if wanted.measure == "cosine" else queries.closeness
    rows = [alike(one, items) for one in wanted.vectors[:, counting]]
    return np.stack([queries.mean_score(row, wanted.weights[counting]) for row in rows])

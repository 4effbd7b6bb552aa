"""A ranking by general likeness, and what one attribute makes of it."""

from collections.abc import Iterator

import numpy as np

from asen_tf import viz
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import Source, spread

DEPTH, SHOWN, QUERIES = 100, 8, 3
# Longer side of the photographs: more than a cell of the picture shows.
SMALL_PX = 320
GENERAL = "most alike over all attributes"


def draw(source: Source) -> Iterator[Picture]:
    """One picture: the first 100 by the mean of all cosines, ordered by the large attribute."""
    name = source.large
    queries, candidates = source.searched(name)
    attribute = source.embedder.attributes.index(name)
    rankings = [
        _ranking(source, name, attribute, query, candidates) for query in spread(queries, QUERIES)
    ]
    first = [ranking.correct[:SHOWN].mean() for ranking in rankings]
    then = [ranking.correct[ranking.after][:SHOWN].mean() for ranking in rankings]
    words = name.replace("_", " ")
    yield Picture(
        f"reranking_{name}",
        viz.reranking_grid(rankings, name, GENERAL, SHOWN),
        f"Results for {len(rankings)} of the queries in two orders: of the first {SHOWN} by "
        f"general likeness {100 * np.mean(first):.0f} % have the query's {words}, after reranking "
        f"{100 * np.mean(then):.0f} %",
    )


def _ranking(source, name, attribute, query, candidates):
    cosines = np.einsum("rad,ad->ra", source.vectors[candidates], source.vectors[query])
    before = np.argsort(-cosines.mean(1), kind="stable")[:DEPTH]
    after = np.argsort(-cosines[before, attribute], kind="stable")
    found = candidates[before]
    rows = source.rows[found]
    return viz.Reranking(
        source.pixels(source.rows[query], SMALL_PX),
        source.values(source.rows[query], name),
        [source.pixels(row, SMALL_PX) for row in rows],
        [source.values(row, name) for row in rows],
        source.alike(name, query, found),
        after,
    )

"""What is found by each attribute."""

from collections.abc import Iterator

import numpy as np

from asen_tf import viz
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import NothingToDraw, Source


def draw(source: Source) -> Iterator[Picture]:
    """A picture an attribute that has queries and candidates."""
    drawn = False
    for name in source.choice.attributes:
        if len(source.queries(name)) and len(source.candidates(name)):
            drawn = True
            yield _picture(source, name)
    if not drawn:
        raise NothingToDraw(f"split {source.choice.split!r} has no queries with candidates")


def _picture(source, name):
    queries, candidates = source.searched(name)
    vectors = source.vectors[:, source.embedder.attributes.index(name)]
    scores = vectors[queries] @ vectors[candidates].T
    best = np.argsort(-scores, axis=1, kind="stable")[:, : source.choice.results]
    found = candidates[best]
    correct = np.array(
        [source.alike(name, query, line) for query, line in zip(queries, found, strict=True)]
    )
    figure = viz.retrieval_grid(
        [source.pixels(row) for row in source.rows[queries]],
        [[source.pixels(row) for row in line] for line in source.rows[found]],
        correct,
        name,
        [source.values(row, name) for row in source.rows[queries]],
        [[source.values(row, name) for row in line] for line in source.rows[found]],
        np.take_along_axis(scores, best, axis=1),
    )
    words = name.replace("_", " ")
    return Picture(
        f"retrieval_{name}",
        figure,
        f"{len(queries)} photographs and what is most alike in {words}: "
        f"{correct.sum()} of {correct.size} results have the same value",
    )

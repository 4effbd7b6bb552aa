"""The attributes' spaces, laid out by t-SNE."""

from collections.abc import Iterator

import numpy as np

from asen_tf import viz
from asen_tf.core.progress import Progress
from asen_tf.explain import layout
from asen_tf.explain.layout import FEWEST
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import NothingToDraw, Source

# Longer side of the photographs: more than a tile of the picture shows.
SMALL_PX = 160


def draw(source: Source) -> Iterator[Picture]:
    """All attributes side by side, and one of them large, with photographs."""
    names = dict.fromkeys((*source.choice.attributes, source.large))
    enough = [name for name in names if len(source.labelled(name)[0]) >= FEWEST]
    if not enough:
        raise NothingToDraw(f"no attribute has {FEWEST} labelled images to lay out")
    maps = {}
    with Progress("laying out", len(enough), "attributes") as progress:
        for name in enough:
            maps[name] = _map(source, name)
            progress.update(1)
    yield Picture(
        "tsne",
        viz.embedding_maps({name: maps[name] for name in source.choice.attributes if name in maps}),
        "The space of each attribute as dots, coloured by value",
        ".png",
    )
    large = source.large if source.large in maps else enough[0]
    rows = source.rows[source.labelled(large)[0]]
    images = [source.pixels(row, SMALL_PX) for row in rows]
    yield Picture(
        f"tsne_{large}",
        viz.embedding_map(large, maps[large], images),
        f"The space of {large.replace('_', ' ')} as photographs, framed in the colour of the value",
    )


def _map(source, name):
    positions, values = source.labelled(name)
    vectors = source.vectors[positions, source.embedder.attributes.index(name)]
    return viz.EmbeddingMap(
        layout(vectors), values.astype(np.int64), source.embedder.attributes[name].values
    )

"""Where the model looks for each attribute."""

from collections.abc import Iterator

import numpy as np

from asen_tf import viz
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import NothingToDraw, Source


def draw(source: Source) -> Iterator[Picture]:
    """One picture: a row a photograph, a column an attribute."""
    embedder, manifest = source.embedder, source.manifest
    if not embedder.model.explains:
        raise NothingToDraw(f"{type(embedder.model).__name__} has no attention to show")
    attributes = source.choice.attributes
    rows = source.photographs()
    images = [source.pixels(row) for row in rows]
    found = [embedder.explain(images, name) for name in attributes]
    maps = [[attention[n] for attention, _ in found] for n in range(len(rows))]
    boxes = np.stack([boxes for _, boxes in found], axis=1)
    labels = [[source.values(row, name) for name in attributes] for row in rows]
    ids = [embedder.attributes.index(name) for name in attributes]
    parts = None if manifest.boxes is None else manifest.boxes[np.ix_(rows, ids)]
    yield Picture(
        "attention",
        viz.attention_grid(images, attributes, maps, boxes, labels, parts),
        f"{len(rows)} photographs, and over each a heat map for every attribute",
    )

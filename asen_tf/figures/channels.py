"""Which channels count for which attribute."""

from collections.abc import Iterator

import numpy as np

from asen_tf import viz
from asen_tf.data.images import to_canvas
from asen_tf.explain import channel_profiles
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import NothingToDraw, Source, spread

PHOTOGRAPHS = 64


def draw(source: Source) -> Iterator[Picture]:
    """One picture: the profiles of all attributes, averaged over photographs of the split."""
    model = source.embedder.model
    if not model.weighs_channels:
        raise NothingToDraw(f"{type(model).__name__} does not weigh channels by attribute")
    names = list(source.embedder.attributes)
    if len(names) < 2:
        raise NothingToDraw("channel profiles are compared, and there is one attribute alone")
    rows = spread(source.manifest.rows(source.choice.split), PHOTOGRAPHS)
    canvases = [to_canvas(source.pixels(row), model.image_size).numpy() for row in rows]
    profiles = channel_profiles(model, np.stack(canvases), source.embedder.batch_size)
    yield Picture(
        "channels",
        viz.channel_grid(profiles, names),
        "How much each channel counts for each attribute, and how alike the attributes are in this",
        ".png",
    )

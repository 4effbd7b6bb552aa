"""Which pixels make two photographs alike in one attribute."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter

from asen_tf import viz
from asen_tf.core.progress import Progress
from asen_tf.data.images import to_canvas
from asen_tf.explain import METHODS, SimilarityMaps
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import NothingToDraw, Source

NAMES = {"gradcam": "Grad-CAM", "saliency": "saliency", "scorecam": "Score-CAM"}


def draw(source: Source) -> Iterator[Picture]:
    """One picture: for each attribute, a query and the most alike of its candidates."""
    model = source.embedder.model
    if not model.embeds_features:
        raise NothingToDraw(
            f"{type(model).__name__} has no embedding of feature maps alone, through which pixels "
            "could be traced"
        )
    names = [
        name
        for name in source.choice.attributes
        if len(source.queries(name)) and len(source.candidates(name))
    ]
    if not names:
        raise NothingToDraw(f"split {source.choice.split!r} has no queries with candidates")
    explained = SimilarityMaps(model)
    pairs = []
    with Progress("explaining", len(names) * len(METHODS), "maps") as progress:
        for n, name in enumerate(names):
            pairs.append(_pair(source, explained, name, n, progress))
    yield Picture(
        "similarity",
        viz.similarity_grid(pairs),
        "Pairs of photographs, and over both of them by three methods which pixels make them alike "
        f"in {', '.join(name.replace('_', ' ') for name in names)}",
    )


def _readable(saliency: np.ndarray) -> np.ndarray:
    """A gradient by single pixels, blurred, its few highest values cut off."""
    blurred = gaussian_filter(saliency, saliency.shape[0] / 56)
    return np.minimum(blurred, np.quantile(blurred, 0.995))


def _pair(source, explained, name, n, progress):
    """The n-th query with what is most alike."""
    attribute = source.embedder.attributes.index(name)
    queries, candidates = source.searched(name)
    query = queries[n % len(queries)]
    vectors = source.vectors[:, attribute]
    match = candidates[np.argmax(vectors[candidates] @ vectors[query])]
    rows = source.rows[[query, match]]
    images = [source.pixels(row) for row in rows]
    size = source.embedder.model.image_size
    canvases = np.stack([to_canvas(image, size).numpy() for image in images])
    maps = {}
    for method in METHODS:
        found = explained.maps(canvases, attribute, method)
        maps[NAMES[method]] = [_readable(one) for one in found] if method == "saliency" else found
        progress.update(1)
    one, other = explained.vectors(canvases, attribute)
    values = [source.values(row, name) for row in rows]
    return viz.Pair(name, images, maps, float(one @ other), values)

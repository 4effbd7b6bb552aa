"""Which pixels make two photographs alike in one attribute."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import keras
import matplotlib.figure
import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib.axes import Axes
from scipy.ndimage import gaussian_filter

from asen_client.core.errors import check_names
from asen_tf.core.progress import Progress
from asen_tf.figures import style
from asen_tf.figures.overlay import attention_overlay
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source
from asen_tf.images.graph import to_square
from asen_tf.models.base import EmbeddingModel

METHODS = {"gradcam": "Grad-CAM", "saliency": "saliency", "scorecam": "Score-CAM"}
# Inches.
CELL, MARGIN, GAP, PAIR_GAP, HEADER, TITLE = 1.14, 0.14, 0.06, 0.3, 0.2, 0.26
# Height by width of a cell.
FLATTEST, TALLEST = 0.8, 1.4


class Pair(NamedTuple):
    """Two photographs and what makes them alike.

    Attributes:
      attribute: in which respect.
      images: the two, uint8 [H, W, 3], of any sizes.
      maps: method -> a map for each of the two, float [h, w], see `attention_overlay`.
      cosine: how alike they are.
      values: of the attribute, None where unknown.
      fit: see `attention_overlay`.
    """

    attribute: str
    images: Sequence[np.ndarray]
    maps: Mapping[str, Sequence[np.ndarray]]
    cosine: float
    values: Sequence[str | None] = (None, None)
    fit: str = "crop"


@figure(
    "similarity",
    title="Which pixels make two photographs alike",
    text="What raises the cosine of two photographs in one attribute: Grad-CAM and Score-CAM over "
    "the last feature maps, and the gradient by the pixels (saliency, blurred). Of a model "
    "with two branches, the global one is explained; the number is its cosine.",
    slow=True,
)
def draw(source: Source) -> Iterator[Picture]:
    """One picture: for each attribute, a query and the most alike of its candidates."""
    explained = SimilarityMaps(source.embedder.model)
    names = source.searchable()
    pairs = []
    with Progress("explaining", len(names) * len(METHODS), "maps") as progress:
        for n, name in enumerate(names):
            pairs.append(_pair(source, explained, name, n, progress))
    yield Picture(
        "similarity",
        similarity_grid(pairs),
        "Pairs of photographs, and over both of them by three methods which pixels make them alike "
        f"in {', '.join(map(style.words, names))}",
    )


def _pair(
    source: Source, explained: "SimilarityMaps", name: str, n: int, progress: Progress
) -> Pair:
    """The n-th query with what is most alike."""
    attribute = source.index(name)
    queries, candidates = source.searched(name)
    query = queries[n % len(queries)]
    vectors = source.vectors[:, attribute]
    match = candidates[np.argmax(vectors[candidates] @ vectors[query])]
    rows = source.rows[[query, match]]
    images = [source.pixels(row) for row in rows]
    size, fit = source.embedder.model.image_size, source.embedder.fit
    squares = np.stack([to_square(image, size, fit).numpy() for image in images])
    maps = {}
    for method, title in METHODS.items():
        found = explained.maps(squares, attribute, method)
        maps[title] = [_readable(one) for one in found] if method == "saliency" else found
        progress.update(1)
    one, other = explained.vectors(squares, attribute)
    values = [source.values(row, name) for row in rows]
    return Pair(name, images, maps, float(one @ other), values, fit)


def _readable(saliency: np.ndarray) -> np.ndarray:
    """A gradient by single pixels, blurred, its few highest values cut off."""
    blurred = gaussian_filter(saliency, saliency.shape[0] / 56)
    return np.minimum(blurred, np.quantile(blurred, 0.995))


class SimilarityMaps:
    """Maps over two photographs of what makes them alike in one attribute, by tf-keras-vis.

    What is explained is the cosine of the embeddings of feature maps, see
    `EmbeddingModel.embed_features`: of ASEN, the global branch's. For the map of one photograph the
    other one's vector stays fixed.

    - "gradcam": Selvaraju et al., ICCV 2017: the last feature maps, each weighted by the mean
      gradient of the cosine; negative sums become 0.
    - "saliency": Simonyan et al., 2013: the gradient of the cosine by the normalised pixels, its
      absolute value, the largest of the three colours.
    - "scorecam": Wang et al., CVPR Workshops 2020: the last feature maps, each weighted by how much
      the cosine is above that of an empty photograph where only what the map shows is left;
      negative sums become 0. No softmax over the channels.

    Args:
      model: what embeds.
      channels: of "scorecam", how many feature maps are tried, those that vary most; each costs a
        pass of the backbone.

    Raises:
      NothingToDraw: the model's embedding needs more than feature maps.
    """

    def __init__(self, model: EmbeddingModel, channels: int = 64):
        if not model.embeds_features:
            raise NothingToDraw(
                f"{type(model).__name__} has no embedding of feature maps alone, through which "
                "pixels could be traced: expected ASEN or a model of one branch"
            )
        self._model, self._extractor = model, model.feature_extractor
        backbone = self._extractor.backbone
        self._channels = min(channels, self._extractor.feature_shape[-1])
        # A layer of its own, which the methods can name; float32 also of backbones in bfloat16.
        self._features = keras.layers.Activation("linear", dtype="float32", name="feature_maps")
        features = self._features(self._extractor.join(backbone.outputs))
        dimension = self._vectors(self._blank(), 0).shape[-1]
        self._head = _Cosine(model, dimension, dtype="float32", name="similarity")
        cosine = self._head(features)
        # tf-keras-vis gives models a list of inputs.
        self._cosine = keras.Model([backbone.input], cosine)
        self._odds = _Silent([backbone.input], _log_odds(cosine), name="odds")

    def vectors(self, images: np.ndarray, attribute: int) -> np.ndarray:
        """Unit vectors of images uint8 [B, S, S, 3], float32 [B, D]."""
        return self._vectors(self._inputs(images), attribute).numpy()

    def maps(self, images: np.ndarray, attribute: int, method: str) -> np.ndarray:
        """Where two photographs, uint8 [2, S, S, 3], are like each other, by one of `METHODS`.

        Returns:
          float32 [2, h, w], over the centred squares of the photographs, not negative: as large as
          the feature maps, or with "saliency" as the input.

        Raises:
          ValueError: an unknown method, or other images.
        """
        check_names("method", [method], METHODS)
        if np.ndim(images) != 4 or len(images) != 2:
            shape = list(np.shape(images))
            raise ValueError(f"expected two images as [2, S, S, 3], received {shape}")
        inputs = self._inputs(images)
        vectors = self._vectors(inputs, attribute)
        self._head.attribute.assign(attribute)
        found = []
        for own, other in ((0, 1), (1, 0)):
            self._head.reference.assign(vectors[other])
            found.append(getattr(self, f"_{method}")(inputs[own : own + 1]))
        return np.concatenate(found).astype(np.float32)

    def _inputs(self, images):
        """What the backbone sees, float32 [B, s, s, 3]."""
        pixels = self._model.shrink(tf.cast(images, tf.float32))
        return tf.cast(self._extractor.preprocess(pixels), tf.float32)

    def _blank(self):
        return tf.zeros((1, *self._extractor.backbone.input.shape[1:]))

    def _vectors(self, inputs, attribute):
        maps = keras.tree.flatten(self._extractor.backbone(inputs, training=False))
        features = tf.cast(self._extractor.join(maps), tf.float32)
        return self._model.embed_features(features, tf.fill((len(inputs), 1), attribute))[:, 0]

    def _gradcam(self, inputs):
        return self._methods["gradcam"](_score, inputs, **self._cam)

    def _saliency(self, inputs):
        return self._methods["saliency"](_score, inputs, normalize_map=False)

    def _scorecam(self, inputs):
        empty = float(self._cosine([self._blank()], training=False)[0, 0])
        return self._methods["scorecam"](
            lambda shares: 2 * shares[:, 0] - 1 - empty, inputs, max_N=self._channels, **self._cam
        )

    @property
    def _cam(self):
        return {
            "penultimate_layer": self._features,
            "seek_penultimate_conv_layer": False,
            "expand_cam": False,
            "normalize_cam": False,
        }

    @functools.cached_property
    def _methods(self):
        from tf_keras_vis.gradcam import Gradcam  # a second, and only where it is used
        from tf_keras_vis.saliency import Saliency
        from tf_keras_vis.scorecam import Scorecam

        return {
            "gradcam": Gradcam(self._cosine),
            "saliency": Saliency(self._cosine),
            "scorecam": Scorecam(self._odds),
        }


class _Cosine(keras.layers.Layer):
    """From feature maps [B, h, w, C] to the cosine with a vector in an attribute, [B, 1].

    `attribute`, int32 [], and `reference`, the unit vector float32 [dimension], are variables.
    """

    def __init__(self, model: EmbeddingModel, dimension: int, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self.attribute = self.add_weight(
            name="attribute", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self.reference = self.add_weight(
            name="reference", shape=(dimension,), initializer="zeros", trainable=False
        )

    def call(self, features):
        ids = ops.broadcast_to(self.attribute, (ops.shape(features)[0], 1))
        vectors = self.model.embed_features(features, ids)[:, 0]
        return ops.sum(vectors * self.reference, axis=-1, keepdims=True)


class _Silent(keras.Model):
    """Predicts without a progress bar."""

    def predict(self, x, batch_size=None):
        return super().predict(x, batch_size, verbose=0)


def _score(cosines):
    return cosines[:, 0]


def _log_odds(cosine):
    """[B, 1] in -1..1 -> [B, 2], whose softmax is (1 + cosine) / 2 and (1 - cosine) / 2.

    tf-keras-vis takes a classifier's logits for Score-CAM, and their softmax for the score.
    """
    shares = ops.concatenate([1 + cosine, 1 - cosine], axis=-1) / 2
    return ops.log(ops.maximum(shares, keras.config.epsilon()))


def similarity_grid(pairs: Sequence[Pair]) -> matplotlib.figure.Figure:
    """A row a pair, all with the same methods: a photograph with its maps, then the other."""
    methods = list(pairs[0].maps)
    columns, step = range(1 + len(methods)), CELL + GAP
    half = len(columns) * step + PAIR_GAP
    lefts = [MARGIN + side * half + column * step for side in (0, 1) for column in columns]
    heights = [CELL * _proportion(pair) for pair in pairs]
    top = MARGIN + HEADER - 0.06
    axes = style.page(
        lefts[-1] + CELL + MARGIN, top + sum(heights) + len(pairs) * (TITLE + GAP) + MARGIN / 2
    )
    for left, method in zip(lefts, ["", *methods] * 2, strict=True):
        style.text(axes, left, top - 0.05, method, width=CELL, color=style.QUIET)
    for pair, height in zip(pairs, heights, strict=True):
        top += TITLE
        _draw_title(axes, lefts[0], top - 0.08, style.words(pair.attribute), pair.values[0])
        cosine = f"cosine {pair.cosine:.2f}"
        _draw_title(axes, lefts[len(columns)], top - 0.08, cosine, pair.values[1])
        shown = []
        for side, image in enumerate(pair.images):
            small = style.thumbnail(style.check_image(image))
            shown += [
                small,
                *(attention_overlay(small, pair.maps[m][side], fit=pair.fit) for m in methods),
            ]
        for left, image in zip(lefts, shown, strict=True):
            style.picture(axes, image, style.Area(left, top, CELL, height))
        top += height + GAP
    return axes.figure


def _proportion(pair: Pair) -> float:
    """Height by width that both photographs of a pair are shown with."""
    tallest = max(image.shape[0] / image.shape[1] for image in pair.images)
    return float(np.clip(tallest, FLATTEST, TALLEST))


def _draw_title(axes: Axes, x: float, y: float, head: str, value: str | None) -> None:
    style.text(axes, x, y, head, weight="bold")
    x += style.text_width(head, weight="bold") + 0.12
    style.text(axes, x, y, value, color=style.QUIET)

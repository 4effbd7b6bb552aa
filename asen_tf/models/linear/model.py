"""Linear discriminant analysis of a frozen backbone's features, for each attribute."""

import itertools
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from asen_tf.backbones import child_scope
from asen_tf.models.base import maps_of, numbered
from asen_tf.models.linear.discriminant import linear_discriminant
from asen_tf.models.one_branch import OneBranchModel


@keras.saving.register_keras_serializable(package="asen_tf")
class Linear(OneBranchModel):
    """The linear baseline: how probable each value is, by the features' means over the positions.

    An attribute's embedding is the unit vector of its values' probabilities, the softmax of W x + b
    with the mean x of the feature map, or the means of its parts. `fit_closed_form` takes W and b
    from the training images by linear discriminant analysis; they start at random, for training by
    gradient.

    Args:
      offsets: `AttributeSpace.offsets`, A + 1 numbers. Embeddings are as long as the attribute with
        most values has values; of others the last numbers are 0.
      grid: parts of the feature map along each side, each of which has a mean; 1: one of all.
      Others: see `OneBranchModel`.
    """

    class_outputs = ("global", "logits")

    def __init__(
        self,
        offsets: Sequence[int],
        backbone: str | Mapping | keras.Model,
        size: int,
        image_scale: int = 2,
        weights: str | None = None,
        levels: Sequence[str] | str | None = None,
        dropout: float = 0.0,
        grid: int = 1,
        **kwargs,
    ):
        counts = np.diff(offsets)
        args = (len(counts), backbone, size, int(counts.max()))
        super().__init__(*args, image_scale, weights, levels, dropout, **kwargs)
        del self._config["attributes"], self._config["embedding_dim"]
        self._config |= {"offsets": list(offsets), "grid": grid}
        self.offsets = tuple(offsets)
        self.grid = grid
        with child_scope(self):
            self.classifiers = keras.layers.Dense(offsets[-1], dtype="float32", name="classifiers")
            self.classifiers.build((None, grid**2 * self.features.feature_shape[-1]))
        self.built = True

    def outputs_of_features(self, features, inputs):
        """The probabilities of an attribute's values as "global", and all "logits" [B, V]."""
        logits = self.classifiers(self._pooled(features))
        every = tf.nn.softmax(self.by_attribute(logits, self.offsets))  # [B, A, D]
        own = tf.gather(every, inputs["attributes"], axis=1, batch_dims=1)
        return {"global": own, "logits": logits}

    def frozen_inputs(self, images, names):
        """A map of one position, the means: nothing else is looked at."""
        return numbered("global", [self._pooled(self.feature_maps(images))[:, None, None]])

    def features_of(self, inputs, training=False):
        if "images" in inputs:
            return self.feature_maps(inputs["images"], training)
        means = maps_of("global", inputs)[0]
        return tf.reshape(means, (-1, self.grid, self.grid, means.shape[-1] // self.grid**2))

    def closed_form_vectors(self, inputs):
        return self._pooled(self.features_of(inputs))

    def fit_closed_form(self, vectors, labels):
        """Each attribute's classifier, see `linear_discriminant`."""
        found = [
            linear_discriminant(vectors, labels[:, start:end])
            for start, end in itertools.pairwise(self.offsets)
        ]
        self.classifiers.set_weights(
            [np.concatenate(each, -1) for each in zip(*found, strict=True)]
        )

    def _pooled(self, features):
        """Maps [B, h, w, C] -> the means of their parts, float32 [B, grid * grid * C]."""
        _, height, width, channels = features.shape
        down, across = _means(height, self.grid), _means(width, self.grid)
        parts = tf.einsum("ih,jw,bhwc->bijc", down, across, tf.cast(features, tf.float32))
        return tf.reshape(parts, (-1, self.grid**2 * channels))


def _means(positions: int, parts: int) -> np.ndarray:
    """float32 [parts, positions]: what each position counts in the mean of each part."""
    edges, at = np.linspace(0, positions, parts + 1), np.arange(positions)
    inside = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    return (np.maximum(inside, 0) * parts / positions).astype(np.float32)

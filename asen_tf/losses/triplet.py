"""Triplet ranking loss, on cosines (ASEN equation 9) or on distances."""

import keras
from keras import ops

from asen_tf.core.errors import unknown_name

# The root's gradient is infinite at 0.
LEAST_SQUARE = 1e-12


def cosine(a, b):
    """Cosine of two vectors: [..., D], [..., D] -> [...]."""
    return ops.sum(ops.normalize(a, axis=-1) * ops.normalize(b, axis=-1), axis=-1)


def negative_distance(a, b):
    """-|a - b|: [..., D], [..., D] -> [...]. Its gradient is 0 where both are equal."""
    squared = ops.sum((a - b) ** 2, axis=-1)
    return -ops.sqrt(ops.maximum(squared, LEAST_SQUARE))


_FUNCTIONS = {"cosine": cosine, "euclidean": negative_distance}
SIMILARITIES = tuple(_FUNCTIONS)


def triplet_loss(anchor, positive, negative, margin: float = 0.2, similarity: str = "cosine"):
    """max(0, margin - s(a, p) + s(a, n)), a value a triplet: three [..., D] -> [...].

    Args:
      anchor, positive, negative: embeddings, not normalised.
      margin: of the ranking loss.
      similarity: s: "cosine", or "euclidean", the negative distance (Veit et al., CVPR 2017).
    """
    if similarity not in _FUNCTIONS:
        raise ValueError(unknown_name("similarity", similarity, SIMILARITIES))
    s = _FUNCTIONS[similarity]
    return ops.relu(margin - s(anchor, positive) + s(anchor, negative))


@keras.saving.register_keras_serializable(package="asen_tf")
class TripletLoss(keras.losses.Loss):
    """`triplet_loss` for `model.compile`.

    `y_pred` is float [B, 3, D]: the embeddings of anchor, positive and negative; `y_true` is not
    used.
    """

    def __init__(
        self,
        margin: float = 0.2,
        name: str = "triplet_loss",
        similarity: str = "cosine",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.margin = margin
        self.similarity = similarity

    def call(self, y_true, y_pred):
        anchor, positive, negative = ops.unstack(y_pred, 3, axis=-2)
        return triplet_loss(anchor, positive, negative, self.margin, self.similarity)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin, "similarity": self.similarity}

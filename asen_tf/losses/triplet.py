"""Triplet ranking loss on cosines (ASEN equation 9)."""

import keras
from keras import ops


def cosine(a, b):
    """Cosine of two vectors: [..., D], [..., D] -> [...]."""
    return ops.sum(ops.normalize(a, axis=-1) * ops.normalize(b, axis=-1), axis=-1)


def triplet_loss(anchor, positive, negative, margin: float = 0.2):
    """max(0, margin - cos(a, p) + cos(a, n)), a value a triplet: three [..., D] -> [...]."""
    return ops.relu(margin - cosine(anchor, positive) + cosine(anchor, negative))


@keras.saving.register_keras_serializable(package="asen_tf")
class TripletLoss(keras.losses.Loss):
    """`triplet_loss` for `model.compile`.

    `y_pred` is float [B, 3, D]: the embeddings of anchor, positive and negative; `y_true` is not
    used.
    """

    def __init__(self, margin: float = 0.2, name: str = "triplet_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.margin = margin

    def call(self, y_true, y_pred):
        anchor, positive, negative = ops.unstack(y_pred, 3, axis=-2)
        return triplet_loss(anchor, positive, negative, self.margin)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}

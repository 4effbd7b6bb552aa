"""From an attention map to a square with room around what attention prefers."""

import keras
import tensorflow as tf

from asen_tf.layers.localization import extent


@keras.saving.register_keras_serializable(package="asen_tf")
class SquareLocalization(keras.layers.Layer):
    """The square around the cells that attention prefers, with a margin. No gradient.

    The map is min-max normalised, and cells above the threshold are kept. The rectangle around
    these whole cells becomes a square of its larger side, but of `smallest` at least; it grows by
    `margin` and is moved to lie inside the image. A constant map keeps the whole image.

    Args:
      threshold: from 0 to 1, of the normalised map.
      smallest: side of the least square before it grows / side of the image.
      margin: by how much its side grows / side of the image.

    Call arguments:
      attention: float [..., h, w].

    Returns:
      float32 [..., 4], `rel_xyxy`: the square as parts of the image's side.
    """

    def __init__(
        self, threshold: float = 0.3, smallest: float = 5 / 14, margin: float = 1 / 14, **kwargs
    ):
        # Mixed precision would move the map's values across the threshold.
        super().__init__(autocast=False, **kwargs)
        for name, value in (("threshold", threshold), ("smallest", smallest), ("margin", margin)):
            if not 0 <= value < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {value}")
        self.threshold = threshold
        self.smallest = smallest
        self.margin = margin

    def call(self, attention):
        attention = tf.cast(tf.stop_gradient(attention), tf.float32)
        low = tf.reduce_min(attention, axis=(-2, -1), keepdims=True)
        high = tf.reduce_max(attention, axis=(-2, -1), keepdims=True)
        kept = (attention - low > self.threshold * (high - low)) | (high <= low)
        x, width = _part(tf.reduce_any(kept, axis=-2))
        y, height = _part(tf.reduce_any(kept, axis=-1))
        side = tf.maximum(tf.maximum(width, height), self.smallest) + self.margin
        side = tf.minimum(side, 1.0)
        left = tf.clip_by_value(x - side / 2, 0.0, 1 - side)
        top = tf.clip_by_value(y - side / 2, 0.0, 1 - side)
        return tf.stack([left, top, left + side, top + side], axis=-1)

    def compute_output_spec(self, attention):
        return keras.KerasTensor((*attention.shape[:-2], 4), "float32")

    def get_config(self):
        own = {"threshold": self.threshold, "smallest": self.smallest, "margin": self.margin}
        return {**super().get_config(), **own}


def _part(kept):
    """Middle and length of what is kept of a side: bool [..., n] -> two float32 [...] in 0..1."""
    first, count = (tf.cast(found, tf.float32) for found in extent(kept))
    cells = tf.cast(tf.shape(kept)[-1], tf.float32)
    return (first + count / 2) / cells, count / cells

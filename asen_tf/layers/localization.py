"""From an attention map to the square region that the local branch sees."""

import keras
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_tf.layers.connected_components import largest_component

KEEPS = ("all", "largest")


@keras.saving.register_keras_serializable(package="asen_tf")
class WeaklySupervisedLocalization(keras.layers.Layer):
    """The square around everything that attention kept (ASEN++). No gradient.

    The map is resized bilinearly to the image, min-max normalised, scaled to 0..255 and truncated;
    positions above 255 * threshold are kept; the rectangle around them becomes a square of its
    larger side, moved to lie inside the image. A constant map keeps the whole image.

    Args:
      size: side of the image in pixels, to which the map is resized.
      threshold: 0.1 in the paper.
      keep: "all" as in the paper, or "largest": of the positions above the threshold only the
        largest connected component, see `largest_component`.

    Call arguments:
      attention: float [..., h, w].

    Returns:
      float32 [..., 4], `rel_xyxy`: the square as parts of the image's side, which are whole pixels
      of the size x size image.
    """

    def __init__(self, size: int, threshold: float = 0.1, keep: str = "all", **kwargs):
        # Mixed precision would round the map to eight bits.
        super().__init__(autocast=False, **kwargs)
        if not 0 <= threshold < 1:
            raise ValueError(f"threshold must lie in [0, 1), got {threshold}")
        if keep not in KEEPS:
            raise ValueError(unknown_name("positions to keep", keep, KEEPS))
        self.size = size
        self.threshold = threshold
        self.keep = keep

    def call(self, attention):
        shape = tf.shape(attention)
        maps = tf.reshape(tf.stop_gradient(attention), tf.concat([[-1], shape[-2:], [1]], 0))
        maps = tf.image.resize(tf.cast(maps, tf.float32), (self.size, self.size))[..., 0]
        low = tf.reduce_min(maps, axis=(1, 2), keepdims=True)
        high = tf.reduce_max(maps, axis=(1, 2), keepdims=True)
        level = tf.floor((maps - low) / tf.where(high > low, high - low, 1.0) * 255.0)
        kept = (level > 255.0 * self.threshold) | (high <= low)
        if self.keep == "largest":
            kept = largest_component(kept)

        left, width = extent(tf.reduce_any(kept, axis=1))
        top, height = extent(tf.reduce_any(kept, axis=2))
        side = tf.maximum(width, height)
        region = square_inside(left + width // 2, top + height // 2, side, self.size)
        return tf.reshape(region, tf.concat([shape[:-2], [4]], 0))

    def compute_output_spec(self, attention):
        return keras.KerasTensor((*attention.shape[:-2], 4), "float32")

    def get_config(self):
        own = {"size": self.size, "threshold": self.threshold, "keep": self.keep}
        return {**super().get_config(), **own}


def square_inside(x, y, side, size: int):
    """Squares around centres (x, y), moved to lie inside the image.

    Args:
      x, y, side: int32 [...], in pixels.
      size: side of the image in pixels.

    Returns:
      float32 [..., 4], `rel_xyxy`.
    """
    left = tf.clip_by_value(x - side // 2, 0, size - side)
    top = tf.clip_by_value(y - side // 2, 0, size - side)
    pixels = tf.stack([left, top, left + side, top + side], axis=-1)
    return tf.cast(pixels, tf.float32) / size


def extent(kept):
    """First position kept and number to the last one: bool [..., n] -> two int32 [...]."""
    kept = tf.cast(kept, tf.int32)
    first = tf.argmax(kept, axis=-1, output_type=tf.int32)
    last = tf.shape(kept)[-1] - 1 - tf.argmax(kept[..., ::-1], axis=-1, output_type=tf.int32)
    return first, last - first + 1

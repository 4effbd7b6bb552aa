"""From an attention map to the square region that the local branch sees."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="asen_tf")
class WeaklySupervisedLocalization(keras.layers.Layer):
    """The square around everything that attention kept (ASEN++ section III-D). No gradient.

    The map is resized bilinearly to the image, min-max normalised, scaled to 0..255 and truncated;
    positions above 255 * threshold are kept; the rectangle around them becomes a square of its
    larger side, moved to lie inside the image. A constant map keeps the whole image.

    Args:
      size: side of the image in pixels, in which the region is given.
      threshold: 0.1 in the paper.

    Call arguments:
      attention: float [..., h, w].

    Returns:
      int32 [..., 3]: left, top and side of the square, in pixels of the size x size image.
    """

    def __init__(self, size: int, threshold: float = 0.1, **kwargs):
        # Mixed precision would round the map to eight bits.
        super().__init__(autocast=False, **kwargs)
        if not 0 <= threshold < 1:
            raise ValueError(f"threshold must lie in [0, 1), got {threshold}")
        self.size = size
        self.threshold = threshold

    def call(self, attention):
        shape = tf.shape(attention)
        maps = tf.reshape(tf.stop_gradient(attention), tf.concat([[-1], shape[-2:], [1]], 0))
        maps = tf.image.resize(tf.cast(maps, tf.float32), (self.size, self.size))[..., 0]
        low = tf.reduce_min(maps, axis=(1, 2), keepdims=True)
        high = tf.reduce_max(maps, axis=(1, 2), keepdims=True)
        level = tf.floor((maps - low) / tf.where(high > low, high - low, 1.0) * 255.0)
        kept = (level > 255.0 * self.threshold) | (high <= low)

        left, width = _extent(tf.reduce_any(kept, axis=1))
        top, height = _extent(tf.reduce_any(kept, axis=2))
        side = tf.maximum(width, height)
        region = tf.stack(
            [self._start(left, width, side), self._start(top, height, side), side], axis=-1
        )
        return tf.reshape(region, tf.concat([shape[:-2], [3]], 0))

    def _start(self, start, extent, side):
        """Where the square begins: centred on the rectangle, inside the image."""
        return tf.clip_by_value(start + extent // 2 - side // 2, 0, self.size - side)

    def compute_output_spec(self, attention):
        return keras.KerasTensor((*attention.shape[:-2], 3), "int32")

    def get_config(self):
        return {**super().get_config(), "size": self.size, "threshold": self.threshold}


def _extent(kept):
    """First position kept and number of positions to the last one: bool [P, n] -> two int32 [P]."""
    kept = tf.cast(kept, tf.int32)
    first = tf.argmax(kept, axis=1, output_type=tf.int32)
    last = tf.shape(kept)[1] - 1 - tf.argmax(kept[:, ::-1], axis=1, output_type=tf.int32)
    return first, last - first + 1

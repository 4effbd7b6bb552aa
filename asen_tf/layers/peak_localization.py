"""From an attention map to a square around its peak."""

import keras
import tensorflow as tf

from asen_tf.images.geometry import cell_centres
from asen_tf.layers.localization import square_inside


@keras.saving.register_keras_serializable(package="asen_tf")
class PeakLocalization(keras.layers.Layer):
    """A square of fixed side around the attention's peak. No gradient.

    The centre is that of the strongest cell, or the mean of the centres where several are equally
    strong; the square is moved to lie inside the image. A constant map gives the image's centre.

    Args:
      size: side of the image in pixels; the region consists of whole ones.
      share: side of the square / side of the image, in (0, 1]; 1 is the whole image.

    Call arguments and result are those of `WeaklySupervisedLocalization`.
    """

    def __init__(self, size: int, share: float = 0.5, **kwargs):
        super().__init__(autocast=False, **kwargs)
        if not 0 < share <= 1:
            raise ValueError(f"share must lie in (0, 1], got {share}")
        self.size = size
        self.share = share

    def call(self, attention):
        attention = tf.stop_gradient(attention)
        strongest = tf.reduce_max(attention, axis=(-2, -1), keepdims=True)
        peaks = tf.cast(attention >= strongest, tf.float32)
        side = max(1, round(self.share * self.size))
        x = self._centre(tf.reduce_sum(peaks, axis=-2))
        y = self._centre(tf.reduce_sum(peaks, axis=-1))
        return square_inside(x, y, tf.fill(tf.shape(x), side), self.size)

    def _centre(self, counts):
        """Mean position of the peaks, in pixels rounded down: [..., n], peaks a cell -> [...]."""
        positions = cell_centres(counts.shape[-1]) * self.size
        mean = tf.reduce_sum(counts * positions, -1) / tf.reduce_sum(counts, -1)
        return tf.cast(tf.floor(mean), tf.int32)

    def compute_output_spec(self, attention):
        return keras.KerasTensor((*attention.shape[:-2], 4), "float32")

    def get_config(self):
        return {**super().get_config(), "size": self.size, "share": self.share}

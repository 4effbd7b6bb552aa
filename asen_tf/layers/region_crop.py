"""Cutting regions out of photographs, inside the graph."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="asen_tf")
class RegionCrop(keras.layers.Layer):
    """Square regions of an image, each zoomed to one size. No gradient to the regions.

    `tf.image.crop_and_resize` samples without a filter, so that a large region would alias:
    the crop is taken at twice the size and averaged down. Samples of a magnified region that would
    lie outside the centres of the outermost pixels begin (or end) there instead.

    Args:
      size: side of a crop in pixels.
      reference: side, in pixels, of the square image in which regions are given. The image that
        is cut may be larger (its full detail is used).

    Call arguments:
      images: uint8 or float [B, S, S, 3].
      regions: int [B, M, 3]: left, top, side; or [R, 3] where `rows` are given.
      rows: int [R]: the image that each region is of; None: M regions of each image.

    Returns:
      float32 [B, M, size, size, 3] or [R, size, size, 3], in the value range of the images.
    """

    oversampling = 2

    def __init__(self, size: int, reference: int, **kwargs):
        # crop_and_resize takes no bfloat16.
        super().__init__(autocast=False, **kwargs)
        self.size = size
        self.reference = reference

    def call(self, images, regions, rows=None):
        if rows is None:
            batch, count = tf.shape(regions)[0], tf.shape(regions)[1]
            rows = tf.repeat(tf.range(batch), count)
            crops = self.call(images, tf.reshape(regions, (-1, 3)), rows)
            return tf.reshape(crops, (batch, count, self.size, self.size, 3))
        samples = self.size * self.oversampling
        side = tf.cast(tf.shape(images)[1], tf.float32)
        left, top, extent = tf.unstack(
            tf.cast(regions, tf.float32) * (side / self.reference), axis=-1
        )
        # crop_and_resize puts its first and last sample on the corners it is given, counted in
        # pixel centres; these are the centres of the first and the last of the samples.
        half = 0.5 * extent / samples - 0.5
        corners = tf.stack(
            [top + half, left + half, top + extent - half - 1, left + extent - half - 1], axis=-1
        )
        crops = tf.image.crop_and_resize(
            images,
            tf.clip_by_value(tf.stop_gradient(corners) / (side - 1), 0.0, 1.0),
            rows,
            (samples, samples),
        )
        return tf.nn.avg_pool2d(crops, self.oversampling, self.oversampling, "VALID")

    def compute_output_spec(self, images, regions, rows=None):
        return keras.KerasTensor((*regions.shape[:-1], self.size, self.size, 3), "float32")

    def get_config(self):
        return {**super().get_config(), "size": self.size, "reference": self.reference}

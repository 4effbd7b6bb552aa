"""Cutting regions out of photographs, inside the graph."""

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="asen_tf")
class RegionCrop(keras.layers.Layer):
    """Regions of an image, each zoomed to one size. No gradient to the regions.

    `tf.image.crop_and_resize` samples without a filter, so that a large region would alias:
    the crop is taken at twice the size and averaged down. Samples of a magnified region that would
    lie outside the centres of the outermost pixels begin (or end) there instead.

    Args:
      size: side of a crop in pixels.

    Call arguments:
      images: uint8 or float [B, S, S, 3].
      regions: float [B, M, 4], `rel_xyxy`; or [R, 4] where `rows` are given. A position counts to
        the 256th of a pixel, so that edges of pixels stay such.
      rows: int [R]: the image that each region is of; None: M regions of each image.

    Returns:
      float32 [B, M, size, size, 3] or [R, size, size, 3], in the value range of the images.
    """

    oversampling = 2

    def __init__(self, size: int, **kwargs):
        # crop_and_resize takes no bfloat16.
        super().__init__(autocast=False, **kwargs)
        self.supports_jit = False  # nor does XLA compile it
        self.size = size

    def call(self, images, regions, rows=None):
        if rows is None:
            batch, count = tf.shape(regions)[0], tf.shape(regions)[1]
            rows = tf.repeat(tf.range(batch), count)
            crops = self.call(images, tf.reshape(regions, (-1, 4)), rows)
            return tf.reshape(crops, (batch, count, self.size, self.size, 3))
        samples = self.size * self.oversampling
        crops = tf.image.crop_and_resize(
            images, self._corners(regions, tf.shape(images)[1]), rows, (samples, samples)
        )
        return tf.nn.avg_pool2d(crops, self.oversampling, self.oversampling, "VALID")

    def by_products(self, images, regions):
        """What a call gives, by matrix products alone, which every runtime has.

        Args:
          images: uint8 or float [B, S, S, 3], S known.
          regions: float [B, M, 4].
        """
        side = images.shape[1]
        top, left, bottom, right = tf.unstack(self._corners(regions, side), axis=-1)
        rows, columns = (
            self._shares(start, end, side)[:, :, None]
            for start, end in ((top, bottom), (left, right))
        )
        planes = tf.transpose(tf.cast(images, tf.float32), (0, 3, 1, 2))[:, None]
        crops = tf.matmul(tf.matmul(rows, planes), columns, transpose_b=True)
        return tf.transpose(crops, (0, 1, 3, 4, 2))

    def _corners(self, regions, side):
        """Top, left, bottom, right as crop_and_resize takes them, float [..., 4]."""
        samples, side = self.size * self.oversampling, tf.cast(side, tf.float32)
        edges = tf.round(tf.stop_gradient(regions) * (256 * side)) / 256
        left, top, right, bottom = tf.unstack(edges, axis=-1)
        # crop_and_resize puts its first and last sample on the corners it is given, counted in
        # pixel centres; these are the centres of the first and the last of the samples.
        down, across = 0.5 * (bottom - top) / samples - 0.5, 0.5 * (right - left) / samples - 0.5
        corners = tf.stack(
            [top + down, left + across, bottom - down - 1, right - across - 1], axis=-1
        )
        return tf.clip_by_value(corners / (side - 1), 0.0, 1.0)

    def _shares(self, start, end, side: int):
        """What each pixel of a crop takes of each row or column: [B, M] -> [B, M, size, side].

        The mean of `oversampling` samples, each between two pixels.
        """
        samples = self.size * self.oversampling
        steps = np.arange(samples, dtype=np.float32) / max(samples - 1, 1)
        places = (start[..., None] + steps * (end - start)[..., None]) * (side - 1)
        shares = tf.nn.relu(1 - tf.abs(places[..., None] - np.arange(side, dtype=np.float32)))
        parts = [shares[:, :, n :: self.oversampling] for n in range(self.oversampling)]
        return tf.add_n(parts) / self.oversampling

    def compute_output_spec(self, images, regions, rows=None):
        return keras.KerasTensor((*regions.shape[:-1], self.size, self.size, 3), "float32")

    def get_config(self):
        return {**super().get_config(), "size": self.size}

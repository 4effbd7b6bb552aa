"""Regions of a feature map, each pooled to one size."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="asen_tf")
class RoIPooling(keras.layers.Layer):
    """Max pooling of regions of interest (Girshick, "Fast R-CNN", ICCV 2015). No gradient to them.

    A region is divided into size x size bins; of each, the largest of 2 x 2 samples counts. Samples
    are bilinear, as those of `tf.image.crop_and_resize`, and lie in the middle of the quarters of
    their bin. They are taken by two matrix products: these have a deterministic gradient on every
    device, and XLA compiles them.

    Args:
      size: bins along either side.

    Call arguments:
      features: float [B, h, w, C].
      boxes: float [B, P, 4], `rel_xyxy`.

    Returns:
      float32 [B, P, size, size, C].
    """

    samples = 2

    def __init__(self, size: int, **kwargs):
        # Eight bits are too few for a position.
        super().__init__(autocast=False, **kwargs)
        if size < 1:
            raise ValueError(f"size must be 1 or more, got {size}")
        self.size = size

    def call(self, features, boxes):
        features = ops.cast(features, "float32")
        height, width, channels = features.shape[1:]
        left, top, right, bottom = ops.unstack(ops.stop_gradient(boxes), 4, axis=-1)
        rows = self._weights(top, bottom, height)
        columns = self._weights(left, right, width)
        sampled = ops.einsum("bpyh,bhwc->bpywc", rows, features)
        sampled = ops.einsum("bpxw,bpywc->bpyxc", columns, sampled)
        bins = (self.size, self.samples)
        sampled = ops.reshape(sampled, (-1, boxes.shape[1], *bins, *bins, channels))
        return ops.max(sampled, axis=(3, 5))

    def _weights(self, start, end, cells):
        """[B, P] each -> [B, P, n, cells]: what each of n samples takes of each cell."""
        count = self.size * self.samples
        share = (ops.arange(count, dtype="float32") + 0.5) / count
        places = start[..., None] + share * (end - start)[..., None]
        places = ops.clip(places * cells - 0.5, 0, cells - 1)
        return ops.relu(1 - ops.abs(places[..., None] - ops.arange(cells, dtype="float32")))

    def get_config(self):
        return {**super().get_config(), "size": self.size}

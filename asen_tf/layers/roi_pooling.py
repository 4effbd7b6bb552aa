"""Regions of a feature map, each pooled to one size."""

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable(package="asen_tf")
class RoIPooling(keras.layers.Layer):
    """Regions of a feature map, enlarged to the size of the map and max pooled as the map would be.

    What is pooled is `tf.image.crop_and_resize(features, boxes, [h, w])`, as in Ak et al. (WACV
    2018): its outermost samples lie on the corners of the region, so that of the whole map it is
    the map itself. The samples are taken by two matrix products: these have a deterministic
    gradient on every device, and XLA compiles them. No gradient to the boxes.

    Args:
      window, stride: of the pooling; the defaults are AlexNet's. A map that is smaller than the
        window is pooled to one cell.

    Call arguments:
      features: float [B, h, w, C].
      boxes: float [B, P, 4], `rel_xyxy`.

    Returns:
      float32 [B, P, y, x, C].
    """

    def __init__(self, window: int = 3, stride: int = 2, **kwargs):
        # Eight bits are too few for a position.
        super().__init__(autocast=False, **kwargs)
        if min(window, stride) < 1:
            raise ValueError(f"window and stride must be 1 or more, got {window} and {stride}")
        self.window, self.stride = window, stride

    def call(self, features, boxes):
        features = ops.cast(features, "float32")
        height, width, channels = features.shape[1:]
        left, top, right, bottom = ops.unstack(ops.stop_gradient(boxes), 4, axis=-1)
        rows, columns = _samples(top, bottom, height), _samples(left, right, width)
        cut = ops.einsum("bpyh,bhwc->bpywc", rows, features)
        cut = ops.reshape(
            ops.einsum("bpxw,bpywc->bpyxc", columns, cut), (-1, height, width, channels)
        )
        window = min(self.window, height), min(self.window, width)
        pooled = tf.nn.max_pool2d(cut, window, self.stride, "VALID")
        return ops.reshape(pooled, (-1, boxes.shape[1], *pooled.shape[1:]))

    def get_config(self):
        return {**super().get_config(), "window": self.window, "stride": self.stride}


def _samples(start, end, cells):
    """[B, P] each -> [B, P, n, cells]: what each of n = cells samples takes of each cell."""
    share = ops.arange(cells, dtype="float32") / max(cells - 1, 1)
    places = (start[..., None] + share * (end - start)[..., None]) * (cells - 1)
    return ops.relu(1 - ops.abs(places[..., None] - ops.arange(cells, dtype="float32")))

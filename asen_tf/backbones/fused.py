"""Batch normalisation in one operation, where Keras takes several passes over its input."""

import contextlib
import contextvars
from collections.abc import Iterator

import keras
import tensorflow as tf

from asen_tf.backbones.rebuild import rebuild

_still = contextvars.ContextVar("still", default=False)


@contextlib.contextmanager
def statistics_stand_still() -> Iterator[None]:
    """Within it, `BatchNormalization` in training leaves its moving statistics as they are."""
    token = _still.set(True)
    try:
        yield
    finally:
        _still.reset(token)


@keras.saving.register_keras_serializable(package="asen_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer over the last axis, computed by TensorFlow's fused operation.

    As in PyTorch, the moving variance is that of the batch without bias (n - 1 instead of n).
    Its name is Keras's own, because the names of classes stand in files of weights.

    Call arguments:
      inputs: float [B, h, w, C], in the compute dtype.
    """

    def call(self, inputs, training=None, mask=None):
        if mask is not None:
            return super().call(inputs, training, mask)
        learning = bool(training and self.trainable)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.cast(self.gamma, tf.float32),
            offset=tf.cast(self.beta, tf.float32),
            mean=tf.cast(self.moving_mean, tf.float32),
            variance=tf.cast(self.moving_variance, tf.float32),
            epsilon=self.epsilon,
            exponential_avg_factor=1 - self.momentum if learning else 1,
            is_training=learning,
        )
        if learning and not _still.get():
            self.moving_mean.assign(mean)
            self.moving_variance.assign(variance)
        return outputs


def fuse(network: keras.Model) -> keras.Model:
    """The functional network, with new weights, with Keras's batch normalisation fused.

    The network itself, where there is none to be fused.
    """
    return rebuild(network, fused) if any(map(fused, network.layers)) else network


def fused(layer: keras.Layer) -> BatchNormalization | None:
    """What takes the place of Keras's batch normalisation of feature maps; None of others."""
    if type(layer) is not keras.layers.BatchNormalization or layer.input_spec.ndim != 4:
        return None
    usual = layer.axis in (-1, 3) and layer.scale and layer.center and not layer.synchronized
    return BatchNormalization.from_config(layer.get_config()) if usual else None

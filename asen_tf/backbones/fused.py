"""Batch normalisation in one operation, where Keras takes several passes over its input."""

import contextlib
import contextvars
from collections.abc import Iterator

import keras
import tensorflow as tf

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

    It keeps the levels of the network's pyramid, `pyramid_outputs`.
    """

    def clone(layer):
        kind = type(layer)
        if kind is keras.layers.BatchNormalization:
            kind = BatchNormalization
        return kind.from_config(layer.get_config())

    pyramid = getattr(network, "pyramid_outputs", {})
    plain = keras.Model(network.input, [network.output, *pyramid.values()])
    copy = keras.models.clone_model(plain, clone_function=clone)
    output, *levels = copy.outputs
    fused = keras.Model(copy.input, output, name=network.name)
    fused.pyramid_outputs = dict(zip(pyramid, levels, strict=True))
    return fused

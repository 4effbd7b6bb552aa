"""The convolutions of AlexNet (Krizhevsky et al., NeurIPS 2012), and those of its later version."""

import keras
import tensorflow as tf
from keras import layers, ops


def build(size: int) -> keras.Model:
    """The network of 2012, up to conv5 before its pooling, in the form whose weights are public.

    Two groups in conv2, conv4 and conv5, as its two GPUs had them; local response normalisation
    with the constants of Caffe. A model from float [B, size, size, 3] to [B, h, w, 256]; of its own
    227 pixels h = w = 13.
    """
    images = keras.Input((size, size, 3))
    features = _convolution(1, 96, 11, 4, "valid")(images)
    features = _pooling(1)(LocalResponseNormalization(name="norm1")(features))
    features = _convolution(2, 256, 5, groups=2)(features)
    features = _pooling(2)(LocalResponseNormalization(name="norm2")(features))
    return keras.Model(images, _last_three(features, 384, 384, groups=2), name="alexnet")


def torchvision(size: int) -> keras.Model:
    """The network of torchvision ("One weird trick", Krizhevsky, 2014), up to its last convolution.

    Fewer channels, no groups, no normalisation. From float [B, size, size, 3] to [B, h, w, 256]; of
    its own 224 pixels h = w = 13.
    """
    images = keras.Input((size, size, 3))
    features = layers.ZeroPadding2D(2, name="padding1")(images)
    features = _pooling(1)(_convolution(1, 64, 11, 4, "valid")(features))
    features = _pooling(2)(_convolution(2, 192, 5)(features))
    return keras.Model(images, _last_three(features, 384, 256), name="alexnet_torchvision")


def _last_three(features, third, fourth, groups=1):
    features = _convolution(3, third, 3)(features)
    features = _convolution(4, fourth, 3, groups=groups)(features)
    return _convolution(5, 256, 3, groups=groups)(features)


def _convolution(place, channels, window, stride=1, padding="same", groups=1):
    return GroupedConvolution(
        channels,
        window,
        stride,
        padding,
        groups=groups,
        activation="relu",
        kernel_initializer="he_normal",
        name=f"conv{place}",
    )


def _pooling(place):
    return layers.MaxPooling2D(3, 2, name=f"pool{place}")


@keras.saving.register_keras_serializable(package="asen_tf")
class GroupedConvolution(layers.Conv2D):
    """Keras's layer, whose groups are convolutions of their own: TensorFlow's need XLA on a CPU."""

    def convolution_op(self, inputs, kernel):
        convolve = super().convolution_op
        if self.groups == 1:
            return convolve(inputs, kernel)
        parts = (ops.split(of, self.groups, axis=-1) for of in (inputs, kernel))
        return ops.concatenate([convolve(*part) for part in zip(*parts, strict=True)], axis=-1)


@keras.saving.register_keras_serializable(package="asen_tf")
class LocalResponseNormalization(layers.Layer):
    """x / (1 + 2e-5 s)^0.75 with the sum s of the squares of five neighbouring channels.

    The paper prints (2 + 1e-4 s)^0.75; this is what Caffe computes, whose weights are public.

    Call arguments:
      features: float [B, h, w, C].
    """

    def call(self, features):
        # TensorFlow has no kernel for processors in eight bits of precision.
        found = tf.nn.local_response_normalization(
            tf.cast(features, tf.float32), 2, 1.0, 2e-5, 0.75
        )
        return tf.cast(found, features.dtype)

    def compute_output_shape(self, shape):
        return shape

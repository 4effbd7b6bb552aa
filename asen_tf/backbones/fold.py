"""Networks in inference, with batch normalisation inside the depthwise convolutions before it."""

import keras
import tensorflow as tf

from asen_tf.backbones.fused import BatchNormalization


def resized(network: keras.Model, size: int, call_function=None) -> keras.Model:
    """The functional network, on the same variables, for images float [B, size, size, 3]."""
    images = keras.Input((size, size, 3), dtype=network.input.dtype)
    return keras.models.clone_model(
        network, images, clone_function=lambda layer: layer, call_function=call_function
    )


def fold(network: keras.Model, size: int) -> keras.Model:
    """The functional network as it runs in inference, on the same variables, in fewer passes.

    Batch normalisation by moving statistics scales and shifts channels. A depthwise convolution can
    do that by its own kernel, which is small enough to be scaled at each call. Other convolutions
    keep theirs, as TensorFlow joins the two itself.
    """
    convolved = {}

    def call(layer, *args, **kwargs):
        if type(layer) is BatchNormalization and id(args[0]) in convolved:
            convolution, inputs, _ = convolved[id(args[0])]
            return _Folded(convolution, layer)(inputs)
        outputs = layer(*args, **kwargs)
        if _foldable(layer):
            convolved[id(outputs)] = layer, args[0], outputs
        return outputs

    return resized(network, size, call)


def _foldable(layer: keras.Layer) -> bool:
    return (
        type(layer) is keras.layers.DepthwiseConv2D
        and layer.activation is keras.activations.linear
        and layer.data_format == "channels_last"
    )


class _Folded(keras.layers.Layer):
    """A depthwise convolution and the batch normalisation behind it."""

    def __init__(self, convolution: keras.layers.DepthwiseConv2D, norm: BatchNormalization):
        super().__init__(dtype=convolution.dtype_policy, name=f"{convolution.name}_folded")
        self.convolution, self.norm = convolution, norm

    def call(self, inputs):
        of, norm = self.convolution, self.norm
        kernel, gamma, beta, mean, variance = (
            tf.cast(weight, tf.float32)
            for weight in (of.kernel, norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
        )
        factor = gamma * tf.math.rsqrt(variance + norm.epsilon)
        before = tf.cast(of.bias, tf.float32) if of.use_bias else 0.0
        outputs = keras.ops.depthwise_conv(
            inputs,
            tf.cast(kernel * tf.reshape(factor, kernel.shape[2:]), inputs.dtype),
            strides=of.strides,
            padding=of.padding,
            data_format=of.data_format,
            dilation_rate=of.dilation_rate,
        )
        return tf.nn.bias_add(outputs, tf.cast(beta + (before - mean) * factor, outputs.dtype))

    def compute_output_shape(self, shape):
        return self.convolution.compute_output_shape(shape)

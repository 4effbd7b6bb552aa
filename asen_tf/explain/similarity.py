"""Which pixels make two photographs alike in one attribute."""

import functools

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from asen_tf.core.errors import unknown_name
from asen_tf.models.base import EmbeddingModel

METHODS = ("gradcam", "saliency", "scorecam")


@keras.saving.register_keras_serializable(package="asen_tf")
class SimilarityHead(keras.layers.Layer):
    """From feature maps to a cosine with one vector, in one attribute.

    Attributes:
      attribute: variable int32 [], which attribute.
      reference: variable float32 [D], the unit vector to compare with.

    Args:
      model: whose `embed_features` embeds.
      dimension: D, the length of its vectors.

    Call arguments:
      features: float32 [B, h, w, C].

    Returns:
      float32 [B, 1].
    """

    def __init__(self, model: EmbeddingModel, dimension: int, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self.attribute = self.add_weight(
            name="attribute", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self.reference = self.add_weight(
            name="reference", shape=(dimension,), initializer="zeros", trainable=False
        )

    def call(self, features):
        ids = ops.broadcast_to(self.attribute, (ops.shape(features)[0], 1))
        vectors = self.model.embed_features(features, ids)[:, 0]
        return ops.sum(vectors * self.reference, axis=-1, keepdims=True)

    def get_config(self):
        return {
            **super().get_config(),
            "model": keras.saving.serialize_keras_object(self.model),
            "dimension": self.reference.shape[0],
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "model": keras.saving.deserialize_keras_object(config["model"])})


class SimilarityMaps:
    """Maps over two photographs of what makes them alike in one attribute, by tf-keras-vis.

    What is explained is the cosine of the embeddings of feature maps, see
    `EmbeddingModel.embed_features`: of ASEN, the global branch's. For the map of one photograph the
    other one's vector stays fixed.

    - "gradcam": Selvaraju et al., ICCV 2017: the last feature maps, each weighted by the mean
      gradient of the cosine; negative sums become 0.
    - "saliency": Simonyan et al., 2013: the gradient of the cosine by the normalised pixels, its
      absolute value, the largest of the three colours.
    - "scorecam": Wang et al., CVPR Workshops 2020: the last feature maps, each weighted by how much
      the cosine is above that of an empty photograph where only what the map shows is left;
      negative sums become 0. No softmax over the channels.

    Args:
      model: what embeds.
      channels: of "scorecam", how many feature maps are tried, those that vary most; each costs a
        pass of the backbone.

    Raises:
      ValueError: the model's embedding needs more than feature maps.
    """

    def __init__(self, model: EmbeddingModel, channels: int = 64):
        if not model.embeds_features:
            raise ValueError(
                f"{type(model).__name__} has no embedding of feature maps alone, through which "
                "pixels could be traced: expected ASEN or a model of one branch"
            )
        self._model, self._trunk = model, model.trunk_of_features
        backbone = self._trunk.backbone
        self._channels = min(channels, backbone.output.shape[-1])
        # A layer of its own, which the methods can name; float32 also of backbones in bfloat16.
        self._features = keras.layers.Activation("linear", dtype="float32", name="feature_maps")
        features = self._features(backbone.output)
        dimension = self._vectors(self._blank(), 0).shape[-1]
        self._head = SimilarityHead(model, dimension, dtype="float32", name="similarity")
        cosine = self._head(features)
        # tf-keras-vis gives models a list of inputs.
        self._cosine = keras.Model([backbone.input], cosine)
        self._odds = _Silent([backbone.input], _log_odds(cosine), name="odds")

    def vectors(self, canvases: np.ndarray, attribute: int) -> np.ndarray:
        """Unit vectors of canvases uint8 [B, S, S, 3], float32 [B, D]."""
        return self._vectors(self._inputs(canvases), attribute).numpy()

    def maps(self, canvases: np.ndarray, attribute: int, method: str) -> np.ndarray:
        """Where each of two photographs is like the other.

        Args:
          canvases: uint8 [2, S, S, 3], the two.
          attribute: number of the attribute.
          method: of `METHODS`.

        Returns:
          float32 [2, h, w], over the centred squares of the photographs, not negative: as large as
          the feature maps, or with "saliency" as the input.

        Raises:
          ValueError: an unknown method, or other canvases.
        """
        if method not in METHODS:
            raise ValueError(unknown_name("method", method, METHODS))
        if np.ndim(canvases) != 4 or len(canvases) != 2:
            raise ValueError(
                f"expected two canvases as [2, S, S, 3], received {list(np.shape(canvases))}"
            )
        inputs = self._inputs(canvases)
        vectors = self._vectors(inputs, attribute)
        self._head.attribute.assign(attribute)
        found = []
        for own, other in ((0, 1), (1, 0)):
            self._head.reference.assign(vectors[other])
            found.append(getattr(self, f"_{method}")(inputs[own : own + 1]))
        return np.concatenate(found).astype(np.float32)

    def _inputs(self, canvases):
        """What the backbone sees, float32 [B, s, s, 3]."""
        pixels = self._model.shrink(tf.cast(canvases, tf.float32))
        return tf.cast(self._trunk.preprocess(pixels), tf.float32)

    def _blank(self):
        return tf.zeros((1, *self._trunk.backbone.input.shape[1:]))

    def _looked_at(self, inputs):
        return tf.cast(self._trunk.backbone(inputs, training=False), tf.float32)

    def _vectors(self, inputs, attribute):
        ids = tf.fill((len(inputs), 1), attribute)
        return self._model.embed_features(self._looked_at(inputs), ids)[:, 0]

    def _gradcam(self, inputs):
        return self._methods["gradcam"](
            _cosine,
            inputs,
            penultimate_layer=self._features,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )

    def _saliency(self, inputs):
        return self._methods["saliency"](_cosine, inputs, normalize_map=False)

    def _scorecam(self, inputs):
        empty = float(self._cosine([self._blank()], training=False)[0, 0])
        return self._methods["scorecam"](
            lambda shares: 2 * shares[:, 0] - 1 - empty,
            inputs,
            penultimate_layer=self._features,
            seek_penultimate_conv_layer=False,
            max_N=self._channels,
            expand_cam=False,
            normalize_cam=False,
        )

    @functools.cached_property
    def _methods(self):
        from tf_keras_vis.gradcam import Gradcam  # a second, and only where it is used
        from tf_keras_vis.saliency import Saliency
        from tf_keras_vis.scorecam import Scorecam

        return {
            "gradcam": Gradcam(self._cosine),
            "saliency": Saliency(self._cosine),
            "scorecam": Scorecam(self._odds),
        }


class _Silent(keras.Model):
    """Predicts without a progress bar."""

    def predict(self, x, batch_size=None):
        return super().predict(x, batch_size, verbose=0)


def _cosine(output):
    return output[:, 0]


def _log_odds(cosine):
    """[B, 1] in -1..1 -> [B, 2], whose softmax is (1 + cosine) / 2 and (1 - cosine) / 2.

    tf-keras-vis takes a classifier's logits for Score-CAM, and their softmax for the score.
    """
    shares = ops.concatenate([1 + cosine, 1 - cosine], axis=-1) / 2
    return ops.log(ops.maximum(shares, keras.config.epsilon()))

"""Attribute-aware spatial attention (ASA)."""

import functools

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="asen_tf")
class AttributeSpatialAttention(keras.layers.Layer):
    """Where to look for an attribute, and what is seen there (ASA of ASEN++).

    p(x) = tanh(Conv1x1(x)) and p(a) = tanh(W a), both of K channels;
    alpha = softmax over the positions of <p(a), p(x)> / sqrt(K); x_s = sum of alpha * x.

    Args:
      dim: K (512 in the paper's global branch, 256 in its local one).
      learned_scale: whether the scores before the softmax are multiplied by a factor that is
        learned, 1 at first, so that attention can become as narrow as it needs to be.

    Call arguments:
      features: float [B, h, w, C].
      attributes: float [B, E], one attribute an image, or [B, M, E], M of them, for which the
        features are projected once.

    Returns:
      pooled [B, C] or [B, M, C]; attention float32 [B, h, w] or [B, M, h, w], summing to 1.
    """

    def __init__(self, dim: int = 512, learned_scale: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.learned_scale = learned_scale
        dense = functools.partial(keras.layers.Dense, dim, "tanh", dtype=self.dtype_policy)
        self.feature_projection = dense(name="feature_projection")
        self.attribute_projection = dense(name="attribute_projection")

    def build(self, features_shape, attributes_shape):
        self.feature_projection.build(features_shape)
        self.attribute_projection.build(attributes_shape)
        if self.learned_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def call(self, features, attributes):
        if len(attributes.shape) == 2:
            pooled, attention = self(features, attributes[:, None])
            return pooled[:, 0], attention[:, 0]
        batch, height, width, channels = ops.shape(features)
        count = ops.shape(attributes)[1]
        x = ops.reshape(features, (batch, height * width, channels))
        keys = self.feature_projection(x)
        queries = self.attribute_projection(attributes)
        logits = ops.einsum("bmk,bnk->bmn", queries, keys) / self.dim**0.5
        if self.learned_scale:
            logits = logits * self.scale
        attention = ops.softmax(ops.cast(logits, "float32"), axis=-1)
        pooled = ops.einsum("bmn,bnc->bmc", ops.cast(attention, x.dtype), x)
        return pooled, ops.reshape(attention, (batch, count, height, width))

    def get_config(self):
        return {**super().get_config(), "dim": self.dim, "learned_scale": self.learned_scale}


def mean_pooling(features, count: tuple):
    """What spatial attention gives that weighs every position alike: "without ASA".

    Args:
      features: float [B, h, w, C].
      count: how many attributes an image has: (M,), or () for one.

    Returns:
      pooled [B, *count, C]; attention [B, *count, h, w].
    """
    batch, height, width, channels = ops.shape(features)
    pooled = ops.reshape(ops.mean(features, axis=(1, 2)), (batch, *[1] * len(count), channels))
    pooled = ops.broadcast_to(pooled, (batch, *count, channels))
    return pooled, ops.full((batch, *count, height, width), 1 / (height * width))

"""Attribute-aware channel attention (ACA)."""

import functools

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="asen_tf")
class AttributeChannelAttention(keras.layers.Layer):
    """Which channels matter for an attribute (ACA of ASEN++).

    q(a) = act(W a); alpha_c = sigmoid(W2 relu(W1 [x_s, q(a)])); x_c = x_s * alpha_c.

    Args:
      reduction: W1 leads to C / reduction channels (2 in the paper).
      query_activation: of q(a): "relu" as in the authors' code, or "tanh" as their slides print.

    Call arguments:
      pooled: float [..., C], what spatial attention saw.
      attributes: float [..., E].

    Returns:
      float [..., C].
    """

    def __init__(self, reduction: int = 2, query_activation: str = "relu", **kwargs):
        super().__init__(**kwargs)
        self.reduction = reduction
        self.query_activation = query_activation

    def build(self, pooled_shape, attributes_shape):
        channels, dim = pooled_shape[-1], attributes_shape[-1]
        dense = functools.partial(keras.layers.Dense, dtype=self.dtype_policy)
        self.query = dense(dim, self.query_activation, name="query")
        self.squeeze = dense(channels // self.reduction, "relu", name="squeeze")
        self.excite = dense(channels, "sigmoid", name="excite")
        self.query.build(attributes_shape)
        self.squeeze.build((*pooled_shape[:-1], channels + dim))
        self.excite.build((*pooled_shape[:-1], channels // self.reduction))

    def call(self, pooled, attributes):
        return pooled * self.weights_of(pooled, attributes)

    def weights_of(self, pooled, attributes):
        """alpha_c, float [..., C] in 0..1."""
        both = ops.concatenate([pooled, self.query(attributes)], axis=-1)
        return self.excite(self.squeeze(both))

    def compute_output_shape(self, pooled_shape, attributes_shape):
        return pooled_shape

    def get_config(self):
        own = {"reduction": self.reduction, "query_activation": self.query_activation}
        return {**super().get_config(), **own}

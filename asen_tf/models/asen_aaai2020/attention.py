"""The two attentions of the first ASEN, in which attributes are one-hot vectors."""

import keras
from keras import ops


def attribute_table(attributes: int, dim: int, name: str) -> keras.layers.Embedding:
    """A linear map of one-hot vectors without bias: a row each. It starts as PyTorch starts one."""
    bound = attributes**-0.5
    start = keras.initializers.RandomUniform(-bound, bound)
    table = keras.layers.Embedding(attributes, dim, start, name=name)
    table.build()
    return table


@keras.saving.register_keras_serializable(package="asen_tf")
class SpatialAttention(keras.layers.Layer):
    """Where to look for an attribute (Ma et al., AAAI 2020, ASA).

    p(x) = tanh(Conv1x1(x)) and p(a) = tanh(W a), both of K channels;
    alpha = softmax over the positions of tanh(<w, p(a) * p(x)> + b), the 1 x 1 convolution to one
    channel; x_s = sum of alpha * x.

    Args:
      attributes: number of attributes, A.
      dim: K (512 in the paper).

    Call arguments:
      features: float [B, h, w, C].
      ids: int [B, M], each in [0, A).

    Returns:
      pooled [B, M, C]; attention float32 [B, M, h, w], summing to 1.
    """

    def __init__(self, attributes: int, dim: int = 512, **kwargs):
        super().__init__(**kwargs)
        self.attributes = attributes
        self.dim = dim
        self.feature_projection = keras.layers.Dense(dim, "tanh", name="feature_projection")
        self.attribute_projection = attribute_table(attributes, dim, "attribute_projection")

    def build(self, features_shape, ids_shape):
        self.feature_projection.build(features_shape)
        self.score = self.add_weight(name="score", shape=(self.dim, 1))
        self.score_bias = self.add_weight(name="score_bias", shape=(), initializer="zeros")

    @property
    def table(self) -> keras.Variable:
        """A row for each attribute, [A, K]."""
        return self.attribute_projection.embeddings

    def call(self, features, ids):
        batch, height, width, channels = ops.shape(features)
        x = ops.reshape(features, (batch, height * width, channels))
        keys = self.feature_projection(x)
        queries = ops.tanh(self.attribute_projection(ids)) * self.score[:, 0]
        logits = ops.tanh(ops.einsum("bmk,bnk->bmn", queries, keys) + self.score_bias)
        attention = ops.softmax(ops.cast(logits, "float32"), axis=-1)
        pooled = ops.einsum("bmn,bnc->bmc", ops.cast(attention, x.dtype), x)
        return pooled, ops.reshape(attention, (batch, -1, height, width))

    def get_config(self):
        return {**super().get_config(), "attributes": self.attributes, "dim": self.dim}


@keras.saving.register_keras_serializable(package="asen_tf")
class ChannelAttention(keras.layers.Layer):
    """Which channels matter for an attribute (Ma et al., AAAI 2020, ACA).

    q(a) = relu(W a), of C channels; alpha_c = sigmoid(W2 relu(W1 [x_s, q(a)]));
    x_c = x_s * alpha_c.

    Args:
      attributes: number of attributes, A.
      reduction: W1 leads to C / reduction channels (2 in the paper).

    Call arguments:
      pooled: float [B, M, C], what spatial attention saw.
      ids: int [B, M], each in [0, A).

    Returns:
      float [B, M, C].
    """

    def __init__(self, attributes: int, reduction: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.attributes = attributes
        self.reduction = reduction

    def build(self, pooled_shape, ids_shape):
        channels = pooled_shape[-1]
        self.query = attribute_table(self.attributes, channels, "query")
        self.squeeze = keras.layers.Dense(channels // self.reduction, "relu", name="squeeze")
        self.excite = keras.layers.Dense(channels, "sigmoid", name="excite")
        self.squeeze.build((*pooled_shape[:-1], 2 * channels))
        self.excite.build((*pooled_shape[:-1], channels // self.reduction))

    @property
    def table(self) -> keras.Variable:
        """A row for each attribute, [A, C]."""
        return self.query.embeddings

    def call(self, pooled, ids):
        return pooled * self.weights_of(pooled, ids)

    def weights_of(self, pooled, ids):
        """alpha_c, float [B, M, C] in 0..1."""
        seen_and_asked = ops.concatenate([pooled, ops.relu(self.query(ids))], axis=-1)
        return self.excite(self.squeeze(seen_and_asked))

    def get_config(self):
        return {
            **super().get_config(),
            "attributes": self.attributes,
            "reduction": self.reduction,
        }

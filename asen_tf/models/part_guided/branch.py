"""What makes a signature vector of pooled feature maps."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="asen_tf")
class Branch(keras.layers.Layer):
    """A vector of some regions of an image: two fully connected layers on their pooled features.

    Args:
      hidden_dim: length of the layer between.
      embedding_dim: length of the vector, D.

    Call arguments:
      pooled: float [B, P, y, x, C], the regions' features.

    Returns:
      float32 [B, D], not normalised.
    """

    def __init__(self, hidden_dim: int, embedding_dim: int, **kwargs):
        super().__init__(**kwargs)
        self._config = {"hidden_dim": hidden_dim, "embedding_dim": embedding_dim}
        dtype = self.dtype_policy
        self.hidden = keras.layers.Dense(hidden_dim, "relu", dtype=dtype, name="hidden")
        self.embedding = keras.layers.Dense(embedding_dim, dtype=dtype, name="embedding")
        self.flatten = keras.layers.Flatten(dtype=dtype)

    def build(self, pooled_shape):
        flat = self.flatten.compute_output_shape(pooled_shape)
        self.hidden.build(flat)
        self.embedding.build(self.hidden.compute_output_shape(flat))

    def call(self, pooled):
        return tf.cast(self.embedding(self.hidden(self.flatten(pooled))), tf.float32)

    def get_config(self):
        return {**super().get_config(), **self._config}

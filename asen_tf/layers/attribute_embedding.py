"""The vectors that stand for the attributes."""

import keras


@keras.saving.register_keras_serializable(package="asen_tf")
class AttributeEmbedding(keras.layers.Layer):
    """A learnt vector for each attribute, shared by both branches (ASEN++).

    Args:
      attributes: number of attributes, A.
      dim: length of a vector, E (512 in the paper).

    Call arguments:
      ids: int [...], each in [0, A).

    Returns:
      float [..., E].
    """

    def __init__(self, attributes: int, dim: int = 512, **kwargs):
        super().__init__(**kwargs)
        self.attributes = attributes
        self.dim = dim

    def build(self, input_shape):
        # Unit normal, as torch.nn.Embedding starts.
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.attributes, self.dim),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def call(self, ids):
        return keras.ops.take(keras.ops.cast(self.embeddings, self.compute_dtype), ids, axis=0)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.dim)

    def get_config(self):
        return {**super().get_config(), "attributes": self.attributes, "dim": self.dim}

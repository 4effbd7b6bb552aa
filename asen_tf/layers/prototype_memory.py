"""A memory of prototypes, and the controller that reads it."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="asen_tf")
class PrototypeMemory(keras.layers.Layer):
    """A prototype for each attribute value, read by a wanted change (Zhao et al., CVPR 2017).

    read = softmax(K wanted) P, with the prototypes P and the controller K, which starts as
    `sharpness` times the identity: it reads the mean prototype of the wanted values, and learns
    which others help.

    Args:
      values: number of prototypes, V.
      dim: length of a prototype, D.
      sharpness: at the start, by how much the logit of a wanted value exceeds those of the others.

    Call arguments:
      wanted: float [..., V], 1 for each value that is wanted, else 0.

    Returns:
      float [..., D].
    """

    def __init__(self, values: int, dim: int, sharpness: float = 10.0, **kwargs):
        super().__init__(**kwargs)
        self.values = values
        self.dim = dim
        self.sharpness = sharpness

    def build(self, input_shape):
        self.prototypes = self.add_weight(
            name="prototypes",
            shape=(self.values, self.dim),
            initializer=keras.initializers.RandomNormal(stddev=self.dim**-0.5),
        )
        self.controller = self.add_weight(
            name="controller",
            shape=(self.values, self.values),
            initializer=keras.initializers.Identity(self.sharpness),
        )

    def call(self, wanted):
        attention = ops.softmax(ops.matmul(wanted, self.controller), axis=-1)
        return ops.matmul(attention, self.prototypes)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.dim)

    def get_config(self):
        own = {"values": self.values, "dim": self.dim, "sharpness": self.sharpness}
        return {**super().get_config(), **own}

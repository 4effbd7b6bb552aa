"""Which dimensions of a shared embedding count for an attribute."""

import keras
import numpy as np
from keras import ops

from asen_client.core.errors import unknown_name
from asen_tf.core.choices import MASKS


@keras.saving.register_keras_serializable(package="asen_tf")
class AttributeMask(keras.layers.Layer):
    """A mask for each attribute over the dimensions of an embedding (Veit et al., CVPR 2017).

    Args:
      attributes: number of attributes, A.
      dim: length of the embedding, D.
      masks: "learned": ReLU of weights that start at normal(0.9, 0.7); "disjoint": each attribute
        has D // A dimensions of its own and nothing is learned. The D % A last ones are nobody's.

    Call arguments:
      ids: int [...], each in [0, A).

    Returns:
      float [..., D], not negative.
    """

    def __init__(self, attributes: int, dim: int, masks: str = "learned", **kwargs):
        super().__init__(**kwargs)
        if masks not in MASKS:
            raise ValueError(unknown_name("kind of masks", masks, MASKS))
        if masks == "disjoint" and dim < attributes:
            raise ValueError(
                f"disjoint masks need a dimension for each of the {attributes} attributes, "
                f"the embedding has {dim}"
            )
        self.attributes = attributes
        self.dim = dim
        self.masks = masks

    def build(self, input_shape):
        if self.masks == "learned":
            self.weight = self.add_weight(
                name="weight",
                shape=(self.attributes, self.dim),
                initializer=keras.initializers.RandomNormal(0.9, 0.7),
            )

    def call(self, ids):
        if self.masks == "learned":
            return ops.relu(ops.take(ops.cast(self.weight, self.compute_dtype), ids, axis=0))
        owned = np.repeat(np.eye(self.attributes), self.dim // self.attributes, axis=1)
        masks = np.pad(owned, [(0, 0), (0, self.dim - owned.shape[1])])
        return ops.take(ops.convert_to_tensor(masks, self.compute_dtype), ids, axis=0)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.dim)

    def get_config(self):
        own = {"attributes": self.attributes, "dim": self.dim, "masks": self.masks}
        return {**super().get_config(), **own}

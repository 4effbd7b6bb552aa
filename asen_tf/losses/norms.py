"""Penalties on the size of an output."""

import keras
from keras import ops

from asen_client.core.errors import unknown_name
from asen_tf.core.choices import NORMS
from asen_tf.losses.base import Loss, example_mean


@keras.saving.register_keras_serializable(package="asen_tf")
class NormLoss(Loss):
    """The size of an output: the sum of its numbers, or of their squares.

    Of conditional similarity networks, `embedding_norm` is the squared length of the embedding
    before it is masked, `mask_norm` the sum of the mask's numbers, which are not negative; the
    paper weighs them 5e-3 and 5e-4 (Veit et al., CVPR 2017, section 3).

    Args:
      output: name of the output, float [N, M, D].
      norm: "sum" or "squares".
      name: what it is called in logs.
    """

    def __init__(self, output: str, norm: str = "squares", name: str = "norm"):
        super().__init__(output, name)
        if norm not in NORMS:
            raise ValueError(unknown_name("norm", norm, NORMS))
        self.norm = norm

    def call(self, y_true, y_pred):
        (numbers,) = self.select(y_pred)
        if self.norm == "squares":
            numbers = numbers**2
        return example_mean(y_true, ops.sum(numbers, axis=-1))

    def get_config(self) -> dict:
        return {**super().get_config(), "norm": self.norm}

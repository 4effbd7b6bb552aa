"""What the answer to "Extract parts?" is trained for (Ak et al., WACV 2018)."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from asen_tf.losses import Loss
from asen_tf.losses.base import example_mean


@keras.saving.register_keras_serializable(package="asen_tf")
class PartCaseLoss(Loss):
    """Cross entropy of the three cases, whose targets the outline of the garment gives.

    Args:
      output: names of the logits, float [N, 3], and of the targets, int [N].
      name: what it is called in logs.
    """

    def __init__(self, output: Sequence[str] = ("case_logits", "case"), name: str = "part_case"):
        super().__init__(output, name)

    def call(self, y_true, y_pred):
        logits, cases = self.select(y_pred)
        wanted = tf.one_hot(tf.cast(cases, tf.int32), logits.shape[-1])
        losses = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
        return example_mean(y_true, losses[:, None])

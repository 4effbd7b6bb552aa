"""Classification of every attribute at once."""

import itertools
from collections.abc import Sequence

import keras
import tensorflow as tf

from asen_tf.losses.base import Loss, example_mean


def attribute_cross_entropy(logits, labels, offsets: Sequence[int], total: bool = False):
    """Mean over an image's labelled attributes of the cross entropy among the attribute's values.

    Several values of an attribute share its probability alike; an attribute without a value does
    not count.

    Args:
      logits: float [B, V], in the flat numbering of values.
      labels: bool [B, V], the values each image carries.
      offsets: `AttributeSpace.offsets`.
      total: the sum over the labelled attributes instead.

    Returns:
      float [B], 0 for an image without labels.
    """
    losses, labelled = [], []
    for start, stop in itertools.pairwise(offsets):
        given = tf.cast(labels[:, start:stop], logits.dtype)
        count = tf.reduce_sum(given, axis=1, keepdims=True)
        wanted = tf.math.divide_no_nan(given, count)
        # TensorFlow's own cross entropy has a wrong gradient where nothing is wanted.
        chances = tf.nn.log_softmax(logits[:, start:stop])
        losses.append(-tf.reduce_sum(wanted * chances, axis=1))
        labelled.append(tf.cast(count[:, 0] > 0, logits.dtype))
    return sum(losses) if total else tf.math.divide_no_nan(sum(losses), sum(labelled))


@keras.saving.register_keras_serializable(package="asen_tf")
class ClassificationLoss(Loss):
    """Cross entropy of every attribute's values, see `attribute_cross_entropy`.

    Args:
      output: name of the logits, float [N, V], in the flat numbering of values.
      offsets: `AttributeSpace.offsets`.
      total: whether attributes add up, as in Ak et al. (WACV 2018), rather than their mean counts.
      name: what it is called in logs.

    Returns:
      float [E], a value for each image, or the mean over the roles of each triplet.
    """

    needs_labels = True

    def __init__(
        self,
        output: str = "logits",
        offsets: Sequence[int] = (),
        total: bool = False,
        name: str = "classification",
    ):
        super().__init__(output, name)
        self.offsets = tuple(offsets)
        self.total = total

    def call(self, y_true, y_pred):
        (logits,) = self.select(y_pred)
        loss = attribute_cross_entropy(logits, y_true["labels"], self.offsets, self.total)
        return example_mean(y_true, loss[:, None])

    def get_config(self) -> dict:
        return {**super().get_config(), "offsets": self.offsets, "total": self.total}

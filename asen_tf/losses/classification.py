"""Classification of every attribute at once."""

import itertools
from collections.abc import Sequence

import tensorflow as tf


def attribute_cross_entropy(logits, labels, offsets: Sequence[int]):
    """Mean over an image's labelled attributes of the cross entropy among the attribute's values.

    Several values of an attribute share its probability alike; an attribute without a value does
    not count.

    Args:
      logits: float [B, V], in the flat numbering of values.
      labels: bool [B, V], the values each image carries.
      offsets: `AttributeSpace.offsets`.

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
    return tf.math.divide_no_nan(sum(losses), sum(labelled))

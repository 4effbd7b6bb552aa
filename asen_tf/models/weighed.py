"""Two unit vectors as one, whose dot product weighs their cosines."""

from collections.abc import Sequence

import tensorflow as tf

# A part without weight keeps its direction, so that it can be measured by itself.
_LEAST = 1e-6


def weighed(
    first: tf.Tensor, second: tf.Tensor, weights: float | Sequence[float], attributes: tf.Tensor
) -> tf.Tensor:
    """concat(sqrt(w) first, sqrt(1 - w) second), a unit vector.

    Args:
      first, second: unit vectors, float32 [B, M, C] and [B, M, D].
      weights: w in [0, 1], one number or one for each attribute; moved by 1e-6 from either end.
      attributes: int [B, M], what each vector is for.

    Returns:
      float32 [B, M, C + D].
    """
    every = tf.clip_by_value(tf.constant(weights, tf.float32), _LEAST, 1 - _LEAST)
    own = tf.gather(every, attributes)[..., None] if every.shape.rank else every
    return tf.concat([tf.sqrt(own) * first, tf.sqrt(1 - own) * second], axis=-1)

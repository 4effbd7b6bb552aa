"""How far apart embeddings are: of pairs, and of all pairs of a batch."""

import tensorflow as tf
from keras import ops

from asen_client.core.errors import unknown_name
from asen_tf.core.choices import DISTANCES

# The root's gradient is infinite at 0.
LEAST_SQUARE = 1e-12


def cosine(a, b):
    """Cosine of two vectors: [..., D], [..., D] -> [...]."""
    return ops.sum(ops.normalize(a, axis=-1) * ops.normalize(b, axis=-1), axis=-1)


def similarity(a, b, distance: str = "cosine"):
    """The cosine, or the negative distance: [..., D], [..., D] -> [...].

    Args:
      a, b: embeddings, not normalised.
      distance: of `DISTANCES`. The gradient of the Euclidean one is 0 where both are equal.
    """
    check_distance(distance)
    if distance == "cosine":
        return cosine(a, b)
    squared = ops.sum((a - b) ** 2, axis=-1)
    if distance == "squared_euclidean":
        return -squared
    return -ops.sqrt(ops.maximum(squared, LEAST_SQUARE))


def pairwise_similarity(embeddings, distance: str = "cosine"):
    """`similarity` of all pairs: [..., B, D] -> [..., B, B]."""
    check_distance(distance)
    if distance == "cosine":
        unit = tf.math.l2_normalize(embeddings, axis=-1)
        return tf.matmul(unit, unit, transpose_b=True)
    squares = tf.reduce_sum(embeddings**2, axis=-1)
    products = tf.matmul(embeddings, embeddings, transpose_b=True)
    squared = squares[..., :, None] + squares[..., None, :] - 2.0 * products
    if distance == "squared_euclidean":
        return -tf.maximum(squared, 0.0)
    return -tf.sqrt(tf.maximum(squared, LEAST_SQUARE))


def check_distance(distance: str) -> None:
    """Raises ValueError, naming the nearest, for an unknown distance."""
    if distance not in DISTANCES:
        raise ValueError(unknown_name("distance", distance, DISTANCES))

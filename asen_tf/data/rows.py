"""Rows of large arrays, read inside TensorFlow graphs."""

import numpy as np
import tensorflow as tf


def places_of(rows: np.ndarray, count: int) -> np.ndarray:
    """Where each of `count` rows stands among these, int64; beyond their end, if it does not."""
    places = np.full(count, len(rows), np.int64)
    places[rows] = np.arange(len(rows))
    return places


def read_rows(table: np.ndarray, places: tf.Tensor) -> tf.Tensor:
    """Copies what is asked for into memory, and no more; a constant would be a second table.

    Args:
      table: [N, ...], in memory or mapped from a file.
      places: int64 [B].

    Raises:
      IndexError: a place beyond the end; in a graph tf.errors.UnknownError, which names it.
    """
    found = tf.numpy_function(lambda at: table[at], [places], table.dtype, stateful=False)
    return tf.ensure_shape(found, (None, *table.shape[1:]))

"""Rows of large arrays, read inside TensorFlow graphs."""

import functools
import weakref

import numpy as np
import tensorflow as tf


def places_of(rows: np.ndarray, count: int) -> np.ndarray:
    """Where each of `count` rows stands among these, int64; beyond their end, if it does not."""
    places = np.full(count, len(rows), np.int64)
    places[rows] = np.arange(len(rows))
    return places


def read_rows(table: np.ndarray, *places: tf.Tensor) -> tf.Tensor:
    """Copies what is asked for into memory, and no more; a constant would be a second table.

    Args:
      table: [N, ...], in memory or mapped from a file. In a graph the function that calls this one
        is to hold it: what TensorFlow itself holds for a graph stays until the process ends.
      places: int64 [B]; more, int [B] or [B, M], are places along the axes that follow.

    Raises:
      IndexError: a place beyond the end; in a graph tf.errors.UnknownError, which names it.
    """
    held = weakref.ref(table)
    found = tf.numpy_function(lambda *at: held()[at], [*places], table.dtype, stateful=False)
    asked = functools.reduce(tf.broadcast_static_shape, (at.shape for at in places))
    return tf.ensure_shape(found, (*asked, *table.shape[len(places) :]))

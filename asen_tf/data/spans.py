"""Lists of different lengths, end to end in one array: span e is `splits[e] .. splits[e + 1]`."""

import numpy as np
import tensorflow as tf

from asen_tf.data import counter


def splits_of(lengths: np.ndarray) -> np.ndarray:
    """Where spans of these lengths begin: [E] -> int64 [E + 1]."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def span(splits: np.ndarray, entries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where the entries' spans begin and end: int64 [B] -> two int64 [B]."""
    return tf.gather(splits, entries), tf.gather(splits, entries + 1)


def within(splits: np.ndarray, entries: tf.Tensor, random_bits: tf.Tensor) -> tf.Tensor:
    """A uniform place in the span of each entry: int64 [B], uint64 [B] -> int64 [B]."""
    start, stop = span(splits, entries)
    return start + counter.below(random_bits, stop - start)

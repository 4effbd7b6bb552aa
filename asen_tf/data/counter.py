"""Random numbers by counting: number n of a seed can be had without the ones before it."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

# SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a Weyl sequence and a bit mixer.
_GOLDEN = 0x9E3779B97F4A7C15
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def bits(seed: int, numbers: tf.Tensor) -> tf.Tensor:
    """64 random bits for each number: int64 [...] -> uint64 [...]."""
    start = _mix(tf.constant(seed % 2**64, tf.uint64) * tf.constant(_GOLDEN, tf.uint64))
    return _mix(start + (tf.cast(numbers, tf.uint64) + 1) * tf.constant(_GOLDEN, tf.uint64))


def draws(seed: int, numbers: tf.Tensor, names: Sequence[str]) -> dict[str, tf.Tensor]:
    """Random bits for each of several draws that an example needs: name -> uint64 [...]."""
    places = numbers[..., None] * len(names) + tf.range(len(names), dtype=tf.int64)
    return dict(zip(names, tf.unstack(bits(seed, places), axis=-1), strict=True))


def below(random_bits: tf.Tensor, bounds: tf.Tensor) -> tf.Tensor:
    """Uniform integers in [0, bound): uint64 [...], int64 [...] -> int64 [...].

    The remainder of 64 bits: its bias is below bound / 2**64.
    """
    return tf.cast(random_bits % tf.cast(bounds, tf.uint64), tf.int64)


def splits_of(lengths: np.ndarray) -> np.ndarray:
    """Where lists of these lengths begin, end to end in one array: [E] -> int64 [E + 1]."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def span(splits: np.ndarray, entries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where the entries' lists begin and end: int64 [B] -> two int64 [B]."""
    return tf.gather(splits, entries), tf.gather(splits, entries + 1)


def within(splits: np.ndarray, entries: tf.Tensor, random_bits: tf.Tensor) -> tf.Tensor:
    """A uniform place in the list of each entry: int64 [B], uint64 [B] -> int64 [B]."""
    start, stop = span(splits, entries)
    return start + below(random_bits, stop - start)


def shuffled(seed: int, numbers: tf.Tensor, count: int) -> tf.Tensor:
    """Places in a permutation that is another one each epoch: int64 [B] -> int64 [B].

    Number n stands at place n % count of epoch n // count, so that `count` numbers in a row that
    begin an epoch are each of 0 .. count - 1 once.
    """
    epochs, places = numbers // count, numbers % count
    seeds = bits(seed, epochs)
    words = [
        tf.cast(tf.bitwise.right_shift(seeds, tf.constant(n, tf.uint64)), tf.uint32)
        for n in (0, 16, 32)
    ]
    # The raw op: its wrapper takes one seed for all indices only.
    return tf.raw_ops.RandomIndexShuffle(
        index=places, seed=tf.stack(words, axis=1), max_index=tf.constant(count - 1, tf.int64)
    )


def uniform(random_bits: tf.Tensor) -> tf.Tensor:
    """Uniform floats in [0, 1): uint64 [...] -> float32 [...]."""
    return (
        tf.cast(tf.bitwise.right_shift(random_bits, tf.constant(40, tf.uint64)), tf.float32) / 2**24
    )


def _mix(x):
    for shift, factor in _MIX:
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(shift, tf.uint64)))
        x *= tf.constant(factor, tf.uint64)
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(31, tf.uint64)))

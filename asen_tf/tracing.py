"""How functions become TensorFlow's graphs: as they are written.

Control flow is explicit everywhere (`tf.cond`, `tf.while_loop`, `tf.map_fn`), as in Keras 3.
AutoGraph would translate the source of every function that is called, which takes seconds of each
program's start.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

traced = functools.partial(tf.function, autograph=False)


def mapped(
    dataset: tf.data.Dataset, function: Callable, at_once: int | None = None
) -> tf.data.Dataset:
    """A dataset whose function becomes a graph as it is written, without tf.data's autotuner.

    The tuner's thread sleeps twice as long each time, and often the end of a dataset waits for it:
    40 s after as many. So many calls run `at_once`; None: each when its result is asked for.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    as_written = tf.autograph.experimental.do_not_convert(function)
    return dataset.map(as_written, num_parallel_calls=at_once).with_options(options)

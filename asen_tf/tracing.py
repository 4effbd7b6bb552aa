"""How functions become TensorFlow's graphs: as they are written.

Control flow is explicit everywhere (`tf.cond`, `tf.while_loop`, `tf.map_fn`), as in Keras 3.
AutoGraph would translate the source of every function that is called, which takes seconds of each
program's start.
"""

import functools

import tensorflow as tf

traced = functools.partial(tf.function, autograph=False)
as_written = tf.autograph.experimental.do_not_convert  # for functions that tf.data traces


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset without tf.data's autotuner: what it would choose is set.

    Its thread sleeps twice as long each time, and often the end of a dataset waits for it: 40 s
    after as many.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)

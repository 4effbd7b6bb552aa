"""Backbones by themselves: below their time no step around them can come."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from asen_tf.tracing import traced


def alone(backbones: Sequence[tuple[keras.Model, int]], training: bool) -> Callable[[], object]:
    """A pass of each backbone over so many images.

    Args:
      backbones: each with how many images go through it.
      training: as in training, with the gradients of its variables; else forward as in inference.
    """

    def one_pass():
        made = []
        for network, count in backbones:
            images = tf.ones((count, *network.input.shape[1:]), network.input.dtype)
            maps = keras.tree.flatten(network(images, training=training))
            if training:
                loss = tf.add_n([tf.reduce_sum(tf.cast(at, tf.float32)) for at in maps])
                maps = tf.gradients(loss, [v.value for v in network.trainable_variables])
            made += maps
        # Of each one number, or nothing would be computed.
        return tf.add_n([tf.cast(tf.reshape(of, [-1])[0], tf.float32) for of in made])

    run = traced(one_pass)
    return lambda: run().numpy()

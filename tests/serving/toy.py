"""A small SavedModel whose signatures answer at once, refuse, or take long, and what tests of
servers do with it."""

import shutil
import time

import tensorflow as tf

SLOW_SECONDS = 1.0


class Module(tf.Module):
    """Signatures that answer at once, refuse, or take `SLOW_SECONDS`."""

    def __init__(self, factor):
        super().__init__()
        self.factor = tf.Variable(factor)

    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32, "x")])
    def scale(self, x):
        return {"scaled": x * self.factor, "sum": tf.reduce_sum(x, 1)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "names")])
    def refuse(self, names):
        message = tf.strings.join(["photograph 1: is no '", names[1], "'"])
        with tf.control_dependencies([tf.debugging.Assert(tf.size(names) < 2, [message])]):
            return {"names": tf.identity(names)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "names")])
    def echo(self, names):
        return {"names": tf.identity(names)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, "x")])
    def wait(self, x):
        # A batcher waits so long for a batch to fill.
        batched = tf.nondifferentiable_batch_function(4, 1000, int(SLOW_SECONDS * 1e6))
        return {"x": batched(lambda x: x + 0)(x)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, "x")])
    def spin(self, x):
        # Minutes, step by step.
        return {
            "x": tf.while_loop(lambda x: True, lambda x: (x + 1,), (x,), maximum_iterations=10**8)[
                0
            ]
        }

    @tf.function(input_signature=[])
    def kinds(self):
        return {
            "half": tf.constant([1.5], tf.float16),
            "flags": tf.constant([True, False]),
            "small": tf.constant([[250]], tf.uint8),
            "large": tf.constant(2**40, tf.int64),
            "bytes": tf.constant(b"\0a\0"),
        }


def put(source, target):
    """Copies a version as an export writes it: aside, then renamed."""
    shutil.copytree(source, target.with_name(f".{target.name}"))
    target.with_name(f".{target.name}").rename(target)


def eventually(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)

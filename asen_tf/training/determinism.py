"""The same numbers from the same seed on the same device."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

# TensorFlow exports the way in only.
from tensorflow.python.framework import config as _config


@contextlib.contextmanager
def enabled(wanted: bool = True) -> Iterator[None]:
    """Within it, TensorFlow computes the same each time, if wanted."""
    if not wanted or _config.is_op_determinism_enabled():
        yield
        return
    # It joins sums of two into one of more, which is taken in the order in which they are ready;
    # see `TrainStep`.
    before = tf.config.optimizer.get_experimental_options().get("arithmetic_optimization", True)
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": before})
        _config.disable_op_determinism()

"""The same numbers from the same seed on the same device."""

import tensorflow as tf


def enable() -> None:
    """Has TensorFlow compute the same each time, for the rest of the process."""
    tf.config.experimental.enable_op_determinism()
    # It joins sums of two into one of more, which is taken in the order in which they are ready;
    # see `TrainStep`.
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})

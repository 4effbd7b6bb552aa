"""Training: stages are data, one loop runs them all."""

from asen_tf.training.optimizers import OPTIMIZERS, SCHEDULES, optimizer

__all__ = ["OPTIMIZERS", "SCHEDULES", "optimizer"]

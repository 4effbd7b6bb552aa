"""Training: stages are data, one loop runs them all."""

from asen_tf.core.registries import OPTIMIZERS, SCHEDULES
from asen_tf.training.optimizers import optimizer

__all__ = ["OPTIMIZERS", "SCHEDULES", "optimizer"]

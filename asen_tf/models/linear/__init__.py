"""A linear baseline: discriminants of a frozen backbone's features."""

from asen_tf.models.linear.model import Linear

__all__ = ["Linear"]

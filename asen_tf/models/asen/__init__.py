"""ASEN++ (Dong et al., TIP 2021): attribute-specific embedding, global and local."""

from asen_tf.models.asen.branch import Branch
from asen_tf.models.asen.model import ASEN

__all__ = ["ASEN", "Branch"]

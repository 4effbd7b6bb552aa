"""How fast the library is, and how near to what the machine can do."""

from asen_tf.benchmarks.cases import CASES
from asen_tf.benchmarks.setting import Setting

__all__ = ["CASES", "Setting"]

"""Weights that were trained in PyTorch: reading its files, and handing tensors to Keras layers."""

from asen_tf.weights.state_dict import StateDict
from asen_tf.weights.torch_file import SUFFIXES, read

__all__ = ["SUFFIXES", "StateDict", "read"]

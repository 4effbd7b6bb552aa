"""Convolutional networks by name, cut where attention takes over."""

from asen_tf.backbones.backbones import NAMES, build, load_weights, resnet_name

__all__ = ["NAMES", "build", "load_weights", "resnet_name"]

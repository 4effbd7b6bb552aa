"""Convolutional networks by name, cut where attention takes over."""

from asen_tf.backbones.backbones import NAMES, build, load_weights, resnet_name
from asen_tf.backbones.feature_extractor import FeatureExtractor, averaging
from asen_tf.backbones.scope import child_scope

__all__ = [
    "NAMES",
    "FeatureExtractor",
    "averaging",
    "build",
    "child_scope",
    "load_weights",
    "resnet_name",
]

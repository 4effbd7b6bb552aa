"""Networks from images to feature maps, cut where attention takes over."""

from asen_tf.backbones.backbones import BACKBONES, build, load_weights
from asen_tf.backbones.feature_extractor import FeatureExtractor, averaging
from asen_tf.backbones.join import JoinMaps
from asen_tf.backbones.preprocessing import PREPROCESSING
from asen_tf.backbones.resnet import resnet_name
from asen_tf.backbones.scope import child_scope
from asen_tf.backbones.tokens import TokensToGrid

__all__ = [
    "BACKBONES",
    "PREPROCESSING",
    "FeatureExtractor",
    "JoinMaps",
    "TokensToGrid",
    "averaging",
    "build",
    "child_scope",
    "load_weights",
    "resnet_name",
]

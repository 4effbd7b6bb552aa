"""Keras layers, each usable alone in a functional model, saved and loaded with it."""

from asen_tf.layers.attribute_embedding import AttributeEmbedding
from asen_tf.layers.attribute_mask import AttributeMask
from asen_tf.layers.channel_attention import AttributeChannelAttention
from asen_tf.layers.localization import WeaklySupervisedLocalization
from asen_tf.layers.peak_localization import PeakLocalization
from asen_tf.layers.prototype_memory import PrototypeMemory
from asen_tf.layers.region_crop import RegionCrop
from asen_tf.layers.roi_pooling import RoIPooling
from asen_tf.layers.spatial_attention import AttributeSpatialAttention
from asen_tf.layers.square_localization import SquareLocalization

__all__ = [
    "AttributeChannelAttention",
    "AttributeEmbedding",
    "AttributeMask",
    "AttributeSpatialAttention",
    "PeakLocalization",
    "PrototypeMemory",
    "RegionCrop",
    "RoIPooling",
    "SquareLocalization",
    "WeaklySupervisedLocalization",
]

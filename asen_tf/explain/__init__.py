"""What a model has learned: which pixels, channels and neighbours make an attribute."""

from asen_tf.explain.channels import channel_profiles
from asen_tf.explain.layout import layout
from asen_tf.explain.similarity import METHODS, SimilarityMaps

__all__ = ["METHODS", "SimilarityMaps", "channel_profiles", "layout"]

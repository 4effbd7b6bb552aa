"""Networks that embed (image, attribute) pairs."""

from asen_tf.models.asen import ASEN
from asen_tf.models.base import EmbeddingModel

__all__ = ["ASEN", "EmbeddingModel"]

"""What gives embeddings: one interface, and what its implementations share. No TensorFlow."""

from asen_tf.embedders.base import BaseEmbedder
from asen_tf.embedders.fingerprint import Fingerprint, probe
from asen_tf.embedders.images import InvalidInputError, each
from asen_tf.embedders.protocol import Embedder, TextEmbedder, probabilities
from asen_tf.embedders.vectors import VectorEmbedder
from asen_tf.embedders.with_text import EmbedderWithText

__all__ = [
    "BaseEmbedder",
    "Embedder",
    "EmbedderWithText",
    "Fingerprint",
    "InvalidInputError",
    "TextEmbedder",
    "VectorEmbedder",
    "each",
    "probabilities",
    "probe",
]

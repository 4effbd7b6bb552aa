"""What gives embeddings: one interface, and what its implementations share. No TensorFlow."""

from asen_tf.embedders.base import BaseEmbedder
from asen_tf.embedders.fingerprint import Fingerprint, probe
from asen_tf.embedders.images import InvalidInputError, each
from asen_tf.embedders.protocol import Embedder, probabilities
from asen_tf.embedders.vectors import VectorEmbedder

__all__ = [
    "BaseEmbedder",
    "Embedder",
    "Fingerprint",
    "InvalidInputError",
    "VectorEmbedder",
    "each",
    "probabilities",
    "probe",
]

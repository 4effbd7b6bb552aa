"""What gives embeddings: one interface, and what its implementations share. No TensorFlow."""

from asen_client.embedders import (
    BaseEmbedder,
    Embedder,
    Fingerprint,
    InvalidInputError,
    each,
    probabilities,
    probe,
)
from asen_tf.embedders.vectors import VectorEmbedder
from asen_tf.embedders.with_text import EmbedderWithText, TextEmbedder

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

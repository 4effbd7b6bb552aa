"""What gives embeddings: one interface, and what its implementations share."""

from asen_client.embedders.base import BaseEmbedder
from asen_client.embedders.fingerprint import Fingerprint, probe
from asen_client.embedders.images import InvalidInputError, each
from asen_client.embedders.protocol import Embedder, probabilities

__all__ = [
    "BaseEmbedder",
    "Embedder",
    "Fingerprint",
    "InvalidInputError",
    "each",
    "probabilities",
    "probe",
]

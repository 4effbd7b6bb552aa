"""Pictures: where a model looks, what it finds, how it learned. Receives arrays, never models."""

from asen_tf.viz.attention import attention_grid, attention_overlay
from asen_tf.viz.channels import channel_grid
from asen_tf.viz.curves import learning_curve
from asen_tf.viz.embedding_map import EmbeddingMap, embedding_map, embedding_maps
from asen_tf.viz.reranking import Reranking, reranking_grid
from asen_tf.viz.retrieval import retrieval_grid
from asen_tf.viz.similarity import Pair, similarity_grid
from asen_tf.viz.sprites import sprite, square, strip
from asen_tf.viz.style import encode, save

__all__ = [
    "EmbeddingMap",
    "Pair",
    "Reranking",
    "attention_grid",
    "attention_overlay",
    "channel_grid",
    "embedding_map",
    "embedding_maps",
    "encode",
    "learning_curve",
    "reranking_grid",
    "retrieval_grid",
    "save",
    "similarity_grid",
    "sprite",
    "square",
    "strip",
]

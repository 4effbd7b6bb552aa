"""Pictures: where a model looks, what it finds, how it learned. Receives arrays, never models."""

from asen_tf.viz.attention import attention_grid, attention_overlay
from asen_tf.viz.curves import learning_curve
from asen_tf.viz.retrieval import retrieval_grid
from asen_tf.viz.style import save

__all__ = ["attention_grid", "attention_overlay", "learning_curve", "retrieval_grid", "save"]

"""A SavedModel with a signature per attribute, of a trained run."""

from asen_tf.serving.export.verify import VerificationFailed
from asen_tf.serving.export.write import export, export_model

__all__ = ["VerificationFailed", "export", "export_model"]

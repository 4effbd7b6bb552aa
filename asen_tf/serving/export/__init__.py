"""A SavedModel of a trained run: signatures that TensorFlow Serving answers to."""

from asen_tf.serving.export.functions import Functions
from asen_tf.serving.export.signature import SIGNATURES, Signature
from asen_tf.serving.export.verify import VerificationFailed
from asen_tf.serving.export.write import export, export_model

__all__ = ["SIGNATURES", "Functions", "Signature", "VerificationFailed", "export", "export_model"]

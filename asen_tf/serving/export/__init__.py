"""A trained run as a SavedModel, with signatures for TensorFlow Serving, or as one file."""

from asen_tf.serving.export.functions import Functions
from asen_tf.serving.export.one_file import export_file
from asen_tf.serving.export.signature import SIGNATURES, Signature
from asen_tf.serving.export.verify import VerificationFailed
from asen_tf.serving.export.write import export, export_model

__all__ = [
    "SIGNATURES",
    "Functions",
    "Signature",
    "VerificationFailed",
    "export",
    "export_file",
    "export_model",
]

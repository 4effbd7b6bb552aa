"""Serves SavedModels over gRPC as TensorFlow Serving does, for development and small deployments.

It answers the same services with the same names, codes and version selection, in Python and
without batching the requests of several clients; a fleet is TensorFlow Serving's business.
"""

from asen_tf.serving.server.limits import Limits
from asen_tf.serving.server.models import Models
from asen_tf.serving.server.server import Server

__all__ = ["Limits", "Models", "Server"]

"""Serves SavedModels as TensorFlow Serving does, for development and small deployments.

It answers the same services over gRPC, and the same routes over REST, with the same names, codes
and version selection, in Python; a fleet is TensorFlow Serving's business.
"""

from asen_tf.serving.server.batcher import Batching
from asen_tf.serving.server.limits import Limits
from asen_tf.serving.server.models import Models
from asen_tf.serving.server.server import Server

__all__ = ["Batching", "Limits", "Models", "Server"]

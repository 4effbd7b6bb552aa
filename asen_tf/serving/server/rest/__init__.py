"""The REST API of TensorFlow Serving, and metrics, beside gRPC; the extra `[rest]`."""

from asen_tf.serving.server.rest.server import RestServer

__all__ = ["RestServer"]

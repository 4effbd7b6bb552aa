"""Asks TensorFlow Serving or `asen-serve`; needs NumPy, Pillow and gRPC, no TensorFlow."""

from asen_tf.serving.client.async_client import AsyncClient
from asen_tf.serving.client.client import Client
from asen_tf.serving.client.errors import InvalidInputError, ServingError

__all__ = ["AsyncClient", "Client", "InvalidInputError", "ServingError"]

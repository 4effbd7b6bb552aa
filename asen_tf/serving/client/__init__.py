"""Clients of TensorFlow Serving and `asen-serve`; they need no TensorFlow."""

from asen_tf.embedders import InvalidInputError
from asen_tf.serving.client.async_client import AsyncClient
from asen_tf.serving.client.client import Client
from asen_tf.serving.client.errors import ServingError

__all__ = ["AsyncClient", "Client", "InvalidInputError", "ServingError"]

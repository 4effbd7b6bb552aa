"""Clients of models that TensorFlow Serving or `asen-serve` serves; they need no TensorFlow.

`Client` has the methods of `asen_tf.load`'s embedder, `AsyncClient` the same for asyncio.
"""

import importlib

from asen_client.version import __version__

_NAMES = {
    "AsyncClient": "asen_client.serving.async_client",
    "Attribute": "asen_client.core.attributes",
    "AttributeSpace": "asen_client.core.attributes",
    "Boxed": "asen_client.images.boxes",
    "Client": "asen_client.serving.client",
    "Fingerprint": "asen_client.embedders.fingerprint",
    "InvalidInputError": "asen_client.embedders.images",
    "Metadata": "asen_client.serving.signatures",
    "Photograph": "asen_client.images.inputs",
    "ServingError": "asen_client.serving.errors",
}

__all__ = ["__version__", *_NAMES]


def __getattr__(name: str):
    # gRPC, NumPy and Pillow take a quarter of a second, which --help does not wait for.
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'asen_client' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""From a trained run to answers over gRPC: export, server; the client is `asen_client`'s."""

import importlib

_NAMES = {
    "AsyncClient": "asen_client",
    "Client": "asen_client",
    "FileModel": "asen_tf.serving.files",
    "InvalidInputError": "asen_client",
    "SavedModel": "asen_tf.serving.saved_model",
    "ServingError": "asen_client",
}

__all__ = ["AsyncClient", "Client", "FileModel", "InvalidInputError", "SavedModel", "ServingError"]


def __getattr__(name: str):
    # Most of it brings TensorFlow, the client gRPC: nothing is imported before it is used.
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'asen_tf.serving' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

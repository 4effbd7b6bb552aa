"""From a trained run to answers over gRPC: export, server, client."""

import importlib

_MODULES = {
    "AsyncClient": "client",
    "Client": "client",
    "FileModel": "files",
    "InvalidInputError": "client",
    "SavedModel": "saved_model",
    "ServingError": "client",
}

__all__ = ["AsyncClient", "Client", "FileModel", "InvalidInputError", "SavedModel", "ServingError"]


def __getattr__(name: str):
    # Most of it brings TensorFlow, the client gRPC: nothing is imported before it is used.
    if name in _MODULES:
        return getattr(importlib.import_module(f"asen_tf.serving.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'asen_tf.serving' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""From a trained run to answers over gRPC: export, server, client, bulk embedding."""

import importlib

__all__ = ["AsyncClient", "Client", "InvalidInputError", "ServingError"]


def __getattr__(name: str):
    # Export and server bring TensorFlow, the client gRPC: nothing is imported before it is used.
    if name in __all__:
        return getattr(importlib.import_module("asen_tf.serving.client"), name)
    raise AttributeError(f"module 'asen_tf.serving' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

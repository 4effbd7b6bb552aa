"""Attribute-specific embeddings of fashion photographs.

`asen_tf.load(workdir)` gives a trained model, ready to use. Its building blocks are in
`asen_tf.layers`, `asen_tf.losses`, `asen_tf.metrics` and `asen_tf.models`.
"""

import importlib

from asen_tf.version import __version__

_MODULES = (
    "backbones",
    "catalogue",
    "core",
    "data",
    "evaluation",
    "layers",
    "losses",
    "metrics",
    "models",
    "serving",
    "training",
    "viz",
)
_FUNCTIONS = {"Embedder": "asen_tf.embedder", "load": "asen_tf.embedder"}

__all__ = ["Embedder", "__version__", "load", *_MODULES]


def __getattr__(name: str):
    # Nothing is imported before it is used: TensorFlow takes seconds to load.
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"asen_tf.{name}")
    raise AttributeError(f"module 'asen_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

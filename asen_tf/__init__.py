"""Attribute-specific embeddings of fashion photographs.

What one does with it are functions: `check_data`, `check_labels`, `train`, `add_attribute`,
`evaluate`, `export`, `convert`, `fit_recognition`, `visualize`, `reproduce`, `index`, `search`;
`load(place)` gives a model, ready to use. Its building blocks are in `asen_tf.layers`,
`asen_tf.losses`, `asen_tf.metrics` and `asen_tf.models`.
"""

import importlib
import os
import platform

from asen_tf.version import __version__

if platform.machine() in ("x86_64", "AMD64"):
    # By itself TensorFlow has oneDNN only where a processor has AVX-512 VNNI, AVX-VNNI or AMX;
    # others train EfficientNets twice as fast with it, too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_MODULES = (
    "backbones",
    "catalogue",
    "core",
    "data",
    "embedders",
    "evaluation",
    "figures",
    "layers",
    "losses",
    "metrics",
    "models",
    "serving",
    "text",
    "training",
)
_NAMES = {
    "Embedder": "embedders",
    "KerasEmbedder": "keras_embedder",
    "add_attribute": "api.add_attribute",
    "check_data": "api.check_data",
    "check_labels": "api.check_labels",
    "convert": "api.convert",
    "evaluate": "api.evaluate",
    "export": "serving.export",
    "fit_recognition": "api.recognition",
    "index": "api.index",
    "load": "loading",
    "reproduce": "reproduction.reproduce",
    "search": "api.search",
    "train": "training.train",
    "visualize": "figures.visualize",
}

__all__ = ["__version__", *_NAMES, *_MODULES]


def __getattr__(name: str):
    # Nothing is imported before it is used: TensorFlow takes seconds to load.
    if name in _NAMES:
        return getattr(importlib.import_module(f"asen_tf.{_NAMES[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"asen_tf.{name}")
    raise AttributeError(f"module 'asen_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

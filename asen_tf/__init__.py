"""Attribute-specific embeddings of fashion photographs.

What one does with it are functions: `check_data`, `check_labels`, `train`, `add_attribute`,
`evaluate`, `export`, `convert`, `fit_recognition`, `visualize`, `reproduce`, `index`, `search`;
`load(place)` gives a model, ready to use. Its building blocks are in `asen_tf.layers`,
`asen_tf.losses`, `asen_tf.metrics` and `asen_tf.models`.
"""

import importlib
import os
import platform

from asen_client.version import __version__

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
    "Embedder": "asen_tf.embedders",
    "KerasEmbedder": "asen_tf.keras_embedder",
    "add_attribute": "asen_tf.api.add_attribute",
    "check_data": "asen_tf.api.check_data",
    "check_labels": "asen_tf.api.check_labels",
    "convert": "asen_tf.api.convert",
    "evaluate": "asen_tf.api.evaluate",
    "export": "asen_tf.serving.export",
    "fit_recognition": "asen_tf.api.recognition",
    "index": "asen_tf.api.index",
    "load": "asen_tf.loading",
    "reproduce": "asen_tf.reproduction.reproduce",
    "search": "asen_tf.api.search",
    "train": "asen_tf.training.train",
    "visualize": "asen_tf.figures.visualize",
}

__all__ = ["__version__", *_NAMES, *_MODULES]


def __getattr__(name: str):
    # Nothing is imported before it is used: TensorFlow takes seconds to load.
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"asen_tf.{name}")
    raise AttributeError(f"module 'asen_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""Models by the name a configuration gives them."""

import importlib

from ml_collections import config_dict

from asen_tf.core.errors import unknown_name
from asen_tf.models.base import EmbeddingModel

_MODELS = {"asen": "asen_tf.models.asen"}
NAMES = tuple(_MODELS)


def build(config: config_dict.ConfigDict, attributes: int) -> EmbeddingModel:
    """The model that `config.model` describes, untrained.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      attributes: number of attributes.
    """
    return _module(config.model.name).build(config.model, attributes)


def load_pretrained(model: EmbeddingModel, config: config_dict.ConfigDict) -> None:
    """Starts the model's backbones from the weights that `config.model` names, if any."""
    _module(config.model.name).load_pretrained(model, config.model)


def objective(config: config_dict.ConfigDict, offsets):
    """The model's objective: a callable from (model, batch) to named per-example losses."""
    return _module(config.model.name).Objective(config, offsets)


def _module(name: str):
    if name not in _MODELS:
        raise ValueError(unknown_name("model", name, _MODELS))
    return importlib.import_module(_MODELS[name])

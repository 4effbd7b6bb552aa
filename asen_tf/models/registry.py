"""Models by the name a configuration gives them."""

import importlib
from collections.abc import Sequence

from ml_collections import config_dict

from asen_tf.core.errors import unknown_name
from asen_tf.models.base import EmbeddingModel

_MODELS = {
    "amnet": "asen_tf.models.amnet",
    "asen": "asen_tf.models.asen",
    "asen_aaai2020": "asen_tf.models.asen_aaai2020",
    "csn": "asen_tf.models.csn",
    "part_guided": "asen_tf.models.part_guided",
    "triplet_net": "asen_tf.models.triplet_net",
}
NAMES = tuple(_MODELS)
# Those that also keep something for each value of an attribute: their `build` takes the offsets.
_KNOW_VALUES = {"amnet", "part_guided"}


def build(
    config: config_dict.ConfigDict, attributes: int, offsets: Sequence[int] | None = None
) -> EmbeddingModel:
    """The model that `config.model` describes, untrained.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      attributes: number of attributes.
      offsets: `AttributeSpace.offsets`, which models that know the values need.

    Raises:
      ValueError: the model is unknown, or needs the offsets and they are not given.
    """
    module = _module(config.model.name)
    if config.model.name not in _KNOW_VALUES:
        return module.build(config.model, attributes)
    if offsets is None:
        raise ValueError(
            f"{config.model.name} knows the attributes' values: build it with their offsets"
        )
    return module.build(config.model, attributes, offsets)


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

"""ASEN++ (Dong et al., TIP 2021): attribute-specific embedding, global and local."""

from ml_collections import config_dict

from asen_tf import backbones
from asen_tf.models.asen.branch import Branch
from asen_tf.models.asen.model import ASEN
from asen_tf.models.asen.objective import Objective

__all__ = ["ASEN", "Branch", "Objective", "build", "load_pretrained"]

_BRANCHES = ("global_branch", "local_branch")
# The keys of `config.model` that are the network's own.
_KEYS = (
    *_BRANCHES,
    "image_scale",
    "attribute_dim",
    "spatial_attention",
    "channel_attention",
    "channel_query_activation",
    "channel_reduction",
    "localization",
    "threshold",
    "peak_side",
    "beta",
)


def build(config: config_dict.ConfigDict, attributes: int) -> ASEN:
    """The network that `config.model` describes."""
    settings = {key: config.to_dict()[key] for key in _KEYS}
    for branch in _BRANCHES:
        del settings[branch]["weights"]
    return ASEN(attributes, **settings)


def load_pretrained(model: ASEN, config: config_dict.ConfigDict) -> None:
    """Starts the branches from the backbone weights that `config.model` names."""
    for branch in _BRANCHES:
        if config[branch].weights:
            backbones.load_weights(getattr(model, branch).backbone, config[branch].weights)

"""Conditional similarity networks (Veit et al., CVPR 2017): a mask for each attribute."""

from ml_collections import config_dict

from asen_tf.models.csn.model import CSN
from asen_tf.models.csn.objective import Objective
from asen_tf.models.one_branch import load_pretrained, settings

__all__ = ["CSN", "Objective", "build", "load_pretrained"]


def build(config: config_dict.ConfigDict, attributes: int) -> CSN:
    """The network that `config.model` describes."""
    return CSN(attributes, **settings(config), **config.csn.to_dict())

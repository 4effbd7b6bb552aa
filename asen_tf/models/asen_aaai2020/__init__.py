"""ASEN as first published (Ma et al., AAAI 2020): one branch, another spatial attention."""

from ml_collections import config_dict

from asen_tf.models.asen_aaai2020.model import ASENAAAI2020
from asen_tf.models.one_branch import OneBranchObjective as Objective
from asen_tf.models.one_branch import load_pretrained, settings

__all__ = ["ASENAAAI2020", "Objective", "build", "load_pretrained"]


def build(config: config_dict.ConfigDict, attributes: int) -> ASENAAAI2020:
    """The network that `config.model` describes."""
    return ASENAAAI2020(attributes, **settings(config, "channel_reduction", "threshold"))

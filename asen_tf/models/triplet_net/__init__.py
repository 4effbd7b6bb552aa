"""The triplet network: one general embedding, whatever the attribute (a baseline of the papers)."""

from ml_collections import config_dict

from asen_tf.models.one_branch import OneBranchObjective as Objective
from asen_tf.models.one_branch import load_pretrained, settings
from asen_tf.models.triplet_net.model import TripletNet

__all__ = ["Objective", "TripletNet", "build", "load_pretrained"]


def build(config: config_dict.ConfigDict, attributes: int) -> TripletNet:
    """The network that `config.model` describes."""
    return TripletNet(attributes, **settings(config))

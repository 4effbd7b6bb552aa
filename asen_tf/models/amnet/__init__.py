"""AMNet (Zhao et al., CVPR 2017): an image's embedding, changed with prototypes from a memory."""

from collections.abc import Sequence

from ml_collections import config_dict

from asen_tf.models.amnet.model import AMNet
from asen_tf.models.amnet.objective import Objective
from asen_tf.models.one_branch import load_pretrained

__all__ = ["AMNet", "Objective", "build", "load_pretrained"]


def build(config: config_dict.ConfigDict, attributes: int, offsets: Sequence[int]) -> AMNet:
    """The network that `config.model` describes, for the values that `offsets` delimit."""
    branch = config.global_branch
    return AMNet(
        offsets,
        branch.backbone,
        branch.size,
        branch.embedding_dim,
        config.image_scale,
        **config.amnet,
    )

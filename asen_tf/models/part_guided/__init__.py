"""The part-guided network (Ak et al., WACV 2018): attributes, each learned on its parts."""

from collections.abc import Sequence

from ml_collections import config_dict

from asen_tf.models.one_branch import load_pretrained
from asen_tf.models.part_guided.model import PartGuided
from asen_tf.models.part_guided.objective import Objective
from asen_tf.models.part_guided.part_extractor import CASES, PARTS, PartExtractor

__all__ = [
    "CASES",
    "PARTS",
    "Objective",
    "PartExtractor",
    "PartGuided",
    "build",
    "load_pretrained",
]


def build(config: config_dict.ConfigDict, attributes: int, offsets: Sequence[int]) -> PartGuided:
    """The network that `config.model` describes, for the values that `offsets` delimit."""
    branch = config.global_branch
    trunk = {key: branch[key] for key in ("backbone", "size", "embedding_dim")}
    return PartGuided(offsets, trunk, config.image_scale, **config.part_guided.to_dict())

"""The part-guided network (Ak et al., WACV 2018): attributes, each learned on its parts."""

from asen_tf.models.part_guided.losses import PartCaseLoss
from asen_tf.models.part_guided.model import PartGuided
from asen_tf.models.part_guided.part_extractor import CASES, PARTS, PartExtractor, usable

__all__ = ["CASES", "PARTS", "PartCaseLoss", "PartExtractor", "PartGuided", "usable"]

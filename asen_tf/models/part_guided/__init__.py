"""The part-guided network (Ak et al., WACV 2018): attributes, each learned on its parts."""

from asen_tf.models.part_guided.model import PartGuided
from asen_tf.models.part_guided.part_extractor import CASES, PARTS, PartExtractor

__all__ = ["CASES", "PARTS", "PartExtractor", "PartGuided"]

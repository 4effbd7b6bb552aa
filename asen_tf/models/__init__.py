"""Networks that embed (image, attribute) pairs."""

from asen_tf.models.amnet import AMNet
from asen_tf.models.asen import ASEN
from asen_tf.models.asen_aaai2020 import ASENAAAI2020
from asen_tf.models.base import EmbeddingModel
from asen_tf.models.csn import CSN
from asen_tf.models.linear import Linear
from asen_tf.models.part_guided import PartExtractor, PartGuided
from asen_tf.models.registry import MODELS, build
from asen_tf.models.triplet_net import TripletNet

__all__ = [
    "ASEN",
    "ASENAAAI2020",
    "CSN",
    "MODELS",
    "AMNet",
    "EmbeddingModel",
    "Linear",
    "PartExtractor",
    "PartGuided",
    "TripletNet",
    "build",
]

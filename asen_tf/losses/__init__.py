"""Losses: pure functions that give a value an example, and Keras classes around them."""

from asen_tf.losses.alignment import alignment_loss
from asen_tf.losses.classification import attribute_cross_entropy
from asen_tf.losses.mined_triplet import mined_triplet_loss, pair_masks
from asen_tf.losses.triplet import SIMILARITIES, TripletLoss, cosine, triplet_loss

__all__ = [
    "SIMILARITIES",
    "TripletLoss",
    "alignment_loss",
    "attribute_cross_entropy",
    "cosine",
    "mined_triplet_loss",
    "pair_masks",
    "triplet_loss",
]

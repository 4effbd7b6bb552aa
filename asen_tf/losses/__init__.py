"""Losses: pure functions that give a value an example, and Keras classes around them."""

from asen_tf.losses.alignment import alignment_loss
from asen_tf.losses.mined_triplet import mined_triplet_loss, pair_masks
from asen_tf.losses.triplet import TripletLoss, cosine, triplet_loss

__all__ = [
    "TripletLoss",
    "alignment_loss",
    "cosine",
    "mined_triplet_loss",
    "pair_masks",
    "triplet_loss",
]

"""The triplet network: one general embedding, whatever the attribute (a baseline of the papers)."""

from asen_tf.models.triplet_net.model import TripletNet

__all__ = ["TripletNet"]

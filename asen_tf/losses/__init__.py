"""Losses: pure functions that give a value an example, and Keras classes around them."""

from collections.abc import Mapping, Sequence

from asen_tf.core.choices import DISTANCES, MINING
from asen_tf.core.registries import LOSSES
from asen_tf.core.signature import call_with_known
from asen_tf.losses.base import Loss
from asen_tf.losses.classification import ClassificationLoss, attribute_cross_entropy
from asen_tf.losses.distances import cosine, pairwise_similarity, similarity
from asen_tf.losses.mining import mined_triplet_loss, pair_masks
from asen_tf.losses.norms import NormLoss
from asen_tf.losses.triplet import AlignmentLoss, TripletLoss, triplet_loss

__all__ = [
    "DISTANCES",
    "LOSSES",
    "MINING",
    "AlignmentLoss",
    "ClassificationLoss",
    "Loss",
    "NormLoss",
    "TripletLoss",
    "attribute_cross_entropy",
    "build",
    "cosine",
    "mined_triplet_loss",
    "pair_masks",
    "pairwise_similarity",
    "similarity",
    "triplet_loss",
]


def build(
    terms: Mapping[str, Mapping], offsets: Sequence[int]
) -> tuple[dict[str, Loss], dict[str, float]]:
    """The losses that a configuration names, as `EmbeddingModel.compile` takes them.

    Args:
      terms: what each is called -> `name` of `LOSSES`, `weight` (default 1), and keyword arguments
        of the class. Terms of weight 0 are left out.
      offsets: `AttributeSpace.offsets`, for losses that take them.

    Returns:
      losses and weights, by what they are called.

    Raises:
      ValueError: an unknown loss or argument, names the nearest; or every weight is 0.
    """
    losses: dict[str, Loss] = {}
    weights: dict[str, float] = {}
    for term, settings in terms.items():
        where = f"losses.{term}"
        kind, arguments = LOSSES.named(settings, where)
        weight = arguments.pop("weight", 1.0)
        loss = call_with_known(kind, where, arguments, offsets=offsets, name=term)
        if weight:
            losses[term], weights[term] = loss, weight
    if not losses:
        raise ValueError(f"no loss to train for: {', '.join(terms) or 'none is named'}")
    return losses, weights

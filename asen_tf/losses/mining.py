"""The triplet loss over every triplet that a batch of labelled images holds."""

import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_tf.losses.distances import pairwise_similarity


def pair_masks(labels, attributes, offsets, images=None):
    """Which pairs of a batch share a value of an attribute, and which are known to share none.

    Args:
      labels: bool [B, V], the values each image carries, in the space's flat numbering.
      attributes: int32 [M], the attributes that count.
      offsets: int [A + 1], `AttributeSpace.offsets`.
      images: int [B] or None; the same number twice is the same image, no positive of itself.

    Returns:
      positive, negative: bool [M, B, B]. Pairs of which one image is unlabelled are in neither.
      An image that carries one of the anchor's values is never its negative.
    """
    flat = tf.range(tf.shape(labels)[1])
    offsets = tf.constant(offsets)
    inside = (flat >= tf.gather(offsets[:-1], attributes)[:, None]) & (
        flat < tf.gather(offsets[1:], attributes)[:, None]
    )
    values = tf.cast(labels[None] & inside[:, None], tf.float32)
    shared = tf.matmul(values, values, transpose_b=True) > 0
    labelled = tf.reduce_any(values > 0, axis=-1)
    known = labelled[:, :, None] & labelled[:, None, :]
    images = tf.range(tf.shape(labels)[0]) if images is None else images
    same = images[:, None] == images[None, :]
    return shared & ~same, known & ~shared


def mined_triplet_loss(
    embeddings,
    positive,
    negative,
    margin: float = 0.2,
    mining: str = "all",
    distance: str = "cosine",
):
    """Triplet ranking loss over the triplets that a batch holds, for each anchor and attribute.

    Args:
      embeddings: float [B, M, D], not normalised.
      positive, negative: bool [M, B, B], see `pair_masks`.
      margin: of the ranking loss.
      mining: "all": mean over the anchor's triplets that violate the margin; "semi_hard": each
        positive against its nearest negative that is farther than it, or, where there is none,
        the farthest (Schroff et al., CVPR 2015); "hard": the farthest positive against the nearest
        negative (Hermans et al., 2017).
      distance: of `losses.distances.DISTANCES`.

    Returns:
      loss float [B, M], 0 where an anchor has no triplet; bool [B, M], whether it has one.
    """
    if mining not in _MINERS:
        raise ValueError(unknown_name("mining", mining, _MINERS))
    similarities = pairwise_similarity(tf.transpose(embeddings, (1, 0, 2)), distance)
    valid = tf.reduce_any(positive, -1) & tf.reduce_any(negative, -1)
    loss = _MINERS[mining](similarities, positive, negative, margin)
    return tf.transpose(tf.where(valid, loss, 0.0)), tf.transpose(valid)


def _all(similarity, positive, negative, margin):
    """Violating triplets are counted, not made: of sorted similarities, in B^2 log B steps."""
    reach = similarity - margin  # negatives above it violate
    reaches = tf.where(positive, reach, float("inf"))
    others = tf.where(negative, similarity, -float("inf"))
    size = tf.shape(similarity)[-1]
    below = tf.searchsorted(tf.sort(reaches), others, side="left")
    above = size - tf.searchsorted(tf.sort(others), reaches, side="right")
    below, above = (tf.cast(count, similarity.dtype) for count in (below, above))
    hinges = tf.reduce_sum(below * similarity - above * reach, -1)
    return tf.math.divide_no_nan(hinges, tf.reduce_sum(below, -1))


def _semi_hard(similarity, positive, negative, margin):
    others = tf.where(negative, similarity, -float("inf"))[..., None, :]
    farther = others < similarity[..., :, None]
    nearest_farther = tf.reduce_max(tf.where(farther, others, -float("inf")), -1)
    farthest = tf.reduce_min(tf.where(negative, similarity, float("inf")), -1, keepdims=True)
    chosen = tf.where(tf.math.is_finite(nearest_farther), nearest_farther, farthest)
    hinge = tf.where(positive, tf.nn.relu(margin - similarity + chosen), 0.0)
    return tf.math.divide_no_nan(
        tf.reduce_sum(hinge, -1), tf.reduce_sum(tf.cast(positive, hinge.dtype), -1)
    )


def _hard(similarity, positive, negative, margin):
    nearest_negative = tf.reduce_max(tf.where(negative, similarity, -float("inf")), -1)
    farthest_positive = tf.reduce_min(tf.where(positive, similarity, float("inf")), -1)
    return tf.nn.relu(margin - farthest_positive + nearest_negative)


_MINERS = {"all": _all, "semi_hard": _semi_hard, "hard": _hard}

"""Triplet ranking on either kind of batch: triplets, or labelled images."""

import tensorflow as tf
from ml_collections import config_dict

from asen_tf.losses import mined_triplet_loss, pair_masks, triplet_loss


class Ranking:
    """Turns what is embedded of a batch into a loss an example.

    A batch holds B triplets: images [B, 3, S, S, 3] (anchor, positive, negative) and attributes
    [B]; or B labelled images of which every triplet counts: images [B, S, S, 3], attributes [M],
    labels [B, V] and ids [B].

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      offsets: `AttributeSpace.offsets`.
      similarity: of `asen_tf.losses.SIMILARITIES`.
    """

    def __init__(self, config: config_dict.ConfigDict, offsets, similarity: str = "cosine"):
        self.margin = config.train.margin
        self.mining = config.train.mining
        self.offsets = offsets
        self.similarity = similarity

    def pairs(self, batch) -> tuple[tf.Tensor, tf.Tensor]:
        """What is to be embedded: images [N, S, S, 3] and attributes [N, M].

        Of triplets, N = 3 B in the order of the triplets and M = 1; of labelled images, N = B.
        """
        images, attributes = batch["images"], batch["attributes"]
        if not _holds_triplets(batch):
            return images, tf.tile(attributes[None], (tf.shape(images)[0], 1))
        # One pass for the three roles.
        return tf.reshape(images, (-1, *images.shape[2:])), tf.repeat(attributes, 3)[:, None]

    def loss(self, batch, embeddings) -> tf.Tensor:
        """The ranking loss of embeddings [N, M, D], float32 [B]; 0 for images without a triplet."""
        if _holds_triplets(batch):
            roles = tf.reshape(embeddings, (-1, 3, embeddings.shape[-1]))
            return triplet_loss(*tf.unstack(roles, axis=1), self.margin, self.similarity)
        positive, negative = pair_masks(
            batch["labels"], batch["attributes"], self.offsets, batch["ids"]
        )
        loss, valid = mined_triplet_loss(
            embeddings, positive, negative, self.margin, self.mining, self.similarity
        )
        # The mean over the attributes for which the image anchors a triplet.
        return tf.math.divide_no_nan(
            tf.reduce_sum(loss, 1), tf.reduce_sum(tf.cast(valid, loss.dtype), 1)
        )

    def mean(self, batch, values) -> tf.Tensor:
        """The mean of values [N, M] over an example's roles or attributes, [B]."""
        if _holds_triplets(batch):
            values = tf.reshape(values, (-1, 3))
        return tf.reduce_mean(values, axis=1)


def _holds_triplets(batch) -> bool:
    return batch["images"].shape.rank == 5

"""What ASEN++ is trained for (Dong et al., section III-F)."""

import tensorflow as tf
from ml_collections import config_dict

from asen_tf.core.errors import unknown_name
from asen_tf.losses import alignment_loss, mined_triplet_loss, pair_masks, triplet_loss

# Triplet losses and the parts whose embeddings they rank.
RANKED = {"global_triplet": "global_branch", "local_triplet": "local_branch"}
LOSSES = (*RANKED, "alignment")


class Objective:
    """Triplet ranking in each branch, and the alignment of the two: values an example.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      offsets: `AttributeSpace.offsets`.
    """

    def __init__(self, config: config_dict.ConfigDict, offsets):
        self.margin = config.train.margin
        self.mining = config.train.mining
        self.offsets = offsets
        widths = [config.model[b].embedding_dim for b in ("global_branch", "local_branch")]
        if len(set(widths)) > 1:
            raise ValueError(
                "alignment compares the two branches' embeddings: embedding_dim must be the same, "
                f"got {widths[0]} (global_branch) and {widths[1]} (local_branch)"
            )

    def __call__(self, model, batch, names, training=True) -> dict[str, tf.Tensor]:
        """The named losses of a batch.

        Args:
          model: an ASEN.
          batch: with `labels`, B images of which every triplet counts: images [B, S, S, 3],
            attributes [M], labels [B, V], ids [B]. Without, B triplets: images [B, 3, S, S, 3]
            (anchor, positive, negative), attributes [B].
          names: of `LOSSES`.

        Returns:
          name -> float32 [B], a value an example.
        """
        for name in names:
            if name not in LOSSES:
                raise ValueError(unknown_name("loss of ASEN", name, LOSSES))
        parts = [p for loss, p in RANKED.items() if loss in names or "alignment" in names]
        losses = self._of_images if "labels" in batch else self._of_triplets
        return losses(model, batch, names, parts, training)

    def _of_triplets(self, model, batch, names, parts, training):
        count = tf.shape(batch["images"])[0]
        # One pass for the three roles.
        images = tf.reshape(batch["images"], (-1, *batch["images"].shape[2:]))
        attributes = tf.repeat(batch["attributes"], 3)[:, None]
        outputs = model.outputs_of(images, attributes, parts, training)
        roles = {p: tf.reshape(outputs[p], (count, 3, outputs[p].shape[-1])) for p in parts}
        losses = {
            name: triplet_loss(*tf.unstack(roles[part], axis=1), self.margin)
            for name, part in RANKED.items()
            if name in names
        }
        if "alignment" in names:
            losses["alignment"] = tf.reduce_sum(alignment_loss(*roles.values()), axis=1)
        return losses

    def _of_images(self, model, batch, names, parts, training):
        count = tf.shape(batch["images"])[0]
        attributes = tf.tile(batch["attributes"][None], (count, 1))
        outputs = model.outputs_of(batch["images"], attributes, parts, training)
        positive, negative = pair_masks(
            batch["labels"], batch["attributes"], self.offsets, batch["ids"]
        )
        losses = {
            name: _mean_over_attributes(
                *mined_triplet_loss(outputs[part], positive, negative, self.margin, self.mining)
            )
            for name, part in RANKED.items()
            if name in names
        }
        if "alignment" in names:
            # An image plays all three roles.
            losses["alignment"] = 3.0 * tf.reduce_mean(
                alignment_loss(*(outputs[part] for part in parts)), axis=1
            )
        return losses


def _mean_over_attributes(loss, valid):
    """[B, M] -> [B], over the attributes for which the image anchors a triplet."""
    return tf.math.divide_no_nan(
        tf.reduce_sum(loss, 1), tf.reduce_sum(tf.cast(valid, loss.dtype), 1)
    )

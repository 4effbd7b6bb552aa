"""What AMNet is trained for (Zhao et al., CVPR 2017)."""

import tensorflow as tf
from ml_collections import config_dict

from asen_tf.core.errors import unknown_name
from asen_tf.losses import attribute_cross_entropy, triplet_loss

LOSSES = ("classification", "changed_classification", "changed_triplet")


class Objective:
    """Classification of images and of changed embeddings, and ranking by the latter.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      offsets: `AttributeSpace.offsets`.
    """

    needs_labels = True

    def __init__(self, config: config_dict.ConfigDict, offsets):
        self.margin = config.train.margin
        self.offsets = offsets

    def __call__(self, model, batch, names, training=True) -> dict[str, tf.Tensor]:
        """The named losses of a batch.

        Args:
          model: an AMNet.
          batch: images [B, 3, S, S, 3] (query, target, negative), attributes [B], in which query
            and target differ, labels bool [B, 3, V]; as sampling "manipulation" gives them.
          names: of `LOSSES`. "classification": cross entropy of the three images;
            "changed_classification": of the query's embedding after the change, with the query's
            labels but the target's in the attribute that changes; "changed_triplet": the changed
            query is more like the target than like the negative.

        Returns:
          name -> float32 [B], a value an example.

        Raises:
          ValueError: an unknown loss, or a batch without labels of three images.
        """
        for name in names:
            if name not in LOSSES:
                raise ValueError(unknown_name("loss of AMNet", name, LOSSES))
        if "labels" not in batch or batch["labels"].shape.rank != 3:
            raise ValueError("AMNet learns from labelled triplets: set train.sampling=manipulation")
        images = tf.reshape(batch["images"], (-1, *batch["images"].shape[2:]))
        vectors = model.outputs_of(images, None, ("global_branch",), training)["global_branch"]
        losses = {}
        if "classification" in names:
            labels = tf.reshape(batch["labels"], (-1, self.offsets[-1]))
            each = attribute_cross_entropy(model.logits(vectors), labels, self.offsets)
            losses["classification"] = tf.reduce_mean(tf.reshape(each, (-1, 3)), axis=1)
        if any(name in names for name in LOSSES[1:]):
            losses |= self._of_changes(model, batch, names, vectors)
        return losses

    def _of_changes(self, model, batch, names, vectors):
        query, target, negative = tf.unstack(
            tf.reshape(vectors, (-1, 3, vectors.shape[-1])), axis=1
        )
        before, after, _ = tf.unstack(batch["labels"], axis=1)
        inside = self._values_of(batch["attributes"])
        changed = model.change_to(query, tf.cast(after & inside, tf.float32)[:, None])
        losses = {}
        if "changed_classification" in names:
            labels = tf.where(inside, after, before)
            losses["changed_classification"] = attribute_cross_entropy(
                model.logits(changed), labels, self.offsets
            )
        if "changed_triplet" in names:
            losses["changed_triplet"] = triplet_loss(changed, target, negative, self.margin)
        return losses

    def _values_of(self, attributes):
        """Which values are the attribute's: int32 [B] -> bool [B, V]."""
        offsets, flat = tf.constant(self.offsets), tf.range(self.offsets[-1])
        begin = tf.gather(offsets, attributes)[:, None]
        end = tf.gather(offsets, attributes + 1)[:, None]
        return (flat >= begin) & (flat < end)

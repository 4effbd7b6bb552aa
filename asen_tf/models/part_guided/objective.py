"""What the part-guided network is trained for (Ak et al., WACV 2018)."""

import tensorflow as tf
from ml_collections import config_dict

from asen_tf.core.errors import unknown_name
from asen_tf.losses import attribute_cross_entropy
from asen_tf.models.ranking import Ranking

LOSSES = ("classification", "ranking")


class Objective:
    """Classification of every attribute, and triplet ranking in each branch: values an example.

    The variants without ranking have a ranking loss of 0, so that all follow the same stages.

    Attributes:
      needs_labels: batches of triplets must bring the labels of their images.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      offsets: `AttributeSpace.offsets`.
    """

    needs_labels = True

    def __init__(self, config: config_dict.ConfigDict, offsets):
        self.offsets = offsets
        self.ranking = Ranking(config, offsets)
        self.ranks = config.model.part_guided.variant in ("part_guided", "without_parts")

    def __call__(self, model, batch, names, training=True) -> dict[str, tf.Tensor]:
        """The named losses of a batch.

        Args:
          model: a `PartGuided`.
          batch: B images of which every triplet counts: images [B, S, S, 3], attributes [M],
            labels [B, V], ids [B]; or B triplets: images [B, 3, S, S, 3], attributes [B], labels
            [B, 3, V].
          names: of `LOSSES`.

        Returns:
          name -> float32 [B], a value an example; classification is the mean over a triplet's
          roles.
        """
        for name in names:
            if name not in LOSSES:
                raise ValueError(unknown_name("loss of PartGuided", name, LOSSES))
        labels = batch["labels"]
        triplets = labels.shape.rank == 3
        if triplets:
            batch = {key: value for key, value in batch.items() if key != "labels"}
        images, attributes = self.ranking.pairs(batch)
        outputs = model.outputs_of(images, attributes, training=training)
        losses = {}
        if "classification" in names:
            flat = tf.reshape(labels, (-1, labels.shape[-1]))
            loss = attribute_cross_entropy(outputs["logits"], flat, self.offsets)
            losses["classification"] = (
                tf.reduce_mean(tf.reshape(loss, (-1, 3)), axis=1) if triplets else loss
            )
        if "ranking" in names:
            losses["ranking"] = (
                self.ranking.loss(batch, outputs["embedding"])
                if self.ranks
                else tf.zeros(tf.shape(labels)[:1])
            )
        return losses

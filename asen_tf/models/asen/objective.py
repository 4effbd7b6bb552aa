"""What ASEN++ is trained for (Dong et al., section III-F)."""

import tensorflow as tf
from ml_collections import config_dict

from asen_tf.core.errors import unknown_name
from asen_tf.losses import alignment_loss
from asen_tf.models.ranking import Ranking

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
        self.ranking = Ranking(config, offsets)
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
          batch: triplets or labelled images, see `Ranking`.
          names: of `LOSSES`.

        Returns:
          name -> float32 [B], a value an example.
        """
        for name in names:
            if name not in LOSSES:
                raise ValueError(unknown_name("loss of ASEN", name, LOSSES))
        parts = [p for loss, p in RANKED.items() if loss in names or "alignment" in names]
        images, attributes = self.ranking.pairs(batch)
        outputs = model.outputs_of(images, attributes, parts, training)
        losses = {
            name: self.ranking.loss(batch, outputs[part])
            for name, part in RANKED.items()
            if name in names
        }
        if "alignment" in names:
            # The sum over the three roles; a labelled image plays all of them.
            distances = alignment_loss(*(outputs[part] for part in parts))
            losses["alignment"] = 3.0 * self.ranking.mean(batch, distances)
        return losses

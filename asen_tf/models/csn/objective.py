"""What conditional similarity networks are trained for (Veit et al., section 3)."""

import tensorflow as tf
from ml_collections import config_dict

from asen_tf.models.one_branch import TRIPLET, OneBranchObjective

EMBEDDING_NORM, MASK_NORM = "embedding_norm", "mask_norm"


class Objective(OneBranchObjective):
    """Triplet ranking of masked embeddings, and the paper's two penalties.

    `embedding_norm` is the squared length of the embedding before it is masked, `mask_norm` the
    sum of the mask's values (they are not negative); each the mean over an example's roles, or
    attributes. The paper weighs them 5e-3 and 5e-4.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      offsets: `AttributeSpace.offsets`.
    """

    losses = (TRIPLET, EMBEDDING_NORM, MASK_NORM)

    def __init__(self, config: config_dict.ConfigDict, offsets):
        super().__init__(config, offsets, config.model.csn.similarity)

    def loss(self, name, batch, outputs):
        if name == EMBEDDING_NORM:
            return self.ranking.mean(batch, tf.reduce_sum(outputs["shared"] ** 2, axis=-1))
        if name == MASK_NORM:
            return self.ranking.mean(batch, tf.reduce_sum(outputs["mask"], axis=-1))
        return super().loss(name, batch, outputs)

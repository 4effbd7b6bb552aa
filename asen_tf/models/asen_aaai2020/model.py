"""The one-branch network of the first paper on ASEN."""

import keras
import tensorflow as tf

from asen_tf.layers import WeaklySupervisedLocalization
from asen_tf.models.asen_aaai2020.attention import ChannelAttention, SpatialAttention
from asen_tf.models.base import original_boxes
from asen_tf.models.one_branch import PART, OneBranchModel


@keras.saving.register_keras_serializable(package="asen_tf")
class ASENAAAI2020(OneBranchModel):
    """Backbone, spatial and channel attention, linear map (Ma et al., AAAI 2020).

    Args:
      attributes, image_scale: see `OneBranchModel`.
      global_branch: dict of `backbone`, `size`, `common_dim` (K of the spatial attention) and
        `embedding_dim`.
      channel_reduction: see `ChannelAttention`.
      threshold: of the boxes that `explain` gives, see `WeaklySupervisedLocalization`; the
        embedding does not use them.
    """

    def __init__(
        self,
        attributes: int,
        global_branch: dict,
        image_scale: int = 2,
        channel_reduction: int = 2,
        threshold: float = 0.1,
        **kwargs,
    ):
        super().__init__(attributes, global_branch, image_scale, **kwargs)
        self._config |= {"channel_reduction": channel_reduction, "threshold": threshold}
        self.spatial_attention = SpatialAttention(attributes, global_branch["common_dim"])
        self.channel_attention = ChannelAttention(attributes, channel_reduction)
        self.projection = keras.layers.Dense(self.embedding_dim, name="projection")
        self.localize = WeaklySupervisedLocalization(self.trunk.size, threshold)
        pooled, ids = (None, None, self.feature_shape[-1]), (None, None)
        self.spatial_attention.build(self.feature_shape, ids)
        self.channel_attention.build(pooled, ids)
        self.projection.build(pooled)
        self.built = True

    def outputs_of_features(self, features, attributes):
        """Embeddings, and "attention" float32 [B, M, h, w]."""
        pooled, attention = self.spatial_attention(features, attributes)
        embedding = self.projection(self.channel_attention(pooled, attributes))
        return {PART: tf.cast(embedding, tf.float32), "attention": attention}

    def channel_weights(self, images, attributes) -> tf.Tensor:
        """Its channel attention, see `EmbeddingModel.channel_weights`."""
        features = self.trunk(self.shrink(tf.cast(images, tf.float32)))
        pooled, _ = self.spatial_attention(features, attributes)
        return tf.cast(self.channel_attention.weights_of(pooled, attributes), tf.float32)

    def explain(self, images, attributes, sizes=None) -> tuple[tf.Tensor, tf.Tensor]:
        """Where the model looked; the boxes hold what ASEN++ would show its local branch.

        Arguments and results are those of `ASEN.explain`.
        """
        attributes = tf.convert_to_tensor(attributes)
        if attributes.shape.rank == 1:
            attention, boxes = self.explain(images, attributes[:, None], sizes)
            return attention[:, 0], boxes[:, 0]
        if sizes is None:
            sizes = tf.fill((tf.shape(images)[0], 2), self.image_size)
        attention = self.outputs_of(images, attributes)["attention"]
        return attention, original_boxes(self.localize(attention), self.trunk.size, sizes)

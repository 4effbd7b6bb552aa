"""The one-branch network of the first paper on ASEN."""

import keras
import tensorflow as tf

from asen_tf.backbones import child_scope
from asen_tf.layers import WeaklySupervisedLocalization
from asen_tf.models.asen_aaai2020.attention import ChannelAttention, SpatialAttention
from asen_tf.models.one_branch import OneBranchModel


@keras.saving.register_keras_serializable(package="asen_tf")
class ASENAAAI2020(OneBranchModel):
    """Backbone, spatial and channel attention, linear map (Ma et al., AAAI 2020).

    Args:
      common_dim: K of the spatial attention.
      channel_reduction: see `ChannelAttention`.
      threshold: of the boxes that `explain` gives, see `WeaklySupervisedLocalization`; the
        embedding does not use them.
      Others: see `OneBranchModel`.
    """

    def __init__(
        self,
        *args,
        common_dim: int = 512,
        channel_reduction: int = 2,
        threshold: float = 0.1,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self._config |= {
            "common_dim": common_dim,
            "channel_reduction": channel_reduction,
            "threshold": threshold,
        }
        features = self.features.feature_shape
        pooled, ids = (None, None, features[-1]), (None, None)
        with child_scope(self):
            self.spatial_attention = SpatialAttention(
                self.attributes, common_dim, name="spatial_attention"
            )
            self.channel_attention = ChannelAttention(
                self.attributes, channel_reduction, name="channel_attention"
            )
            self.projection = keras.layers.Dense(self.embedding_dim, name="projection")
            self.localize = WeaklySupervisedLocalization(self.features.size, threshold)
            self.spatial_attention.build(features, ids)
            self.channel_attention.build(pooled, ids)
            self.projection.build(pooled)
        self.built = True

    def outputs_of_features(self, features, inputs):
        """Embeddings, and "attention" float32 [B, M, h, w]."""
        pooled, attention = self.spatial_attention(features, inputs["attributes"])
        embedding = self.projection(self.channel_attention(pooled, inputs["attributes"]))
        return {"global": tf.cast(embedding, tf.float32), "attention": attention}

    def channel_weights(self, images, attributes) -> tf.Tensor:
        """Its channel attention, see `EmbeddingModel.channel_weights`."""
        pooled, _ = self.spatial_attention(self.feature_maps(images), attributes)
        return tf.cast(self.channel_attention.weights_of(pooled, attributes), tf.float32)

    def attend(self, images, attributes) -> tuple[tf.Tensor, tf.Tensor]:
        """Its attention; the boxes hold what ASEN++ would show its local branch."""
        inputs = {"images": images, "attributes": attributes}
        attention = self.compute_outputs(inputs, ())["attention"]
        return attention, self.localize(attention)

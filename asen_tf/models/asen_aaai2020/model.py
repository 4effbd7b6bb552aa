"""The one-branch network of the first paper on ASEN."""

import keras
import tensorflow as tf
from keras import ops

from asen_tf.backbones import child_scope
from asen_tf.layers import WeaklySupervisedLocalization
from asen_tf.layers.spatial_attention import mean_pooling
from asen_tf.models.asen_aaai2020.attention import ChannelAttention, SpatialAttention
from asen_tf.models.one_branch import OneBranchModel


@keras.saving.register_keras_serializable(package="asen_tf")
class ASENAAAI2020(OneBranchModel):
    """Backbone, spatial and channel attention, linear map (Ma et al., AAAI 2020).

    Args:
      spatial_attention, channel_attention: False leaves that attention out (the paper's ablation);
        without the spatial one the mean over all positions takes its place.
      common_dim: K of the spatial attention.
      channel_reduction: see `ChannelAttention`.
      threshold: of the boxes that `explain` gives, see `WeaklySupervisedLocalization`; the
        embedding does not use them.
      Others: see `OneBranchModel`.
    """

    def __init__(
        self,
        *args,
        spatial_attention: bool = True,
        channel_attention: bool = True,
        common_dim: int = 512,
        channel_reduction: int = 2,
        threshold: float = 0.1,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self._config |= {
            "spatial_attention": spatial_attention,
            "channel_attention": channel_attention,
            "common_dim": common_dim,
            "channel_reduction": channel_reduction,
            "threshold": threshold,
        }
        features = self.features.feature_shape
        pooled, ids = (None, None, features[-1]), (None, None)
        self.spatial_attention = self.channel_attention = None
        with child_scope(self):
            if spatial_attention:
                self.spatial_attention = SpatialAttention(
                    self.attributes, common_dim, name="spatial_attention"
                )
                self.spatial_attention.build(features, ids)
            if channel_attention:
                self.channel_attention = ChannelAttention(
                    self.attributes, channel_reduction, name="channel_attention"
                )
                self.channel_attention.build(pooled, ids)
            self.projection = keras.layers.Dense(self.embedding_dim, name="projection")
            self.localize = WeaklySupervisedLocalization(self.features.size, threshold)
            self.projection.build(pooled)
        self.built = True

    @property
    def attribute_tables(self) -> tuple[keras.Variable, ...]:
        attentions = filter(None, (self.spatial_attention, self.channel_attention))
        return tuple(attention.table for attention in attentions)

    @property
    def pooled_dims(self) -> dict[str, int]:
        return {"global": self.features.feature_shape[-1]} if self.spatial_attention else {}

    def outputs_of_features(self, features, inputs):
        """Embeddings, what they are projected from, and "attention" float32 [B, M, h, w]."""
        attributes = inputs["attributes"]
        pooled, attention = self._pool(features, attributes)
        weighted = self.channel_attention(pooled, attributes) if self.channel_attention else pooled
        embedding = tf.cast(self.projection(weighted), tf.float32)
        return {
            "global": embedding,
            "global_pooled": tf.cast(pooled, tf.float32),
            "attention": attention,
        }

    def _pool(self, features, attributes):
        if self.spatial_attention:
            return self.spatial_attention(features, attributes)
        return mean_pooling(features, ops.shape(attributes)[1:])

    @property
    def weighs_channels(self) -> bool:
        return self.channel_attention is not None

    def channel_weights(self, images, attributes) -> tf.Tensor:
        """Its channel attention, see `EmbeddingModel.channel_weights`."""
        pooled, _ = self._pool(self.feature_maps(images), attributes)
        return tf.cast(self.channel_attention.weights_of(pooled, attributes), tf.float32)

    def attend(self, images, attributes) -> tuple[tf.Tensor, tf.Tensor]:
        """Its attention; the boxes hold what ASEN++ would show its local branch."""
        inputs = {"images": images, "attributes": attributes}
        attention = self.compute_outputs(inputs, ())["attention"]
        return attention, self.localize(attention)

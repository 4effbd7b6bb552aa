"""One branch of ASEN: a backbone, attention over space and channels, a linear embedding."""

from collections.abc import Mapping

import keras
from keras import ops

from asen_tf.backbones import FeatureExtractor, child_scope
from asen_tf.layers import AttributeChannelAttention, AttributeSpatialAttention
from asen_tf.layers.spatial_attention import mean_pooling


@keras.saving.register_keras_serializable(package="asen_tf")
class Branch(FeatureExtractor):
    """Attribute-specific embedding of images (one of the two branches of ASEN++).

    Args:
      backbone, size, weights, levels, dropout, frozen_statistics: see `FeatureExtractor`.
      common_dim: K, the dimension in which attribute and positions meet.
      embedding_dim: length of the embedding, D.
      attribute_dim: length of an attribute's vector, E.
      spatial_attention, channel_attention: False leaves that attention out (the papers' ablation);
        without spatial attention all positions count alike.
      learned_scale: see `AttributeSpatialAttention`.
      channel_reduction, channel_query_activation: see `AttributeChannelAttention`.

    Call arguments:
      images: float or uint8 [B, size, size, 3], values 0 to 255.
      attributes: float [B, E] or [B, M, E].

    Returns:
      embedding float32 [B, D] or [B, M, D], not normalised;
      attention float32 [B, h, w] or [B, M, h, w];
      pooled float32 [B, C] or [B, M, C], the features where attention looks, of `pooled_dim`
        channels.
    """

    def __init__(
        self,
        backbone: str | Mapping | keras.Model,
        size: int,
        common_dim: int = 512,
        embedding_dim: int = 1024,
        attribute_dim: int = 512,
        spatial_attention: bool = True,
        learned_scale: bool = False,
        channel_attention: bool = True,
        channel_reduction: int = 2,
        channel_query_activation: str = "relu",
        weights: str | None = None,
        **kwargs,
    ):
        super().__init__(backbone, size, weights, **kwargs)
        self._config |= {
            "common_dim": common_dim,
            "embedding_dim": embedding_dim,
            "attribute_dim": attribute_dim,
            "spatial_attention": spatial_attention,
            "learned_scale": learned_scale,
            "channel_attention": channel_attention,
            "channel_reduction": channel_reduction,
            "channel_query_activation": channel_query_activation,
        }
        self.embedding_dim = embedding_dim
        features, queries = self.feature_shape, (None, attribute_dim)
        self.pooled_dim = features[-1]
        pooled = (None, self.pooled_dim)
        self.spatial_attention = self.channel_attention = None
        with child_scope(self):
            if spatial_attention:
                self.spatial_attention = AttributeSpatialAttention(
                    common_dim, learned_scale, name="spatial_attention"
                )
            if channel_attention:
                self.channel_attention = AttributeChannelAttention(
                    channel_reduction, channel_query_activation, name="channel_attention"
                )
            self.projection = keras.layers.Dense(embedding_dim, name="projection")
            if self.spatial_attention:
                self.spatial_attention.build(features, queries)
            if self.channel_attention:
                self.channel_attention.build(pooled, queries)
            self.projection.build(pooled)

    def call(self, images, attributes, training=False):
        return self.embed_maps(self.maps(images, training), attributes, training)

    def embed_maps(self, maps, attributes, training=False):
        """What `call` gives, from the feature maps of the backbone's levels.

        A branch none of whose variables is trainable runs as in inference also in training.
        """
        training = training and bool(self.trainable_variables)
        return self.embed_features(self.join(maps, training=training), attributes)

    def embed_features(self, features, attributes):
        """What `call` gives, from feature maps [B, h, w, C]."""
        pooled, attention = self.attend(features, attributes)
        weighted = self.channel_attention(pooled, attributes) if self.channel_attention else pooled
        embedding = ops.cast(self.projection(weighted), "float32")
        return embedding, attention, ops.cast(pooled, "float32")

    def channel_weights(self, images, attributes):
        """What channel attention gives each channel, float32 [B, M, C] in 0..1."""
        pooled, _ = self.attend(self.features(images), attributes)
        return ops.cast(self.channel_attention.weights_of(pooled, attributes), "float32")

    def attend(self, features, attributes):
        """What is seen where attention looks, [B, M, C], and where that is, [B, M, h, w]."""
        if self.spatial_attention:
            return self.spatial_attention(features, attributes)
        return mean_pooling(features, ops.shape(attributes)[1:-1])

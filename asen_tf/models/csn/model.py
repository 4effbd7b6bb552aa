"""One embedding, of which each attribute keeps some dimensions."""

import keras
import tensorflow as tf

from asen_tf.core.errors import unknown_name
from asen_tf.layers import AttributeMask
from asen_tf.losses import SIMILARITIES
from asen_tf.models.one_branch import PART, OneBranchModel


@keras.saving.register_keras_serializable(package="asen_tf")
class CSN(OneBranchModel):
    """f(x) * m_a: a general embedding times the mask of the attribute (Veit et al., CVPR 2017).

    Args:
      attributes, global_branch, image_scale: see `OneBranchModel`.
      masks: "learned" or "disjoint", see `AttributeMask`.
      similarity: "cosine" as in ASEN's tables, or "euclidean" as in the paper.
      radius: with "euclidean", embeddings v become the unit vectors (v, radius) / |(v, radius)|.
        Their dot product is 1 - |v - w|^2 / (2 radius^2) up to a share of |v|^2 / radius^2, so
        that it ranks as the distance does where embeddings are short beside the radius.
    """

    def __init__(
        self,
        attributes: int,
        global_branch: dict,
        image_scale: int = 2,
        masks: str = "learned",
        similarity: str = "cosine",
        radius: float = 10.0,
        **kwargs,
    ):
        super().__init__(attributes, global_branch, image_scale, **kwargs)
        if similarity not in SIMILARITIES:
            raise ValueError(unknown_name("similarity of CSN", similarity, SIMILARITIES))
        if radius <= 0:
            raise ValueError(f"radius must be above 0, got {radius}")
        self._config |= {"masks": masks, "similarity": similarity, "radius": radius}
        self.similarity = similarity
        self.radius = radius
        self.projection = keras.layers.Dense(self.embedding_dim, name="projection")
        self.projection.build((None, self.feature_shape[-1]))
        self.mask = AttributeMask(attributes, self.embedding_dim, masks, dtype="float32")
        self.mask.build((None, None))
        self.built = True

    def outputs_of_features(self, features, attributes):
        """Embeddings, and what the penalties need: "shared" [B, 1, D] and "mask" [B, M, D]."""
        pooled = tf.reduce_mean(tf.cast(features, tf.float32), axis=(1, 2))
        shared = tf.cast(self.projection(pooled), tf.float32)[:, None]
        mask = self.mask(attributes)
        return {PART: shared * mask, "shared": shared, "mask": mask}

    def unit_vectors(self, embeddings):
        if self.similarity == "euclidean":
            padding = [[0, 0]] * (embeddings.shape.rank - 1) + [[0, 1]]
            embeddings = tf.pad(embeddings, padding, constant_values=self.radius)
        return super().unit_vectors(embeddings)

"""One embedding, of which each attribute keeps some dimensions."""

import keras
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_tf.backbones import child_scope
from asen_tf.core.choices import MASKED_DISTANCES
from asen_tf.layers import AttributeMask
from asen_tf.models.one_branch import OneBranchModel


@keras.saving.register_keras_serializable(package="asen_tf")
class CSN(OneBranchModel):
    """f(x) * m_a: a general embedding times the mask of the attribute (Veit et al., CVPR 2017).

    Args:
      masks: "learned" or "disjoint", see `AttributeMask`.
      distance: by which embeddings are ranked: "cosine" as in ASEN's tables, or "euclidean" as in
        the paper; that of the triplet loss.
      radius: with "euclidean", embeddings v become the unit vectors (v, radius) / |(v, radius)|.
        Their dot product is 1 - |v - w|^2 / (2 radius^2) up to a share of |v|^2 / radius^2, so
        that it ranks as the distance does where embeddings are short beside the radius.
      Others: see `OneBranchModel`.
    """

    def __init__(
        self,
        *args,
        masks: str = "learned",
        distance: str = "cosine",
        radius: float = 10.0,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        if distance not in MASKED_DISTANCES:
            raise ValueError(unknown_name("distance of CSN", distance, MASKED_DISTANCES))
        if radius <= 0:
            raise ValueError(f"radius must be above 0, got {radius}")
        self._config |= {"masks": masks, "distance": distance, "radius": radius}
        self.distance = distance
        self.radius = radius
        with child_scope(self):
            self.projection = keras.layers.Dense(self.embedding_dim, name="projection")
            self.projection.build((None, self.features.feature_shape[-1]))
            self.mask = AttributeMask(
                self.attributes, self.embedding_dim, masks, dtype="float32", name="mask"
            )
            self.mask.build((None, None))
        self.built = True

    @property
    def attribute_tables(self) -> tuple[keras.Variable, ...]:
        return (self.mask.weight,) if self.mask.masks == "learned" else ()

    def outputs_of_features(self, features, inputs):
        """Embeddings, and what the penalties need: "shared" [B, 1, D] and "mask" [B, M, D]."""
        pooled = tf.reduce_mean(tf.cast(features, tf.float32), axis=(1, 2))
        shared = tf.cast(self.projection(pooled), tf.float32)[:, None]
        mask = self.mask(inputs["attributes"])
        return {"global": shared * mask, "shared": shared, "mask": mask}

    def join(self, outputs, slices, attributes):
        (name,) = slices
        embeddings = outputs[name]
        if self.distance == "euclidean":
            padding = [[0, 0]] * (embeddings.shape.rank - 1) + [[0, 1]]
            embeddings = tf.pad(embeddings, padding, constant_values=self.radius)
        return tf.math.l2_normalize(embeddings, axis=-1)

"""What networks of one branch share."""

import abc
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from asen_tf.backbones import FeatureExtractor, averaging, child_scope
from asen_tf.models.base import EmbeddingModel, maps_of, numbered


class OneBranchModel(EmbeddingModel):
    """A network of a backbone and heads on its feature maps.

    Its slice has the name of ASEN's first, "global", so that what trains ASEN's first stage trains
    it as well.

    Args:
      attributes: number of attributes, A.
      backbone, size, weights, levels, dropout, frozen_statistics: see `FeatureExtractor`.
      embedding_dim: length of the embedding, D.
      image_scale: side of the images / `size`, an integer.
    """

    def __init__(
        self,
        attributes: int,
        backbone: str | Mapping | keras.Model,
        size: int,
        embedding_dim: int = 1024,
        image_scale: int = 2,
        weights: str | None = None,
        levels: Sequence[str] | str | None = None,
        dropout: float = 0.0,
        frozen_statistics: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._config = {
            "attributes": attributes,
            "embedding_dim": embedding_dim,
            "image_scale": image_scale,
        }
        self.attributes = attributes
        self.embedding_dim = embedding_dim
        with child_scope(self):
            self.shrink = averaging(image_scale)
            self.features = FeatureExtractor(
                backbone,
                size,
                weights,
                levels,
                dropout=dropout,
                frozen_statistics=frozen_statistics,
                name="features",
            )

    @property
    def image_size(self) -> int:
        return self._config["image_scale"] * self.features.size

    @property
    def slices(self) -> dict[str, int]:
        return {"global": self.embedding_dim}

    @abc.abstractmethod
    def outputs_of_features(self, features, inputs: Mapping[str, tf.Tensor]) -> dict:
        """What `compute_outputs` gives, from feature maps [B, h, w, C]."""

    def compute_outputs(self, inputs, names, training=False):
        return self.outputs_of_features(self.features_of(inputs, training), inputs)

    def frozen_inputs(self, images, names):
        return numbered("global", self.features.maps(self.shrink(tf.cast(images, tf.float32))))

    def features_of(self, inputs, training=False) -> tf.Tensor:
        """Feature maps [B, h, w, C] of what `compute_outputs` gets: images, or frozen features."""
        if "images" in inputs:
            return self.feature_maps(inputs["images"], training)
        return self.features.join(maps_of("global", inputs), training=training)

    def feature_maps(self, images, training=False) -> tf.Tensor:
        """Images uint8 [B, S, S, 3] -> float [B, h, w, C], in the compute dtype."""
        return self.features(self.shrink(tf.cast(images, tf.float32)), training=training)

    @property
    def feature_extractor(self) -> FeatureExtractor:
        return self.features

    def embed_features(self, features, attributes) -> tf.Tensor:
        outputs = self.outputs_of_features(features, {"attributes": attributes})
        return self.join(outputs, self.used_slices(), attributes)

    def get_config(self):
        described = self.features.get_config()
        for key in ("name", "trainable", "dtype"):
            del described[key]
        return {**super().get_config(), **described, **self._config}

"""What networks of one branch share."""

import abc
from collections.abc import Sequence

import tensorflow as tf
from ml_collections import config_dict

from asen_tf import backbones
from asen_tf.backbones.feature_extractor import FeatureExtractor, averaging
from asen_tf.core.errors import unknown_name
from asen_tf.models.base import EmbeddingModel
from asen_tf.models.ranking import Ranking

PART = "global_branch"
TRIPLET = "global_triplet"


class OneBranchModel(EmbeddingModel):
    """A network whose only part stands on `config.model.global_branch`.

    That part, its loss and its variant have the names that they have in ASEN, so that the first
    stage of any of ASEN's experiments trains it as well.

    Args:
      attributes: number of attributes, A.
      global_branch: dict of `backbone`, `size`, `embedding_dim`, and what the network adds.
      image_scale: side of the canvases / `global_branch["size"]`, an integer.
    """

    def __init__(self, attributes: int, global_branch: dict, image_scale: int = 2, **kwargs):
        super().__init__(**kwargs)
        self._config = {
            "attributes": attributes,
            "global_branch": dict(global_branch),
            "image_scale": image_scale,
        }
        self.attributes = attributes
        self.embedding_dim = global_branch["embedding_dim"]
        self.shrink = averaging(image_scale)
        self.trunk = FeatureExtractor(
            global_branch["backbone"], global_branch["size"], name="trunk"
        )

    @property
    def image_size(self) -> int:
        return self._config["image_scale"] * self.trunk.size

    @property
    def feature_shape(self) -> tuple[int | None, ...]:
        """Shape of the trunk's feature maps, (None, h, w, C)."""
        return self.trunk.backbone.output.shape

    def parts(self):
        return {PART: self.trainable_variables}

    def variants(self, parts=None) -> dict[str, slice]:
        self._check(parts)
        return {PART.removesuffix("_branch"): slice(None)}

    @abc.abstractmethod
    def outputs_of_features(self, features, attributes) -> dict[str, tf.Tensor]:
        """What `outputs_of` gives, from feature maps [B, h, w, C] and attributes [B, M].

        Returns:
          "global_branch": embeddings, float32 [B, M, D], not normalised; and what else the losses
          need.
        """

    def outputs_of(self, images, attributes, parts=(PART,), training=False):
        self._check(parts)
        features = self.trunk(self.shrink(tf.cast(images, tf.float32)), training=training)
        return self.outputs_of_features(features, attributes)

    def embed(self, images, attributes, parts=None, training=False) -> tf.Tensor:
        attributes = tf.convert_to_tensor(attributes)
        if attributes.shape.rank == 1:
            return self.embed(images, attributes[:, None], parts, training)[:, 0]
        outputs = self.outputs_of(images, attributes, parts or (PART,), training)
        return self.unit_vectors(outputs[PART])

    @property
    def trunk_of_features(self) -> FeatureExtractor:
        return self.trunk

    def embed_features(self, features, attributes) -> tf.Tensor:
        return self.unit_vectors(self.outputs_of_features(features, attributes)[PART])

    def unit_vectors(self, embeddings) -> tf.Tensor:
        """Unit vectors that rank by dot product as the loss ranks embeddings [..., D]."""
        return tf.math.l2_normalize(embeddings, axis=-1)

    def _check(self, parts: Sequence[str] | None) -> None:
        for part in parts or ():
            if part != PART:
                raise ValueError(unknown_name(f"part of {type(self).__name__}", part, [PART]))

    def get_config(self):
        return {**super().get_config(), **self._config}


class OneBranchObjective:
    """Triplet ranking of the branch's embeddings: values an example.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      offsets: `AttributeSpace.offsets`.
      similarity: see `Ranking`.
    """

    losses = (TRIPLET,)

    def __init__(self, config: config_dict.ConfigDict, offsets, similarity: str = "cosine"):
        self.ranking = Ranking(config, offsets, similarity)

    def __call__(self, model, batch, names, training=True) -> dict[str, tf.Tensor]:
        """The named losses of a batch (see `Ranking`): name -> float32 [B], a value an example."""
        for name in names:
            if name not in self.losses:
                raise ValueError(unknown_name(f"loss of {type(model).__name__}", name, self.losses))
        images, attributes = self.ranking.pairs(batch)
        outputs = model.outputs_of(images, attributes, (PART,), training)
        return {name: self.loss(name, batch, outputs) for name in names}

    def loss(self, name: str, batch, outputs) -> tf.Tensor:
        """One of the losses, from what `outputs_of` gave for the pairs of the batch: [B]."""
        return self.ranking.loss(batch, outputs[PART])


def settings(config: config_dict.ConfigDict, *keys: str) -> dict:
    """Arguments of a `OneBranchModel`: its own, and these keys of `config.model`."""
    found = {key: config.to_dict()[key] for key in (PART, "image_scale", *keys)}
    del found[PART]["weights"]
    return found


def load_pretrained(model: OneBranchModel, config: config_dict.ConfigDict) -> None:
    """Starts the trunk from the backbone weights that `config.model.global_branch` names."""
    if config[PART].weights:
        backbones.load_weights(model.trunk.backbone, config[PART].weights)

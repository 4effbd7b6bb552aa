"""ASEN++: a global branch, and a local branch on the region that the global one attends to."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_tf.backbones import averaging, child_scope
from asen_tf.core.choices import LOCALIZATIONS
from asen_tf.core.signature import call_with_known
from asen_tf.layers import (
    AttributeEmbedding,
    PeakLocalization,
    RegionCrop,
    SquareLocalization,
    WeaklySupervisedLocalization,
)
from asen_tf.models.asen.branch import Branch
from asen_tf.models.base import EmbeddingModel, maps_of, numbered
from asen_tf.models.weighed import weighed


@keras.saving.register_keras_serializable(package="asen_tf")
class ASEN(EmbeddingModel):
    """The two-branch network of ASEN++ (Dong et al., TIP 2021); with `beta=1` that of one branch.

    Args:
      attributes: number of attributes, A.
      global_branch, local_branch: dicts of `backbone`, `size`, `common_dim`, `embedding_dim`,
        `weights`, `levels`, `dropout`, `frozen_statistics` (see `Branch`).
      image_scale: side of the images / `global_branch["size"]`, an integer: the local branch
        cuts its regions from the image, so this is the detail it can see.
      attribute_dim: length of an attribute's vector, which both branches share.
      spatial_attention, learned_scale: of both branches, see `Branch`.
      channel_attention, channel_reduction, channel_query_activation: likewise.
      localization: "attention"; or "largest": only the largest connected component of what
        attention keeps; "square": room around the cells it prefers, see `SquareLocalization`;
        "peak": a square of fixed side around its peak; "whole": the image itself is the region
        (ASEN_full).
      threshold: of "attention" and "largest", see `WeaklySupervisedLocalization`, and of "square".
      peak_side: of "peak", see `PeakLocalization`.
      beta: weight of the global branch's cosine in the similarity, in [0, 1]: one number, or one an
        attribute. 1 for all never runs the local branch, 0 for all runs the global one for its
        attention only.
    """

    def __init__(
        self,
        attributes: int,
        global_branch: dict,
        local_branch: dict,
        image_scale: int = 2,
        attribute_dim: int = 512,
        spatial_attention: bool = True,
        learned_scale: bool = False,
        channel_attention: bool = True,
        channel_reduction: int = 2,
        channel_query_activation: str = "relu",
        localization: str = "attention",
        threshold: float = 0.1,
        peak_side: float = 0.5,
        beta: float | Sequence[float] = 0.6,
        **kwargs,
    ):
        super().__init__(**kwargs)
        shared = {
            "attribute_dim": attribute_dim,
            "spatial_attention": spatial_attention,
            "learned_scale": learned_scale,
            "channel_attention": channel_attention,
            "channel_reduction": channel_reduction,
            "channel_query_activation": channel_query_activation,
        }
        self._config = {
            "attributes": attributes,
            "image_scale": image_scale,
            **shared,
            "localization": localization,
            "threshold": threshold,
            "peak_side": peak_side,
        }
        self.attributes = attributes
        self.beta = beta
        self.localization = localization
        size = global_branch["size"]
        with child_scope(self):
            self.shrink = averaging(image_scale)
            self.localize = _localizer(localization, size, threshold, peak_side)
            self.attribute_embedding = AttributeEmbedding(
                attributes, attribute_dim, name="attribute_embedding"
            )
            self.attribute_embedding.build((None,))
            self.global_branch = _branch("global_branch", global_branch, shared)
            self.local_branch = _branch("local_branch", local_branch, shared)
            self.crop = RegionCrop(self.local_branch.size, dtype="float32")
        self.built = True

    @property
    def image_size(self) -> int:
        return self._config["image_scale"] * self.global_branch.size

    @property
    def attribute_tables(self) -> tuple[keras.Variable, ...]:
        return (self.attribute_embedding.embeddings,)

    @property
    def input_size(self) -> int:
        return self.global_branch.size

    @property
    def slices(self) -> dict[str, int]:
        return {
            "global": self.global_branch.embedding_dim,
            "local": self.local_branch.embedding_dim,
        }

    @property
    def pooled_dims(self) -> dict[str, int]:
        if not self._config["spatial_attention"]:
            return {}
        return {"global": self.global_branch.pooled_dim, "local": self.local_branch.pooled_dim}

    @property
    def beta(self) -> float | tuple[float, ...]:
        """Weight of the global branch's cosine: one number, or one an attribute.

        What was traced or exported before it is set keeps the one it had.
        """
        return self._beta

    @beta.setter
    def beta(self, beta: float | Sequence[float]) -> None:
        single = np.ndim(beta) == 0
        if not single and len(beta) != self.attributes:
            raise ValueError(
                f"beta must be one number or one for each of the {self.attributes} attributes, got "
                f"{len(beta)}"
            )
        if not all(0 <= b <= 1 for b in np.ravel(beta)):
            raise ValueError(f"beta weighs two cosines and must lie in [0, 1], got {beta}")
        self._beta = float(beta) if single else tuple(map(float, beta))

    def used_slices(self, slices: Sequence[str] | None = None) -> tuple[str, ...]:
        named = super().used_slices(slices)
        weights = {"global": np.max(self.beta), "local": 1 - np.min(self.beta)}
        # A slice without weight stands alone where it is all that is named.
        return tuple(name for name in named if weights[name] > 0) or named

    def compute_outputs(
        self,
        inputs: Mapping[str, tf.Tensor],
        names: Iterable[str],
        training: bool = False,
        crop: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ) -> dict[str, tf.Tensor]:
        """The branches' own outputs for (image, attribute) pairs.

        Args:
          inputs: "images" uint8 [B, S, S, 3], or what `frozen_inputs` makes of them; "attributes"
            int [B, M].
          names: "global", "local" or both.
          training: for batch normalisation.
          crop: regions float32 [B, M, 4] -> what the local branch sees of them, [B, M, s, s, 3];
            None: they are cut from the images.

        Returns:
          "global", "local" (as named): embeddings, float32 [B, M, D], not normalised;
          "global_pooled", "local_pooled": what these are projected from, float32 [B, M, C];
          "attention": float32 [B, M, h, w]; "region": float32 [B, M, 4], `rel_xyxy`.
        """
        vectors = self.attribute_embedding(inputs["attributes"])
        if "images" not in inputs:
            return self._outputs_of_maps(inputs, vectors, training)
        images = inputs["images"]
        found = self.global_branch(
            self.shrink(tf.cast(images, tf.float32)), vectors, training=training
        )
        outputs = self._of_global(*found)
        if "local" in tuple(names):
            if training or crop:
                crops = (crop or functools.partial(self.crop, images))(outputs["region"])
                outputs |= self._of_crops(crops, vectors, training)
            else:
                outputs |= self._of_regions(images, outputs["region"], vectors)
        return outputs

    def frozen_inputs(self, images, names):
        """The maps of the global branch, and of the local one those of every attribute's region."""
        names = set(names)
        maps = self.global_branch.maps(self.shrink(tf.cast(images, tf.float32)))
        kept = numbered("global", maps) if names != {"local"} else {}
        if "local" in names:
            vectors = self.attribute_embedding(self.all_attributes(images))
            _, attention = self.global_branch.attend(self.global_branch.join(maps), vectors)
            crops, places = self._distinct_crops(images, self.localize(attention))
            kept |= numbered(
                "local",
                [
                    tf.reshape(tf.gather(seen, places), (-1, self.attributes, *seen.shape[1:]))
                    for seen in self.local_branch.maps(crops)
                ],
            )
        return kept

    def _outputs_of_maps(self, inputs, vectors, training):
        outputs = {}
        if maps := maps_of("global", inputs):
            outputs = self._of_global(*self.global_branch.embed_maps(maps, vectors, training))
        if maps := maps_of("local", inputs):
            flat = [tf.reshape(seen, (-1, *seen.shape[2:])) for seen in maps]
            found = self.local_branch.embed_maps(
                flat, tf.reshape(vectors, (-1, vectors.shape[-1])), training
            )
            outputs |= self._of_local(found, vectors)
        return outputs

    def portable_options(self, images):
        return {"crop": functools.partial(self.crop.by_products, images)}

    def join(self, outputs, slices, attributes):
        """concat(sqrt(beta) unit(f_g), sqrt(1 - beta) unit(f_l)) (ASEN++).

        A dot product of two such vectors is beta cos_g + (1 - beta) cos_l.
        """
        units = [tf.math.l2_normalize(outputs[name], axis=-1) for name in slices]
        if len(units) == 1:
            return units[0]
        return weighed(*units, self.beta, attributes)

    def attend(self, images, attributes) -> tuple[tf.Tensor, tf.Tensor]:
        """The global branch's attention, and the local branch's regions as boxes."""
        inputs = {"images": images, "attributes": attributes}
        outputs = self.compute_outputs(inputs, ())
        return outputs["attention"], outputs["region"]

    @property
    def feature_extractor(self) -> Branch:
        return self.global_branch

    def embed_features(self, features, attributes) -> tf.Tensor:
        """The global branch's unit vectors, see `EmbeddingModel.embed_features`."""
        vectors = self.attribute_embedding(attributes)
        embedding, _, _ = self.global_branch.embed_features(features, vectors)
        return tf.math.l2_normalize(embedding, axis=-1)

    @property
    def weighs_channels(self) -> bool:
        return self.global_branch.channel_attention is not None

    def channel_weights(self, images, attributes) -> tf.Tensor:
        """The global branch's channel attention, see `EmbeddingModel.channel_weights`."""
        vectors = self.attribute_embedding(attributes)
        return self.global_branch.channel_weights(self.shrink(tf.cast(images, tf.float32)), vectors)

    def _of_global(self, embedding, attention, pooled):
        return {
            "global": embedding,
            "global_pooled": pooled,
            "attention": attention,
            "region": self.localize(attention),
        }

    def _of_crops(self, crops, vectors, training):
        side, dim = self.local_branch.size, vectors.shape[-1]
        found = self.local_branch(
            tf.reshape(crops, (-1, side, side, 3)),
            tf.reshape(vectors, (-1, dim)),
            training=training,
        )
        return self._of_local(found, vectors)

    def _of_regions(self, images, regions, vectors):
        """What the local branch gives; a region that attributes share goes through it once."""
        crops, places = self._distinct_crops(images, regions)
        features = tf.gather(self.local_branch.features(crops), places)
        flat = tf.reshape(vectors, (-1, vectors.shape[-1]))
        return self._of_local(self.local_branch.embed_features(features, flat), vectors)

    def _distinct_crops(self, images, regions):
        """What the local branch sees of the distinct regions, and where each pair's stands."""
        distinct, rows, places = _without_repetition(regions)
        return self.crop(images, distinct, rows), places

    def _of_local(self, found, vectors):
        """Outputs [B, M, D] and [B, M, C] of [B * M, ...], for attributes' vectors [B, M, E]."""
        embedding, _, pooled = found
        count = tf.shape(vectors)[1]
        return {
            "local": tf.reshape(embedding, (-1, count, self.local_branch.embedding_dim)),
            "local_pooled": tf.reshape(pooled, (-1, count, self.local_branch.pooled_dim)),
        }

    def get_config(self):
        return {
            **super().get_config(),
            **self._config,
            "beta": self.beta,
            "global_branch": _described(self.global_branch, self._config),
            "local_branch": _described(self.local_branch, self._config),
        }


def _branch(name: str, settings: Mapping, shared: Mapping) -> Branch:
    return call_with_known(Branch, name, settings, **shared, name=name)


def _described(branch: Branch, shared: Mapping) -> dict:
    """The arguments of a branch that are its own."""
    left_out = {"name", "trainable", "dtype", *shared}
    return {key: value for key, value in branch.get_config().items() if key not in left_out}


def _without_repetition(regions):
    """Regions [B, M, 4] -> the R distinct ones, the image of each, and where each pair's stands."""
    rows = tf.repeat(tf.range(tf.shape(regions)[0]), tf.shape(regions)[1])
    numbers = tf.cast(rows[:, None], tf.float32)
    pairs = tf.concat([numbers, tf.reshape(regions, (-1, 4))], axis=1)
    distinct, places = tf.raw_ops.UniqueV2(x=pairs, axis=[0])
    distinct = tf.ensure_shape(distinct, (None, 5))
    return distinct[:, 1:], tf.cast(distinct[:, 0], tf.int32), places


def _localizer(name: str, size: int, threshold: float, peak_side: float) -> keras.layers.Layer:
    """The layer from attention maps to regions."""
    if name not in LOCALIZATIONS:
        raise ValueError(unknown_name("localization", name, LOCALIZATIONS))
    if name == "peak":
        return PeakLocalization(size, peak_side)
    if name == "whole":
        return PeakLocalization(size, share=1.0)
    if name == "square":
        return SquareLocalization(threshold)
    return WeaklySupervisedLocalization(
        size, threshold, keep="largest" if name == "largest" else "all"
    )

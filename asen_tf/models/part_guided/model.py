"""The part-guided network: a branch an attribute, each on the parts of the garment that show it."""

import itertools
from collections.abc import Sequence

import keras
import tensorflow as tf

from asen_tf.backbones.feature_extractor import FeatureExtractor, averaging
from asen_tf.core.errors import unknown_name
from asen_tf.layers import RoIPooling
from asen_tf.models.base import EmbeddingModel
from asen_tf.models.part_guided.branch import PartBranch
from asen_tf.models.part_guided.part_extractor import PARTS, PartExtractor

WHOLE = "whole"
SLEEVES = ("left_sleeve", "right_sleeve")
CHOICES = (*PARTS, "sleeves")
VARIANTS = ("part_guided", "without_parts", "without_parts_and_ranking", "classic")


@keras.saving.register_keras_serializable(package="asen_tf")
class PartGuided(EmbeddingModel):
    """The network of Ak et al. (WACV 2018), and the baselines of its ablation.

    One trunk sees the image. Of its last feature map each attribute's branch gets what RoI pooling
    takes from the attribute's parts; general attributes get the whole image. On each branch's
    vector stands a classifier of the attribute's values.

    Args:
      offsets: `AttributeSpace.offsets`, A + 1 numbers.
      global_branch: dict of `backbone`, `size` and `embedding_dim`, the trunk's and the length of
        each vector.
      image_scale: side of the canvases / `global_branch["size"]`, an integer.
      parts: of `CHOICES`, one an attribute; "whole" makes it a general one, "sleeves" gives it both
        sleeves side by side. Empty: all are general.
      variant: "part_guided"; "without_parts": every branch gets the whole image;
        "without_parts_and_ranking": the same network, of which `Objective` only trains
        classification; "classic": likewise, and one branch serves all attributes.
      roi_size: see `RoIPooling`.
      hidden_dim: see `PartBranch`.
      threshold: see `PartExtractor`.

    Raises:
      ValueError: an unknown variant or part, or not one part an attribute.
    """

    def __init__(
        self,
        offsets: Sequence[int],
        global_branch: dict,
        image_scale: int = 2,
        parts: Sequence[str] = (),
        variant: str = "part_guided",
        roi_size: int = 6,
        hidden_dim: int = 1024,
        threshold: float = 0.5,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.offsets = tuple(offsets)
        self.attributes = len(offsets) - 1
        if variant not in VARIANTS:
            raise ValueError(unknown_name("variant of part_guided", variant, VARIANTS))
        self.variant = variant
        self._config = {
            "offsets": list(offsets),
            "global_branch": dict(global_branch),
            "image_scale": image_scale,
            "parts": list(parts),
            "variant": variant,
            "roi_size": roi_size,
            "hidden_dim": hidden_dim,
            "threshold": threshold,
        }
        looked_at = [SLEEVES if name == "sleeves" else (name,) for name in self._names(parts)]
        self._used = tuple(part for part in PARTS if any(part in its for its in looked_at))
        # Of each attribute, the places of its parts among those in use.
        self._places = tuple(tuple(map(self._used.index, its)) for its in looked_at)
        branches = 1 if variant == "classic" else self.attributes
        self._branch_of = tuple(min(n, branches - 1) for n in range(self.attributes))

        self.shrink = averaging(image_scale)
        self.trunk = FeatureExtractor(
            global_branch["backbone"], global_branch["size"], name="trunk"
        )
        self.extract = PartExtractor(threshold, dtype="float32")
        self.pool = RoIPooling(roi_size, dtype="float32")
        dim = global_branch["embedding_dim"]
        # By name, as TensorFlow's checkpoints do not look into lists of layers.
        for n in range(branches):
            setattr(self, f"branch_{n}", PartBranch(hidden_dim, dim, name=f"branch_{n}"))
        for n, (start, stop) in enumerate(itertools.pairwise(self.offsets)):
            head = keras.layers.Dense(stop - start, dtype="float32", name=f"classifier_{n}")
            setattr(self, f"classifier_{n}", head)
        channels = self.trunk.backbone.output.shape[-1]
        for branch, places in zip(self.branches, self._places, strict=False):
            branch.build((None, len(places), roi_size, roi_size, channels))
        for classifier in self.classifiers:
            classifier.build((None, dim))
        self.built = True

    @property
    def branches(self) -> list[PartBranch]:
        """One an attribute; of "classic", one for all."""
        return [getattr(self, f"branch_{n}") for n in sorted(set(self._branch_of))]

    @property
    def classifiers(self) -> list[keras.layers.Dense]:
        """One an attribute."""
        return [getattr(self, f"classifier_{n}") for n in range(self.attributes)]

    @property
    def image_size(self) -> int:
        return self._config["image_scale"] * self.trunk.size

    def parts(self) -> dict[str, list[keras.Variable]]:
        heads = [*self.branches, *self.classifiers]
        return {
            "trunk": self.trunk.trainable_variables,
            "branches": [v for head in heads for v in head.trainable_variables],
        }

    def variants(self, parts=None) -> dict[str, slice]:
        self._check(parts)
        return {"branch": slice(None)}

    def outputs_of(self, images, attributes, parts=(), training=False) -> dict[str, tf.Tensor]:
        """What the losses need.

        Args:
          images: uint8 [B, S, S, 3] canvases.
          attributes: int [B, M].
          parts: all parts give the same.
          training: for batch normalisation.

        Returns:
          "embedding": float32 [B, M, D], the vectors of the attributes' branches, not normalised;
          "logits": float32 [B, V], of every attribute's classifier, in the flat numbering.
        """
        self._check(parts)
        features = self.trunk(self.shrink(tf.cast(images, tf.float32)), training=training)
        pooled = self.pool(features, self._boxes(images))
        vectors = [
            branch(tf.gather(pooled, places, axis=1))
            for branch, places in zip(self.branches, self._places, strict=False)
        ]
        of_attribute = [vectors[place] for place in self._branch_of]
        logits = [c(v) for c, v in zip(self.classifiers, of_attribute, strict=True)]
        embedding = tf.gather(tf.stack(of_attribute, axis=1), attributes, batch_dims=1)
        return {"embedding": embedding, "logits": tf.concat(logits, axis=-1)}

    def embed(self, images, attributes, parts=None, training=False) -> tf.Tensor:
        attributes = tf.convert_to_tensor(attributes)
        if attributes.shape.rank == 1:
            return self.embed(images, attributes[:, None], parts, training)[:, 0]
        embedding = self.outputs_of(images, attributes, parts, training)["embedding"]
        return tf.math.l2_normalize(embedding, axis=-1)

    def explain(self, images, attributes, sizes=None) -> tuple[tf.Tensor, tf.Tensor]:
        """Which parts an attribute is read from.

        Args:
          images: uint8 [B, S, S, 3] canvases.
          attributes: int [B] or [B, M].
          sizes: int [B, 2], height and width of the original photographs; None: the canvas's own.

        Returns:
          attention float32 [B, h, w] or [B, M, h, w]: how much of each cell of the feature map
          lies in the parts, summing to 1;
          boxes int32 [B, 4] or [B, M, 4]: left, top, right, bottom of the rectangle around the
          parts, in pixels of the original photograph.
        """
        attributes = tf.convert_to_tensor(attributes)
        if attributes.shape.rank == 1:
            attention, boxes = self.explain(images, attributes[:, None], sizes)
            return attention[:, 0], boxes[:, 0]
        if sizes is None:
            sizes = tf.fill((tf.shape(images)[0], 2), self.image_size)
        found = self._boxes(images)
        _, height, width, _ = self.trunk.backbone.output.shape
        of_attribute = [tf.gather(found, places, axis=1) for places in self._places]
        shares = tf.stack([_covered(boxes, height, width) for boxes in of_attribute], axis=1)
        around = tf.stack([_around(boxes) for boxes in of_attribute], axis=1)
        return (
            tf.gather(shares, attributes, batch_dims=1),
            _in_original(tf.gather(around, attributes, batch_dims=1), sizes),
        )

    def _names(self, parts):
        for part in parts:
            if part not in CHOICES:
                raise ValueError(unknown_name("part of a garment", part, CHOICES))
        if parts and len(parts) != self.attributes:
            raise ValueError(
                f"part_guided.parts names a part for each of the {self.attributes} attributes, "
                f"in their order ('whole' for a general one): got {len(parts)}"
            )
        if not parts or self.variant != "part_guided":
            return [WHOLE] * self.attributes
        return parts

    def _boxes(self, images):
        """[B, P, 4] of the parts in use; where that is the whole image, nothing is extracted."""
        if self._used == (WHOLE,):
            whole = tf.constant([[[0.0, 0.0, 1.0, 1.0]]])
            return tf.tile(whole, (tf.shape(images)[0], 1, 1))
        places = [PARTS.index(part) for part in self._used]
        return tf.gather(self.extract(images)[0], places, axis=1)

    def _check(self, parts):
        for part in parts or ():
            if part not in ("trunk", "branches"):
                raise ValueError(unknown_name("part of PartGuided", part, ("trunk", "branches")))

    def get_config(self):
        return {**super().get_config(), **self._config}


def _covered(boxes, height, width):
    """float [B, P, 4] in 0..1 -> [B, height, width]: shares of the cells' area, summing to 1."""

    def along(start, end, cells):
        edges = tf.range(cells, dtype=tf.float32) / cells
        begin = tf.maximum(start[..., None], edges)
        return tf.maximum(tf.minimum(end[..., None], edges + 1 / cells) - begin, 0.0)

    left, top, right, bottom = tf.unstack(boxes, axis=-1)
    rows, columns = along(top, bottom, height), along(left, right, width)
    cover = tf.reduce_max(rows[..., :, None] * columns[..., None, :], axis=1)
    return tf.math.divide_no_nan(cover, tf.reduce_sum(cover, axis=(1, 2), keepdims=True))


def _around(boxes):
    """The rectangle around all parts: [B, P, 4] -> [B, 4]."""
    low, high = tf.reduce_min(boxes[..., :2], axis=1), tf.reduce_max(boxes[..., 2:], axis=1)
    return tf.concat([low, high], axis=-1)


def _in_original(boxes, sizes):
    """[B, M, 4] as parts of the centred square -> int32, pixels of photographs of sizes [B, 2]."""
    sizes = tf.cast(sizes, tf.float32)[:, None]
    short = tf.reduce_min(sizes, axis=-1, keepdims=True)
    margin = tf.floor((sizes[..., ::-1] - short) / 2)
    return tf.cast(tf.round(boxes * short + tf.tile(margin, (1, 1, 2))), tf.int32)

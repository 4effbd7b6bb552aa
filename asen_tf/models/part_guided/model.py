"""The part-guided network: a branch an attribute, each on the parts of the garment that show it."""

import itertools
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from asen_tf.backbones import child_scope
from asen_tf.core.errors import unknown_name
from asen_tf.layers import RoIPooling
from asen_tf.models.base import EmbeddingModel
from asen_tf.models.one_branch import OneBranchModel
from asen_tf.models.part_guided.branch import PartBranch
from asen_tf.models.part_guided.part_extractor import PARTS, PartExtractor

WHOLE = "whole"
SLEEVES = ("left_sleeve", "right_sleeve")
CHOICES = (*PARTS, "sleeves")


@keras.saving.register_keras_serializable(package="asen_tf")
class PartGuided(OneBranchModel):
    """The network of Ak et al. (WACV 2018), and the baselines of its ablation.

    One backbone sees the image. Of its last feature map each attribute's branch gets what RoI
    pooling takes from the attribute's parts; general attributes get the whole image. On each
    branch's vector stands a classifier of the attribute's values.

    Args:
      offsets: `AttributeSpace.offsets`, A + 1 numbers.
      parts: of `CHOICES`, one an attribute; "whole" makes it a general one, "sleeves" gives it both
        sleeves side by side. Empty: all are general ("without parts").
      one_branch: whether one branch serves all attributes ("classic"); then all are general.
      roi_size: see `RoIPooling`.
      hidden_dim: see `PartBranch`.
      threshold: see `PartExtractor`.
      Others: see `OneBranchModel`.

    Raises:
      ValueError: an unknown part, or not one part an attribute.
    """

    # An embedding takes the parts besides, which are found in the image.
    embeds_features = False
    class_outputs = ("logits",)
    frozen_inputs = EmbeddingModel.frozen_inputs

    def __init__(
        self,
        offsets: Sequence[int],
        backbone: str | Mapping | keras.Model,
        size: int,
        embedding_dim: int = 1024,
        image_scale: int = 2,
        parts: Sequence[str] = (),
        one_branch: bool = False,
        roi_size: int = 6,
        hidden_dim: int = 1024,
        threshold: float = 0.5,
        weights: str | None = None,
        **kwargs,
    ):
        super().__init__(
            len(offsets) - 1, backbone, size, embedding_dim, image_scale, weights, **kwargs
        )
        del self._config["attributes"]
        self.offsets = tuple(offsets)
        self._config |= {
            "offsets": list(offsets),
            "parts": list(parts),
            "one_branch": one_branch,
            "roi_size": roi_size,
            "hidden_dim": hidden_dim,
            "threshold": threshold,
        }
        chosen = self._chosen(parts, one_branch)
        pooled = [SLEEVES if name == "sleeves" else (name,) for name in chosen]
        self._used = tuple(part for part in PARTS if any(part in its for its in pooled))
        # Of each attribute, the places of its parts among those in use.
        self._places = tuple(tuple(map(self._used.index, its)) for its in pooled)
        branches = 1 if one_branch else self.attributes
        self._branch_of = tuple(min(n, branches - 1) for n in range(self.attributes))
        with child_scope(self):
            self._make_heads(branches)
        self.built = True

    def _make_heads(self, branches: int) -> None:
        roi_size, hidden_dim = self._config["roi_size"], self._config["hidden_dim"]
        self.extract = PartExtractor(self._config["threshold"], dtype="float32")
        self.pool = RoIPooling(roi_size, dtype="float32")
        # By name, as TensorFlow's checkpoints do not look into lists of layers.
        for n in range(branches):
            branch = PartBranch(hidden_dim, self.embedding_dim, name=f"branch_{n}")
            setattr(self, f"branch_{n}", branch)
        for n, (start, stop) in enumerate(itertools.pairwise(self.offsets)):
            head = keras.layers.Dense(stop - start, dtype="float32", name=f"classifier_{n}")
            setattr(self, f"classifier_{n}", head)
        channels = self.features.feature_shape[-1]
        for branch, places in zip(self.branches, self._places, strict=False):
            branch.build((None, len(places), roi_size, roi_size, channels))
        for classifier in self.classifiers:
            classifier.build((None, self.embedding_dim))

    @property
    def branches(self) -> list[PartBranch]:
        """One an attribute; of "classic", one for all."""
        return [getattr(self, f"branch_{n}") for n in sorted(set(self._branch_of))]

    @property
    def classifiers(self) -> list[keras.layers.Dense]:
        """One an attribute."""
        return [getattr(self, f"classifier_{n}") for n in range(self.attributes)]

    @property
    def slices(self) -> dict[str, int]:
        return {"branch": self.embedding_dim}

    def outputs_of_features(self, features, inputs):
        """From feature maps [B, h, w, C] and images.

        Returns:
          "branch": float32 [B, M, D], the vectors of the attributes' branches, not normalised;
          "logits": float32 [B, V], of every attribute's classifier, in the flat numbering.
        """
        pooled = self.pool(features, self._boxes(inputs["images"]))
        vectors = [
            branch(tf.gather(pooled, places, axis=1))
            for branch, places in zip(self.branches, self._places, strict=False)
        ]
        of_attribute = [vectors[place] for place in self._branch_of]
        logits = [c(v) for c, v in zip(self.classifiers, of_attribute, strict=True)]
        embedding = tf.gather(tf.stack(of_attribute, axis=1), inputs["attributes"], batch_dims=1)
        return {"branch": embedding, "logits": tf.concat(logits, axis=-1)}

    def attend(self, images, attributes) -> tuple[tf.Tensor, tf.Tensor]:
        """Which parts an attribute is read from.

        Returns:
          attention float32 [B, M, h, w]: how much of each cell of the feature map lies in the
          parts, summing to 1;
          boxes float32 [B, M, 4], `rel_xyxy`: the rectangle around the parts.
        """
        found = self._boxes(images)
        _, height, width, _ = self.features.feature_shape
        of_attribute = [tf.gather(found, places, axis=1) for places in self._places]
        shares = tf.stack([_covered(boxes, height, width) for boxes in of_attribute], axis=1)
        around = tf.stack([_around(boxes) for boxes in of_attribute], axis=1)
        return (
            tf.gather(shares, attributes, batch_dims=1),
            tf.gather(around, attributes, batch_dims=1),
        )

    def _chosen(self, parts, one_branch):
        for part in parts:
            if part not in CHOICES:
                raise ValueError(unknown_name("part of a garment", part, CHOICES))
        if parts and len(parts) != self.attributes:
            raise ValueError(
                f"model.parts names a part for each of the {self.attributes} attributes, "
                f"in their order ('whole' for a general one): got {len(parts)}"
            )
        if not parts or one_branch:
            return [WHOLE] * self.attributes
        return parts

    def _boxes(self, images):
        """[B, P, 4] of the parts in use; where that is the whole image, nothing is extracted."""
        if self._used == (WHOLE,):
            whole = tf.constant([[[0.0, 0.0, 1.0, 1.0]]])
            return tf.tile(whole, (tf.shape(images)[0], 1, 1))
        places = [PARTS.index(part) for part in self._used]
        return tf.gather(self.extract(images)[0], places, axis=1)


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

"""The part-guided network: a signature vector for each special attribute, one for all others."""

import itertools
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_tf.backbones import child_scope
from asen_tf.layers import RoIPooling
from asen_tf.models.base import EmbeddingModel
from asen_tf.models.one_branch import OneBranchModel
from asen_tf.models.part_guided.branch import Branch
from asen_tf.models.part_guided.part_extractor import (
    CASES,
    PARTS,
    SLEEVES,
    WHOLE,
    PartExtractor,
    usable,
)

CHOICES = (*PARTS, "sleeves")


@keras.saving.register_keras_serializable(package="asen_tf")
class PartGuided(OneBranchModel):
    """The network of Ak et al. (WACV 2018), and the baselines of its ablation.

    One backbone sees the image. Each special attribute has a branch, which gets what RoI pooling
    takes from the attribute's parts; one branch gets the pooled map of the whole image for all
    other attributes, the general ones, and makes their embedding. On each branch's vector stands a
    classifier for each of its attributes. A fully connected layer on the pooled map answers
    "Extract parts?": whether there are any, or all but sleeves; a part that is not extracted is the
    whole map. In training, what the layer learns to answer takes the place of its answer.

    Args:
      offsets: `AttributeSpace.offsets`, A + 1 numbers.
      attribute_names: of the attributes, in their order; needed with `parts`.
      parts: the special attributes: name -> part of `CHOICES`, where "whole" gives the attribute
        the whole map ("without parts"), "sleeves" both sleeves. Empty: all attributes are general
        ("classic").
      hidden_dim: see `Branch`.
      threshold: see `PartExtractor`.
      Others: see `OneBranchModel`.

    Raises:
      ValueError: an unknown part or attribute.
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
        attribute_names: Sequence[str] = (),
        parts: Mapping[str, str] | None = None,
        hidden_dim: int = 1024,
        threshold: float = 0.0,
        weights: str | None = None,
        **kwargs,
    ):
        super().__init__(
            len(offsets) - 1, backbone, size, embedding_dim, image_scale, weights, **kwargs
        )
        del self._config["attributes"]
        self.offsets = tuple(offsets)
        parts = dict(parts or {})
        self._config |= {
            "offsets": list(offsets),
            "attribute_names": list(attribute_names),
            "parts": parts,
            "hidden_dim": hidden_dim,
            "threshold": threshold,
        }
        for name, part in parts.items():
            if name not in attribute_names:
                raise ValueError(unknown_name("attribute in model.parts", name, attribute_names))
            if part not in CHOICES:
                raise ValueError(unknown_name("part of a garment", part, CHOICES))
        special = [place for place, name in enumerate(attribute_names) if name in parts]
        looked_at = [_parts_of(parts[attribute_names[place]]) for place in special]
        if len(special) < self.attributes:
            looked_at.append((WHOLE,))  # the general branch comes last
        # The whole map comes first, as all that is pooled where no part is needed.
        self._used = tuple(part for part in PARTS if part in {WHOLE, *sum(looked_at, ())})
        self._places = tuple(tuple(map(self._used.index, its)) for its in looked_at)
        # Of each attribute, the number of its branch.
        self._branch_of = tuple(
            special.index(place) if place in special else len(special)
            for place in range(self.attributes)
        )
        with child_scope(self):
            self._make_heads(hidden_dim, threshold)
        self.built = True

    def _make_heads(self, hidden_dim: int, threshold: float) -> None:
        self.pool = RoIPooling(dtype="float32")
        features = keras.KerasTensor(self.features.feature_shape)
        *_, height, width, channels = self.pool(features, keras.KerasTensor((None, 1, 4))).shape
        if self._used != (WHOLE,):
            self.extract = PartExtractor(threshold, dtype="float32")
            self.extract_parts = keras.layers.Dense(
                len(CASES), dtype="float32", name="extract_parts"
            )
            self.extract_parts.build((None, height * width * channels))
        # By name, as TensorFlow's checkpoints do not look into lists of layers.
        for n, places in enumerate(self._places):
            branch = Branch(hidden_dim, self.embedding_dim, name=f"branch_{n}")
            branch.build((None, len(places), height, width, channels))
            setattr(self, f"branch_{n}", branch)
        for n, (start, stop) in enumerate(itertools.pairwise(self.offsets)):
            head = keras.layers.Dense(stop - start, dtype="float32", name=f"classifier_{n}")
            head.build((None, self.embedding_dim))
            setattr(self, f"classifier_{n}", head)

    @property
    def branches(self) -> list[Branch]:
        """Those of the special attributes, in their order, and the general one."""
        return [getattr(self, f"branch_{n}") for n in range(len(self._places))]

    @property
    def classifiers(self) -> list[keras.layers.Dense]:
        """One an attribute."""
        return [getattr(self, f"classifier_{n}") for n in range(self.attributes)]

    @property
    def slices(self) -> dict[str, int]:
        return {"branch": self.embedding_dim}

    def compute_outputs(self, inputs, names, training=False):
        features = self.features_of(inputs, training)
        return self.outputs_of_features(features, inputs, training)

    def outputs_of_features(self, features, inputs, training=False):
        """From feature maps [B, h, w, C] and images.

        Returns:
          "branch": float32 [B, M, D], unit vectors of the attributes' branches;
          "logits": float32 [B, V], of every attribute's classifier, in the flat numbering;
          where parts are needed, "case_logits" float32 [B, 3], the answer to "Extract parts?", and
          "case" int32 [B], what it should be.
        """
        pooled, _, answers = self._pooled(features, inputs.get("images"), training)
        vectors = [
            branch(tf.gather(pooled, places, axis=1))
            for branch, places in zip(self.branches, self._places, strict=True)
        ]
        of_attribute = zip(self.classifiers, self._branch_of, strict=True)
        logits = [classifier(vectors[place]) for classifier, place in of_attribute]
        wanted = tf.gather(self._branch_of, inputs["attributes"])
        units = tf.math.l2_normalize(tf.stack(vectors, axis=1), axis=-1)
        embedding = tf.gather(units, wanted, batch_dims=1)
        return {"branch": embedding, "logits": tf.concat(logits, axis=-1), **answers}

    def _pooled(self, features, images, training):
        """[B, P, y, x, C] and boxes [B, P, 4] of the parts in use, and the answers to the case."""
        box = tf.tile(tf.constant([[[0.0, 0.0, 1.0, 1.0]]]), (tf.shape(features)[0], 1, 1))
        whole = self.pool(features, box)
        if self._used == (WHOLE,):
            return whole, box, {}
        regions, _, case = self.extract(images)
        logits = self.extract_parts(tf.reshape(whole, (-1, self.extract_parts.kernel.shape[0])))
        used = case if training else tf.argmax(logits, axis=-1, output_type=tf.int32)
        places = [PARTS.index(part) for part in self._used[1:]]
        boxes = tf.gather(usable(regions, used), places, axis=1)
        pooled = tf.concat([whole, self.pool(features, boxes)], axis=1)
        return pooled, tf.concat([box, boxes], axis=1), {"case_logits": logits, "case": case}

    def attend(self, images, attributes) -> tuple[tf.Tensor, tf.Tensor]:
        """Which parts an attribute is read from.

        Returns:
          attention float32 [B, M, h, w]: how much of each cell of the feature map lies in the
          parts, summing to 1;
          boxes float32 [B, M, 4], `rel_xyxy`: the rectangle around the parts.
        """
        _, found, _ = self._pooled(self.feature_maps(images), images, training=False)
        _, height, width, _ = self.features.feature_shape
        of_branch = [tf.gather(found, places, axis=1) for places in self._places]
        shares = tf.stack([_covered(boxes, height, width) for boxes in of_branch], axis=1)
        around = tf.stack([_around(boxes) for boxes in of_branch], axis=1)
        wanted = tf.gather(self._branch_of, attributes)
        return (
            tf.gather(shares, wanted, batch_dims=1),
            tf.gather(around, wanted, batch_dims=1),
        )

    def get_config(self):
        # A plain dict, where Keras keeps that of an attribute as one that refers to the model.
        return {**super().get_config(), "parts": dict(self._config["parts"])}


def _parts_of(name):
    return SLEEVES if name == "sleeves" else (name,)


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

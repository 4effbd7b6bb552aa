"""Which images show change number i of an attribute: a function of the seed and i alone."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from asen_tf.data import counter
from asen_tf.data.counter import splits_of, within
from asen_tf.data.label_sets import LabelSets, pairs_that_differ
from asen_tf.data.manifest import Manifest

_DRAWS = ("attribute", "change", "query", "target", "near", "negative")


@dataclasses.dataclass(frozen=True)
class ManipulationSampler:
    """Draws a query, a target that differs from it in one attribute, and a negative.

    Uniform attribute; uniform change, which is a pair of label sets that differ in this attribute
    alone, the target's having one value of it; uniform query and target with these labels. The
    negative has labels that differ from the target's in one attribute, any of them: uniform
    labels, then a uniform image. So it may be a garment like the query, unchanged, or one that
    differs from what is wanted in another respect.

    Attributes:
      seed: chooses the sequence.
      attributes: int64 [E], the attributes in the draw.
      change_splits: int64 [E + 1], where each attribute's changes begin.
      changes: int64 [P, 2], label sets of query and target.
      member_splits: int64 [K + 1], where each label set's members begin.
      members: int64 [N], images in the order of their label sets.
      near_splits: int64 [K + 1], where each label set's neighbours begin.
      near: int64 [U], neighbours: label sets that differ from it in one attribute.
    """

    seed: int
    attributes: np.ndarray
    change_splits: np.ndarray
    changes: np.ndarray
    member_splits: np.ndarray
    members: np.ndarray
    near_splits: np.ndarray
    near: np.ndarray

    @classmethod
    def from_manifest(
        cls, manifest: Manifest, seed: int, names: Sequence[str] = (), split: str = "train"
    ) -> "ManipulationSampler":
        """Prepares the draw from the images of one split that are labelled for all attributes.

        Args:
          manifest: the images and their labels.
          seed: chooses the sequence.
          names: of the attributes that make up the labels; (): all of them.
          split: whose images.

        Raises:
          ValueError: an unknown attribute, or no two images differ in one attribute alone.
        """
        items = LabelSets.of_split(manifest, split, names)
        groups = items.groups()
        sets = groups.sets
        pairs = np.concatenate(
            [np.stack(pair, 1) for pair in pairs_that_differ(sets, sets, attributes=1)]
        )
        query, target = pairs.T
        nth = (sets[query] != sets[target]).argmax(1)
        wanted = sets[target, nth] < items.value_counts[nth]
        order = np.flatnonzero(wanted)[np.argsort(nth[wanted], kind="stable")]
        if not len(order):
            raise ValueError(
                f"no change can be drawn from the {split} split of {manifest.source}: two images "
                "must have the same labels but for one attribute; name fewer attributes in "
                "data.special"
            )
        drawn, changes_of_each = np.unique(nth[order], return_counts=True)
        return cls(
            seed=seed,
            attributes=items.attributes[drawn],
            change_splits=splits_of(changes_of_each),
            changes=pairs[order],
            member_splits=splits_of(groups.counts),
            members=items.rows[groups.members],
            near_splits=splits_of(np.bincount(query, minlength=len(sets))),
            near=target,
        )

    def draw(self, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The examples of these numbers.

        Args:
          numbers: int64 [B], which examples of the run.

        Returns:
          images int64 [B, 3] (query, target, negative), rows of the manifest;
          attributes int32 [B], in which query and target differ.
        """
        bits = counter.draws(self.seed, numbers, _DRAWS)
        entry = counter.below(bits["attribute"], tf.constant(len(self.attributes), tf.int64))
        change = within(self.change_splits, entry, bits["change"])
        query, target = tf.unstack(tf.gather(self.changes, change), axis=1)
        near = tf.gather(self.near, within(self.near_splits, target, bits["near"]))
        sets = {"query": query, "target": target, "negative": near}
        places = [within(self.member_splits, sets[role], bits[role]) for role in sets]
        images = tf.gather(self.members, tf.stack(places, axis=1))
        return images, tf.cast(tf.gather(self.attributes, entry), tf.int32)

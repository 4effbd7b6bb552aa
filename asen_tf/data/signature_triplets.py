"""Triplets for each signature vector of Ak et al. (WACV 2018), in turn."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import logging

from asen_tf.data import counter
from asen_tf.data.counter import span, splits_of
from asen_tf.data.label_sets import label_sets
from asen_tf.data.manifest import Manifest
from asen_tf.data.triplets import TripletSampler

_DRAWS = ("anchor", "positive", "negative")


@dataclasses.dataclass(frozen=True)
class SignatureTriplets:
    """Draws triplets for the vector of each special attribute, and for the general one, in turn.

    Those of a special attribute are drawn as by `TripletSampler`, whatever its images show of other
    attributes. Of the general vector, anchor and positive are labelled alike in every general
    attribute, and the negative differs from them in one or more: a uniform anchor among the images
    that have a positive, a uniform positive, a uniform negative. An image without a label in an
    attribute is like other images without one; those without any general label are left out.

    Attributes:
      seed: chooses the sequence.
      special: of the special attributes; None: there are none that can be drawn.
      entries: int64 [S], places of those attributes among the sampler's.
      general: the attribute that stands for the general vector; -1: there is none.
      splits: int64 [K + 1], where the images of each general label set begin.
      members: int64 [N], images in the order of their label sets.
      anchors: int64 [K], places among the members of those that have a positive and a negative.
    """

    seed: int
    special: TripletSampler | None
    entries: np.ndarray
    general: int
    splits: np.ndarray
    members: np.ndarray
    anchors: np.ndarray

    @classmethod
    def from_manifest(
        cls, manifest: Manifest, seed: int, special: Sequence[str], split: str = "train"
    ) -> "SignatureTriplets":
        """Prepares the draw from the labels of one split.

        Args:
          manifest: the images and their labels.
          seed: chooses the sequence.
          special: names of the special attributes; (): all.
          split: whose images.

        Raises:
          ValueError: an unknown attribute, or nothing can be drawn.
        """
        names = manifest.space.names
        own = [manifest.space.index(name) for name in special or names]
        general = np.setdiff1d(np.arange(len(names)), own)
        rows, sets = label_sets(manifest, split, general)
        rows, sets = rows[(sets >= 0).any(1)], sets[(sets >= 0).any(1)]
        _, numbers, counts = np.unique(sets, axis=0, return_inverse=True, return_counts=True)
        numbers = numbers.ravel()
        order = np.argsort(numbers, kind="stable")
        found = counts[numbers[order]]
        anchors = np.flatnonzero((found > 1) & (found < len(rows)))
        if len(general) and not len(anchors):
            logging.warning(
                "no two training images that differ from another are labelled alike in all general "
                "attributes (%s): their vector is not ranked",
                ", ".join(names[place] for place in general),
            )
        try:
            sampler = TripletSampler.from_manifest(manifest, seed, split)
        except ValueError:
            if not len(anchors):
                raise
            sampler = None
        entries = np.flatnonzero(np.isin(sampler.attributes, own)) if sampler else np.zeros(0, int)
        if not len(entries) + len(anchors):
            raise ValueError(
                f"no triplet of {', '.join(special)} can be drawn from the {split} split: an "
                "attribute needs one value with two images and another value with one"
            )
        return cls(
            seed=seed,
            special=sampler if len(entries) else None,
            entries=entries,
            general=int(general[0]) if len(anchors) else -1,
            splits=splits_of(counts),
            members=rows[order].astype(np.int64),
            anchors=anchors,
        )

    def draw(self, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The triplets of these numbers, as `TripletSampler.draw` gives them."""
        vectors = len(self.entries) + (self.general >= 0)
        turn = numbers % vectors
        if self.special is None:
            return self._of_general(numbers)
        of_turn = tf.gather(self.entries, tf.minimum(turn, len(self.entries) - 1))
        images, attributes = self.special.draw_of(numbers, of_turn)
        if self.general < 0:
            return images, attributes
        is_general = turn == len(self.entries)
        others, general = self._of_general(numbers)
        return (
            tf.where(is_general[:, None], others, images),
            tf.where(is_general, general, attributes),
        )

    def _of_general(self, numbers):
        # Bits of its own beside those of the other sampler, which has the same seed.
        bits = counter.draws(~self.seed, numbers, _DRAWS)
        alike = np.repeat(np.arange(len(self.splits) - 1), np.diff(self.splits))
        count = tf.constant(len(self.anchors), tf.int64)
        anchor = tf.gather(self.anchors, counter.below(bits["anchor"], count))
        start, stop = span(self.splits, tf.gather(alike, anchor))
        positive = start + counter.below(bits["positive"], stop - start - 1)
        positive += tf.cast(positive >= anchor, tf.int64)
        negative = counter.below(bits["negative"], len(self.members) - (stop - start))
        negative += tf.where(negative >= start, stop - start, 0)
        images = tf.gather(self.members, tf.stack([anchor, positive, negative], 1))
        return images, tf.fill(tf.shape(numbers), tf.constant(self.general, tf.int32))

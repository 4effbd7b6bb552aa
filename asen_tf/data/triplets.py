"""Which images make triplet number i: a function of the seed and i alone."""

import dataclasses
import itertools

import numpy as np
import tensorflow as tf
from absl import logging

from asen_tf.data import counter
from asen_tf.data.counter import span, splits_of, within
from asen_tf.data.manifest import TRIPLET_ROLES, Manifest

_DRAWS = ("attribute", "values", "anchor", "positive", "negative")


@dataclasses.dataclass(frozen=True)
class TripletSampler:
    """Draws triplets in the papers' way: uniform attribute, values, anchor, positive, negative.

    Uniform attribute; uniform ordered pair of its values; uniform anchor and positive (distinct
    images) of the first value; uniform negative of the second. Where images carry several values,
    a negative that shares one with the anchor is no negative: second value and image are drawn
    again, unless any negative will do, as in the papers' code. Values that cannot give a positive
    (fewer than two images) or a negative are left out of the draw, which is said once.

    Attributes:
      seed: chooses the sequence.
      attributes: int64 [E], the attributes in the draw.
      pair_splits: int64 [E + 1], where each attribute's pairs begin.
      pairs: int64 [P, 2], flat values of anchor and negative, sorted.
      value_splits: int64 [V + 1], where each value's members begin.
      members: int64 [L], images in the order of their values.
      anchor_splits: int64 [V + 1], where each value's anchors begin.
      anchors: int64 [K], places among the members of those that have a negative.
      carried: int64 [L, C], all values of a member's image in the attribute, filled up with -1;
        C = 1 where no image carries several, or where any negative will do.
    """

    seed: int
    attributes: np.ndarray
    pair_splits: np.ndarray
    pairs: np.ndarray
    value_splits: np.ndarray
    members: np.ndarray
    anchor_splits: np.ndarray
    anchors: np.ndarray
    carried: np.ndarray

    @classmethod
    def from_manifest(
        cls, manifest: Manifest, seed: int, split: str = "train", any_negative: bool = False
    ) -> "TripletSampler":
        """Prepares the draw from the labels of one split.

        Raises:
          ValueError: no attribute of the split can give a triplet.
        """
        labels = manifest.labels_of(split)
        offsets = np.asarray(manifest.space.offsets)
        values = offsets[labels["attribute"]] + labels["value"]
        order = np.lexsort((labels["image"], values))
        values, attributes = values[order], labels["attribute"][order]
        counts = np.bincount(values, minlength=offsets[-1])
        value_splits = splits_of(counts)
        if any_negative:
            carried = values[:, None]
        else:
            carried = _carried(labels["image"][order], attributes, values)

        can_anchor = (counts[values] >= 2) & _has_negative(carried, attributes, value_splits)
        anchors = np.flatnonzero(can_anchor)
        anchor_counts = np.bincount(values[anchors], minlength=offsets[-1])
        grids = [_ordered_pairs(*ends) for ends in itertools.pairwise(offsets)]
        pairs = np.concatenate(grids)
        usable = (anchor_counts[pairs[:, 0]] > 0) & (counts[pairs[:, 1]] > 0)
        owner = np.repeat(np.arange(len(grids)), [len(g) for g in grids])[usable]
        _report_left_out(manifest, counts, pairs[usable])
        if not len(owner):
            raise ValueError(
                f"no triplet can be drawn from the {split} split: an attribute needs one value "
                "with two images and another value with one"
            )
        drawn, pairs_of_each = np.unique(owner, return_counts=True)
        return cls(
            seed=seed,
            attributes=drawn,
            pair_splits=splits_of(pairs_of_each),
            pairs=pairs[usable],
            value_splits=value_splits,
            members=labels["image"][order].astype(np.int64),
            anchor_splits=splits_of(anchor_counts),
            anchors=anchors,
            carried=carried,
        )

    def draw(self, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The triplets of these numbers.

        Args:
          numbers: int64 [B], which triplets of the run.

        Returns:
          images int64 [B, 3] (anchor, positive, negative), rows of the manifest;
          attributes int32 [B].
        """
        bits = counter.draws(self.seed, numbers, _DRAWS)
        entry = counter.below(bits["attribute"], tf.constant(len(self.attributes), tf.int64))
        return self.draw_of(numbers, entry)

    def draw_of(self, numbers: tf.Tensor, entry: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """As `draw`, for attributes that are given: int64 [B], places among `attributes`."""
        bits = counter.draws(self.seed, numbers, _DRAWS)
        pair = within(self.pair_splits, entry, bits["values"])
        wanted, other = tf.unstack(tf.gather(self.pairs, pair), axis=1)
        anchor = tf.gather(self.anchors, within(self.anchor_splits, wanted, bits["anchor"]))
        start, stop = span(self.value_splits, wanted)
        positive = start + counter.below(bits["positive"], stop - start - 1)
        positive += tf.cast(positive >= anchor, tf.int64)
        negative = within(self.value_splits, other, bits["negative"])
        if self.carried.shape[1] > 1:
            negative = self._without_shared_value(wanted, anchor, negative, bits)
        images = tf.gather(self.members, tf.stack([anchor, positive, negative], 1))
        return images, tf.cast(tf.gather(self.attributes, entry), tf.int32)

    def _without_shared_value(self, wanted, anchor, negative, bits):
        """The negatives, drawn again for as long as they share a value with their anchors."""
        carried = tf.constant(self.carried)
        own = tf.gather(carried, anchor)[:, :, None]
        spans = np.searchsorted(self.pairs[:, 0], np.arange(len(self.value_splits)))

        def shares(negative):
            same = own == tf.gather(carried, negative)[:, None, :]
            return tf.reduce_any(same & (own >= 0), axis=(1, 2))

        def again(negative, values, places):
            values, places = (counter.bits(self.seed, b) for b in (values, places))
            other = tf.gather(self.pairs[:, 1], within(spans, wanted, values))
            drawn = within(self.value_splits, other, places)
            return tf.where(shares(negative), drawn, negative), values, places

        return tf.while_loop(
            lambda negative, *_: tf.reduce_any(shares(negative)),
            again,
            (negative, bits["values"], bits["negative"]),
        )[0]


@dataclasses.dataclass(frozen=True)
class FixedTriplets:
    """The triplets that a data set brings: each once an epoch, in an order that changes.

    Attributes:
      seed: chooses the orders.
      images: int64 [T, 3] (anchor, positive, negative), rows of the manifest.
      attributes: int32 [T].
    """

    seed: int
    images: np.ndarray
    attributes: np.ndarray

    @classmethod
    def from_manifest(cls, manifest: Manifest, seed: int, split: str = "train") -> "FixedTriplets":
        """Takes the triplets of one split.

        Raises:
          ValueError: it has none.
        """
        triplets = manifest.triplets_of(split)
        if not len(triplets):
            raise ValueError(f"no triplets in the {split} split of {manifest.source}")
        images = np.stack([triplets[role] for role in TRIPLET_ROLES], 1)
        return cls(seed, images.astype(np.int64), triplets["attribute"].astype(np.int32))

    def draw(self, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The triplets of these numbers, as `TripletSampler.draw` gives them."""
        places = counter.shuffled(self.seed, numbers, len(self.images))
        return tf.gather(self.images, places), tf.gather(self.attributes, places)


def _ordered_pairs(start, stop):
    """All (v, u), v != u, of the values start .. stop - 1: [n * (n - 1), 2], ascending."""
    values = np.arange(start, stop)
    grid = np.stack(np.meshgrid(values, values, indexing="ij"), -1).reshape(-1, 2)
    return grid[grid[:, 0] != grid[:, 1]]


def _carried(images, attributes, values):
    """[L, C]: all values that the image of each record carries in its attribute, then -1."""
    order = np.lexsort((values, images, attributes))
    first = np.ones(len(order), bool)
    first[1:] = np.diff(images[order]) | np.diff(attributes[order])
    group = np.cumsum(first) - 1
    nth = np.arange(len(order)) - np.flatnonzero(first)[group]
    carried = np.full((first.sum(), nth.max(initial=0) + 1), -1, np.int64)
    carried[group, nth] = values[order]
    of_record = np.empty(len(order), np.int64)
    of_record[order] = group
    return carried[of_record]


def _has_negative(carried, attributes, value_splits):
    """Whether some image of the attribute shares no value with the record's image: bool [L]."""
    # An image that carries n values stands in n records, each a share of 1 / n.
    share = 1 / (carried >= 0).sum(1)
    images = np.rint(np.bincount(attributes, share, minlength=1))[attributes]
    sizes = np.append(np.diff(value_splits), 0)  # -1 finds the 0
    found = sizes[carried].sum(1) < images
    # Images that carry two of the values were counted twice: those in doubt are counted exactly.
    doubtful = np.flatnonzero(~found & (carried[:, 1:] >= 0).any(1))
    sets, nth = np.unique(carried[doubtful], axis=0, return_inverse=True)
    touched = [share[np.isin(carried, values[values >= 0]).any(1)].sum() for values in sets]
    found[doubtful] = np.array(touched)[nth] < images[doubtful] - 0.5
    return found


def _report_left_out(manifest, counts, pairs):
    names = [f"{a}={v}" for a in manifest.space for v in manifest.space[a].values]
    no_positive = np.setdiff1d(np.arange(len(names)), pairs[:, 0])
    if len(no_positive):
        logging.warning(
            "%d of %d values cannot give a positive (fewer than two training images, or nothing to "
            "tell them from) and are left out of the draw: %s",
            len(no_positive),
            len(names),
            ", ".join(f"{names[v]} ({counts[v]})" for v in no_positive[:20]),
        )

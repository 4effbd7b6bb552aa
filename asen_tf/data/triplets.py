"""Which images make triplet number i: a function of the seed and i alone."""

import dataclasses
import itertools

import numpy as np
import tensorflow as tf
from absl import logging

from asen_tf.data import counter
from asen_tf.data.manifest import Manifest

_DRAWS = ("attribute", "values", "anchor", "positive", "negative")


@dataclasses.dataclass(frozen=True)
class TripletSampler:
    """Draws triplets in the papers' way: uniform attribute, values, anchor, positive, negative.

    Uniform attribute; uniform ordered pair of its values; uniform anchor and positive (distinct
    images) of the first value; uniform negative among the images that carry the second value and
    not the first. Values that cannot give a positive (fewer than two images) or a negative are
    left out of the draw, which is said once.

    Attributes:
      seed: chooses the sequence.
      attributes: int64 [E], the attributes in the draw.
      pair_splits: int64 [E + 1], where each attribute's pairs begin.
      pairs: int64 [P, 2], flat values of positive and negative.
      value_splits: int64 [V + 1], where each value's members begin.
      members: int64 [L], images in the order of their values.
      negatives: int64 [P], images that carry the pair's second value and not its first.
      overlaps: int64 [O], sorted; pair * (L + 1) + (how many negatives come before an image that
        carries both values, in the order of the members).
    """

    seed: int
    attributes: np.ndarray
    pair_splits: np.ndarray
    pairs: np.ndarray
    value_splits: np.ndarray
    members: np.ndarray
    negatives: np.ndarray
    overlaps: np.ndarray

    @classmethod
    def from_manifest(cls, manifest: Manifest, seed: int, split: str = "train") -> "TripletSampler":
        """Prepares the draw from the labels of one split.

        Raises:
          ValueError: no attribute of the split can give a triplet.
        """
        labels = manifest.labels_of(split)
        offsets = np.asarray(manifest.space.offsets)
        values = offsets[labels["attribute"]] + labels["value"]
        order = np.lexsort((labels["image"], values))
        counts = np.bincount(values, minlength=offsets[-1])
        value_splits = _splits(counts)
        rank = np.empty(len(labels), np.int64)
        rank[order] = np.arange(len(labels)) - value_splits[values[order]]

        first, second = _same_image_and_attribute(labels)
        width = offsets[-1]
        overlap_keys, overlap_counts = np.unique(
            values[first] * width + values[second], return_counts=True
        )

        grids = [_ordered_pairs(*span) for span in itertools.pairwise(offsets)]
        pairs = np.concatenate(grids)
        both = _look_up(overlap_keys, overlap_counts, pairs[:, 0] * width + pairs[:, 1])
        negatives = counts[pairs[:, 1]] - both
        usable = (counts[pairs[:, 0]] >= 2) & (negatives > 0)
        owner = np.repeat(np.arange(len(grids)), [len(g) for g in grids])[usable]
        pairs, negatives = pairs[usable], negatives[usable]
        _report_left_out(manifest, counts, pairs)
        if not len(pairs):
            raise ValueError(
                f"no triplet can be drawn from the {split} split: an attribute needs one value "
                "with two images and another value with one"
            )

        pair_keys = pairs[:, 0] * width + pairs[:, 1]
        pair = np.searchsorted(pair_keys, values[first] * width + values[second])
        pair = np.minimum(pair, len(pairs) - 1)
        drawn = pair_keys[pair] == values[first] * width + values[second]
        pair, rank_of_second = pair[drawn], rank[second[drawn]]
        by_pair = np.lexsort((rank_of_second, pair))
        pair, rank_of_second = pair[by_pair], rank_of_second[by_pair]
        nth = np.arange(len(pair)) - np.searchsorted(pair, pair)
        attributes, pairs_of_each = np.unique(owner, return_counts=True)
        return cls(
            seed=seed,
            attributes=attributes,
            pair_splits=_splits(pairs_of_each),
            pairs=pairs,
            value_splits=value_splits,
            members=labels["image"][order].astype(np.int64),
            negatives=negatives,
            overlaps=pair * (len(labels) + 1) + rank_of_second - nth,
        )

    def draw(self, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The triplets of these numbers.

        Args:
          numbers: int64 [B], which triplets of the run.

        Returns:
          images int64 [B, 3] (anchor, positive, negative), rows of the manifest;
          attributes int32 [B].
        """
        bits = {
            name: counter.bits(self.seed, numbers * len(_DRAWS) + n)
            for n, name in enumerate(_DRAWS)
        }
        below = lambda name, bound: counter.below(bits[name], bound)  # noqa: E731
        table = tf.convert_to_tensor
        entry = below("attribute", table(np.int64(len(self.attributes))))
        splits = table(self.pair_splits)
        first_pair = tf.gather(splits, entry)
        pair = first_pair + below("values", tf.gather(splits, entry + 1) - first_pair)
        wanted, other = tf.unstack(tf.gather(table(self.pairs), pair), axis=1)
        starts = table(self.value_splits)
        start = tf.gather(starts, wanted)
        count = tf.gather(starts, wanted + 1) - start
        anchor = below("anchor", count)
        positive = below("positive", count - 1)
        positive += tf.cast(positive >= anchor, tf.int64)
        negative = self._nth_negative(pair, below("negative", tf.gather(self.negatives, pair)))
        places = tf.stack(
            [start + anchor, start + positive, tf.gather(starts, other) + negative], 1
        )
        images = tf.gather(table(self.members), places)
        return images, tf.cast(tf.gather(table(self.attributes), entry), tf.int32)

    def _nth_negative(self, pair, nth):
        """Place, among the members of the pair's second value, of the nth that lacks the first."""
        if not len(self.overlaps):
            return nth
        base = pair * (len(self.members) + 1)
        before = [tf.searchsorted(self.overlaps, base + nth, "right", tf.int64)]
        before.append(tf.searchsorted(self.overlaps, base, "left", tf.int64))
        return nth + before[0] - before[1]


def _splits(counts):
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _ordered_pairs(start, stop):
    """All (v, u), v != u, of the values start .. stop - 1: [n * (n - 1), 2], ascending."""
    values = np.arange(start, stop)
    grid = np.stack(np.meshgrid(values, values, indexing="ij"), -1).reshape(-1, 2)
    return grid[grid[:, 0] != grid[:, 1]]


def _same_image_and_attribute(labels):
    """Ordered pairs of distinct records that give one image several values of an attribute."""
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for distance in range(1, len(labels)):
        key = ["image", "attribute"]
        same = np.flatnonzero(labels[key][distance:] == labels[key][:-distance])
        if not len(same):
            break
        first += [same, same + distance]
        second += [same + distance, same]
    return np.concatenate(first), np.concatenate(second)


def _look_up(keys, values, wanted):
    """values where keys (sorted) hold what is wanted, 0 elsewhere."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


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

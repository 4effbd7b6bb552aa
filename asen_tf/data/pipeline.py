"""tf.data from step numbers to training batches: nothing depends on what ran before."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from ml_collections import config_dict

from asen_tf.core.errors import unknown_name
from asen_tf.data import counter
from asen_tf.data.augment import Augment
from asen_tf.data.canvases import Canvases
from asen_tf.data.manifest import Manifest
from asen_tf.data.manipulations import ManipulationSampler
from asen_tf.data.triplets import FixedTriplets, TripletSampler

SAMPLINGS = ("paper", "multi_attribute", "manipulation")

# Independent random streams of one seed.
_TRIPLETS, _IMAGES, _ATTRIBUTES, _CHANGES, _MANIPULATIONS = range(5)

# int64 [B], numbers of the examples of a run -> a batch.
Examples = Callable[[tf.Tensor], dict[str, tf.Tensor]]


def training_examples(
    config: config_dict.ConfigDict,
    manifest: Manifest,
    canvases: Canvases,
    attributes_per_step: int = 0,
    labels: bool = False,
) -> Examples:
    """What `config.train.sampling` makes of example numbers.

    Where the data set brings triplets, "paper" takes these, each once an epoch in random order.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      manifest: whose train split is drawn from.
      canvases: of that split's images.
      attributes_per_step: "multi_attribute" sampling asks for so many, drawn anew each step;
        0: for all.
      labels: whether "paper" gives the labels of its images as well.

    Returns:
      A function from int64 [B] to a dict of tensors. "paper": B triplets, images uint8
      [B, 3, S, S, 3], attributes int32 [B] and, where asked for, labels bool [B, 3, V].
      "multi_attribute": B images, images uint8 [B, S, S, 3], ids int64 [B], labels bool [B, V],
      attributes int32 [M]. "manipulation": B triplets of query, target and negative, see
      `ManipulationSampler`, with their labels.

    Raises:
      ValueError: an unknown sampling, one that the data does not fit, or nothing to draw from.
    """
    if manifest.triplets is not None and config.train.sampling != "paper":
        raise ValueError(
            f"{manifest.source} brings triplets instead of labels: they need "
            f"train.sampling=paper, got {config.train.sampling!r}"
        )
    if manifest.triplets is not None and labels:
        raise ValueError(
            f"{manifest.source} brings triplets instead of labels, which model.name="
            f"{config.model.name!r} learns to classify: choose another model"
        )
    seed = config.train.seed
    augment = Augment.from_config(config.augment, manifest.space, stream(seed, _CHANGES))
    if config.train.sampling == "paper":
        kind = TripletSampler if manifest.triplets is None else FixedTriplets
        sampler = kind.from_manifest(manifest, stream(seed, _TRIPLETS))
        values = ValueTable(manifest) if labels else None
        return lambda numbers: _triplets(sampler, canvases, augment, numbers, values)
    if config.train.sampling == "multi_attribute":
        return _Images(seed, manifest, canvases, augment, attributes_per_step)
    if config.train.sampling == "manipulation":
        sampler = ManipulationSampler.from_manifest(
            manifest, stream(seed, _MANIPULATIONS), config.data.special
        )
        values = ValueTable(manifest)
        return lambda numbers: _triplets(sampler, canvases, augment, numbers, values)
    raise ValueError(unknown_name("sampling", config.train.sampling, SAMPLINGS))


def dataset(
    examples: Examples,
    batch_size: int,
    start: int,
    replicas: int = 1,
    pipelines: int = 1,
    pipeline: int = 0,
) -> tf.data.Dataset:
    """Batches for one input pipeline of a distributed run, endless, from step `start` on.

    Step s takes the examples s * batch_size .. (s + 1) * batch_size - 1; replica r gets the rth
    share of them, whatever the number of machines.

    Args:
      examples: see `training_examples`.
      batch_size: of all replicas together; a multiple of their number.
      start: number of the first step.
      replicas: how many there are, over all pipelines.
      pipelines, pipeline: number of input pipelines (machines), and which this is.
    """
    share = batch_size // replicas
    local = replicas // pipelines

    def numbers(position):
        step, replica = position // local, pipeline * local + position % local
        return step * batch_size + replica * share + tf.range(share, dtype=tf.int64)

    positions = tf.data.Dataset.range(start * local, np.iinfo(np.int64).max)
    return positions.map(
        lambda position: examples(numbers(position)), num_parallel_calls=2
    ).prefetch(2)


def stream(seed: int, which: int) -> int:
    """Seed of one of a run's independent random streams."""
    return seed * 8 + which


def _triplets(sampler, canvases, augment, numbers, values=None):
    rows, attributes = sampler.draw(numbers)
    images, falsified = canvases(tf.reshape(rows, [-1])), None
    if augment.active:
        roles = tf.reshape(numbers[:, None] * 3 + tf.range(3, dtype=tf.int64), [-1])
        images, falsified = augment(images, roles, tf.repeat(attributes, 3))
    batch = {
        "images": tf.reshape(images, (-1, 3, *images.shape[1:])),
        "attributes": attributes,
    }
    if values is not None:
        labels = values.labels(tf.reshape(rows, [-1]), falsified)
        batch["labels"] = tf.reshape(labels, (-1, 3, labels.shape[1]))
    return batch


class ValueTable:
    """Which values images carry.

    Args:
      manifest: their labels.
    """

    def __init__(self, manifest: Manifest):
        labels = manifest.labels
        offsets = np.asarray(manifest.space.offsets)
        counts = np.bincount(labels["image"], minlength=len(manifest))
        self._owners = np.repeat(np.arange(len(manifest.space)), manifest.space.value_counts)
        self._values = tf.RaggedTensor.from_row_lengths(
            offsets[labels["attribute"]] + labels["value"], counts
        )

    def labels(self, rows: tf.Tensor, falsified: tf.Tensor | None = None) -> tf.Tensor:
        """int64 [B] -> bool [B, V]; none of the attributes bool [B, A] that an image lost."""
        values = tf.gather(self._values, rows).to_tensor(-1)
        width = len(self._owners)
        labels = tf.reduce_any(tf.one_hot(values, width, True, False, dtype=tf.bool), axis=1)
        return labels if falsified is None else labels & ~tf.gather(falsified, self._owners, axis=1)


class _Images:
    """Labelled images in random order, each once an epoch, for every attribute at once."""

    def __init__(self, seed, manifest, canvases, augment, attributes_per_step):
        labels = manifest.labels_of("train")
        self.seed = seed
        self.canvases = canvases
        self.augment = augment
        self.space = manifest.space
        self.per_step = attributes_per_step or len(self.space)
        self.rows = np.unique(labels["image"]).astype(np.int64)
        if len(self.rows) < 3:
            raise ValueError(
                f"training needs labelled images, the train split has {len(self.rows)}"
            )
        self.values = ValueTable(manifest)

    def __call__(self, numbers):
        places = counter.shuffled(stream(self.seed, _IMAGES), numbers, len(self.rows))
        rows = tf.gather(tf.constant(self.rows), places)
        images = self.canvases(rows)
        falsified = None
        if self.augment.active:
            images, falsified = self.augment(images, numbers)
        return {
            "images": images,
            "ids": rows,
            "labels": self.values.labels(rows, falsified),
            "attributes": self._attributes(numbers[0]),
        }

    def _attributes(self, number):
        """A random choice of attributes, the same for every image of the batch."""
        bits = counter.bits(
            stream(self.seed, _ATTRIBUTES),
            number * len(self.space) + tf.range(len(self.space), dtype=tf.int64),
        )
        order = tf.argsort(counter.uniform(bits))[: self.per_step]
        return tf.cast(tf.sort(order), tf.int32)

"""tf.data from step numbers to training batches: nothing depends on what ran before."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_client.core.limits import BOX_MARGIN
from asen_tf.core.choices import SAMPLINGS, TRIPLETS
from asen_tf.data import counter
from asen_tf.data.augment import Augment
from asen_tf.data.feature_cache import FeatureLoader
from asen_tf.data.image_cache import ImageLoader, open_images
from asen_tf.data.manifest import Manifest
from asen_tf.data.manipulations import ManipulationSampler
from asen_tf.data.signature_triplets import SignatureTriplets
from asen_tf.data.triplets import FixedTriplets, TripletSampler
from asen_tf.tracing import mapped

# Independent random streams of one seed.
_TRIPLETS, _IMAGES, _ATTRIBUTES, _CHANGES, _MANIPULATIONS = range(5)

# int64 [E], numbers of the examples of a run -> a batch (x, y), as `fit` takes it.
Batch = tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]
Examples = Callable[[tf.Tensor], Batch]


def training_examples(
    manifest: Manifest,
    load_images: ImageLoader,
    sampling: str = "multi_attribute",
    seed: int = 0,
    augment: Mapping[str, object] | None = None,
    special: Sequence[str] = (),
    attributes_per_step: int = 0,
    labels: bool = True,
    features: FeatureLoader | None = None,
    resolution: float = 1.0,
) -> Examples:
    """What a sampling makes of example numbers.

    Where the data set brings triplets, "triplet" takes these, each once an epoch in random order.

    Args:
      manifest: whose train split is drawn from.
      load_images: of that split's images.
      sampling: of `SAMPLINGS`.
      seed: of the order and the changes.
      augment: `config.augment`; None: images stay as they are.
      special: with "manipulation", attributes that make up a label set; with "signature_triplet",
        those that have a vector of their own; (): all.
      attributes_per_step: "multi_attribute" sampling takes so many, drawn anew each step; 0: all.
      labels: whether "triplet" gives the labels of its images as well.
      features: what a batch holds in place of images, see `open_features`; of the changes that
        `augment` names, these are only flipped.
      resolution: side of the images in a batch / side of those that are loaded.

    Returns:
      A function from int64 [E] to a batch (x, y). x: "images" uint8 [N, S, S, 3], "attributes"
      int32 [N, M]. y: see `asen_tf.losses.Loss`.
      "triplet": E triplets in N = 3 E rows, anchor, positive, negative in turn, M = 1; y has
      "attributes", "roles" int32 [N] and, where wanted, "labels" bool [N, V].
      "released_triplet": as "triplet", as the papers' code draws it (`TripletSampler`).
      "signature_triplet": as "triplet", for each special attribute and for all others together in
      turn (`SignatureTriplets`).
      "multi_attribute": E images, N = E; y has "attributes", "ids" int64 [N], "labels" bool [N, V].
      "manipulation": as "triplet", of query, target and negative (`ManipulationSampler`), with
      labels, and "changes" bool [N, V] in x: the target's values in the attribute in which it
      differs from the query; y has "changed_labels" bool [N, V], the query's labels changed so.

    Raises:
      ValueError: an unknown sampling, one that the data does not fit, or nothing to draw from.
    """
    if sampling not in SAMPLINGS:
        raise ValueError(unknown_name("sampling", sampling, SAMPLINGS))
    if manifest.triplets is not None and sampling not in TRIPLETS:
        raise ValueError(
            f"{manifest.source} brings triplets instead of labels: they need "
            f"train.sampling=triplet, got {sampling!r}"
        )
    if manifest.triplets is not None and labels:
        raise ValueError(
            f"{manifest.source} brings triplets instead of labels, which a loss of the stage "
            "needs: choose other losses, or another model"
        )
    changes = stream(seed, _CHANGES)
    augment = Augment.from_config(augment or {}, manifest.space, changes, resolution)
    inputs = _Inputs(load_images, features, augment)
    if sampling == "multi_attribute":
        return _Images(seed, manifest, inputs, attributes_per_step)
    if sampling in TRIPLETS:
        of_run = stream(seed, _TRIPLETS)
        if manifest.triplets is not None:
            sampler = FixedTriplets.from_manifest(manifest, of_run)
        else:
            released = sampling == "released_triplet"
            sampler = TripletSampler.from_manifest(manifest, of_run, any_negative=released)
        values = ValueTable(manifest) if labels else None
        return lambda numbers: _triplets(sampler, inputs, numbers, values)
    if sampling == "signature_triplet":
        sampler = SignatureTriplets.from_manifest(manifest, stream(seed, _TRIPLETS), special)
        values = ValueTable(manifest) if labels else None
        return lambda numbers: _triplets(sampler, inputs, numbers, values)
    drawn = stream(seed, _MANIPULATIONS)
    sampler = ManipulationSampler.from_manifest(manifest, drawn, special)
    values, offsets = ValueTable(manifest), manifest.space.offsets
    return lambda numbers: _with_changes(_triplets(sampler, inputs, numbers, values), offsets)


def training_batches(
    manifest: Manifest,
    image_size: int,
    batch_size: int = 16,
    sampling: str = "multi_attribute",
    seed: int = 0,
    start: int = 0,
    cache: str = "auto",
    fit: str = "crop",
    box_margin: float = BOX_MARGIN,
    **options: object,
) -> tf.data.Dataset:
    """Batches (x, y) for `fit`, endless: give it `steps_per_epoch`.

    Args:
      manifest: whose train split is drawn from.
      image_size: the model's.
      batch_size: examples a batch: images, or triplets of three rows each.
      sampling: "multi_attribute": labelled images, for losses that mine; "triplet": the papers',
        whose code is "released_triplet"; "signature_triplet": of Ak et al. (WACV 2018);
        "manipulation": for AMNet.
      seed: of the order.
      start: number of the first batch, to go on from.
      cache: of decoded images, see `open_images`.
      fit: how photographs become squares, "crop" or "pad".
      box_margin: share of the sides of a garment's box that is added around it.
      **options: of `training_examples`.

    Raises:
      ValueError: see `training_examples`.
    """
    rows = manifest.examples_of("train")
    load_images = open_images(manifest, rows, image_size, cache, fit=fit, box_margin=box_margin)
    examples = training_examples(manifest, load_images, sampling, seed, **options)
    return dataset(examples, batch_size, start)


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
    return mapped(positions, lambda position: examples(numbers(position)), at_once=2).prefetch(2)


def stream(seed: int, which: int) -> int:
    """Seed of one of a run's independent random streams."""
    return seed * 8 + which


@dataclasses.dataclass(frozen=True)
class _Inputs:
    """What a model sees of rows: images or feature maps, changed at random."""

    load_images: ImageLoader
    features: FeatureLoader | None
    augment: Augment

    def __call__(self, rows, pairs, numbers, spared=None):
        """The inputs of a batch, and the attributes that each image no longer shows, or None.

        Args:
          rows: int64 [N].
          pairs: int32 [N, M], attributes.
          numbers, spared: see `Augment`.
        """
        changes = self.augment if self.augment.active else None
        falsified = None
        if self.features:
            inputs = self.features(rows, pairs)
            if changes:
                inputs, falsified = changes.of_maps(inputs, numbers, spared)
        else:
            inputs = {"images": self.load_images(rows)}
            if changes:
                inputs["images"], falsified = changes(inputs["images"], numbers, spared)
        return {**inputs, "attributes": pairs}, falsified


def _triplets(sampler, inputs, numbers, values=None):
    rows, attributes = sampler.draw(numbers)
    rows, attributes = tf.reshape(rows, [-1]), tf.repeat(attributes, 3)
    pairs = attributes[:, None]
    roles = tf.reshape(numbers[:, None] * 3 + tf.range(3, dtype=tf.int64), [-1])
    seen, falsified = inputs(rows, pairs, roles, attributes)
    targets = {"attributes": pairs, "roles": tf.range(tf.shape(rows)[0]) % 3}
    if values is not None:
        targets["labels"] = values.labels(rows, falsified)
    return seen, targets


def _with_changes(batch, offsets):
    inputs, targets = batch
    labels = targets["labels"]
    before, after = (tf.repeat(labels[role::3], 3, axis=0) for role in (0, 1))
    flat, attribute = tf.range(offsets[-1]), targets["attributes"]
    offsets = tf.constant(offsets)
    inside = (flat >= tf.gather(offsets, attribute)) & (flat < tf.gather(offsets, attribute + 1))
    changed = tf.where(inside, after, before)
    return {**inputs, "changes": after & inside}, {**targets, "changed_labels": changed}


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

    def __init__(self, seed, manifest, inputs, attributes_per_step):
        labels = manifest.labels_of("train")
        self.seed = seed
        self.inputs = inputs
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
        pairs = tf.tile(self._attributes(numbers[0])[None], (tf.shape(rows)[0], 1))
        seen, falsified = self.inputs(rows, pairs, numbers)
        labels = self.values.labels(rows, falsified)
        return seen, {"attributes": pairs, "ids": rows, "labels": labels}

    def _attributes(self, number):
        """A random choice of attributes, the same for every image of the batch."""
        bits = counter.bits(
            stream(self.seed, _ATTRIBUTES),
            number * len(self.space) + tf.range(len(self.space), dtype=tf.int64),
        )
        order = tf.argsort(counter.uniform(bits))[: self.per_step]
        return tf.cast(tf.sort(order), tf.int32)

"""Classifiers of values, computed in closed form from labelled photographs."""

import itertools
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from scipy import optimize, special

from asen_tf.core.progress import Progress, Quiet
from asen_tf.data.feature_cache import FeatureLoader
from asen_tf.data.image_cache import ImageLoader
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.embed import image_fn
from asen_tf.evaluation.pairs import embedded_pairs
from asen_tf.models.base import EmbeddingModel
from asen_tf.models.linear.discriminant import linear_discriminant
from asen_tf.models.recognition import ValueClassifiers
from asen_tf.tracing import traced

MOST_IMAGES = {"train": 10_000, "valid": 2_000}  # more tell little
_SHARE_OF_TIME = {"train": 0.8, "valid": 0.2}
_AT_A_TIME = 4  # batches, between two looks at the clock
_SHARPEST, _FLATTEST = 0.1, 100.0  # temperatures
_DOUBT = 2.0  # as if some images said that the temperature is 1; few others decide nothing


def fit_recognition(
    model: EmbeddingModel,
    manifest: Manifest,
    load_images: ImageLoader | None,
    slices: Sequence[str] | None = None,
    batch_size: int = 32,
    seconds: float = math.inf,
    features: FeatureLoader | None = None,
) -> None:
    """Gives a model classifiers of the values, so that it `predicts`.

    Of each attribute, linear discriminant analysis by scikit-learn, of what the model's slices are
    projected from (`EmbeddingModel.value_inputs_of`) for the labelled training images; an image
    with several values counts once for each. Training images lie farther
    apart than others, which makes such probabilities too sure: they are flattened by the
    temperature with which the validation images' labels are most probable, where there are any.

    Args:
      model: trained; none of its weights change.
      manifest: its train split has labels.
      load_images: of the train and valid splits.
      slices: of the model that are trained, see `EmbeddingModel.embed`.
      batch_size: images that go through the model together.
      seconds: what embedding may take; of the images in random order, those are used that there is
        time for, and at most `MOST_IMAGES`.
      features: what the model gets in place of images, see `EmbeddingModel.frozen_inputs`.
    """
    seen, known = model.value_inputs_of(model.used_slices(slices)), model.value_inputs
    width = sum(known[name] for name in seen)
    load, embed = _functions(model, seen, load_images, features)
    examples = [
        _examples(manifest, split, width, load, embed, batch_size, share * seconds)
        for split, share in _SHARE_OF_TIME.items()
    ]
    found = [_classifier(*own) for own in zip(*examples, strict=True)]
    model.value_classifiers = ValueClassifiers(
        np.array(manifest.space.offsets),
        np.array([list(known).index(name) for name in seen]),
        *(np.concatenate(parts, -1) for parts in zip(*found, strict=True)),
    )


def _classifier(training, validation) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of an attribute, from the vectors and labels of both splits."""
    kernel, bias = linear_discriminant(*training)
    vectors, labels = validation
    known = training[1].any(0)
    told = labels[:, known].any(1)
    logits = vectors[told] @ kernel[:, known] + bias[known]
    flat = np.float32(temperature(logits, labels[told][:, known]))
    return kernel / flat, bias / flat


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """By what logits are divided so that labels are most probable (Guo et al., ICML 2017).

    Args:
      logits: float [N, V].
      labels: bool [N, V], one or more of each; all count alike. Few change little: without any
        it is 1.
    """
    shares = labels / labels.sum(1, keepdims=True)

    def surprise(log):
        told = shares * special.log_softmax(logits / math.exp(log), axis=1)
        return _DOUBT * log**2 - told.sum()

    bounds = math.log(_SHARPEST), math.log(_FLATTEST)
    return math.exp(optimize.minimize_scalar(surprise, bounds=bounds, method="bounded").x)


def _functions(model, names, load_images, features) -> tuple[Callable, Callable]:
    """What loads rows, and what embeds (loaded, attributes)."""

    @traced(reduce_retracing=True)
    def embed(given, ids):
        inputs = features(given, ids) if features else {"images": given}
        return model.value_input_vectors({**inputs, "attributes": ids}, names)

    load = (lambda rows: rows) if features else image_fn(load_images)
    return load, lambda given, ids: embed(tf.constant(given), tf.constant(ids)).numpy()


def _examples(
    manifest, split, width, load, embed, batch_size, seconds
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each attribute the vectors float32 [n, C] of labelled images, and their values [n, V]."""
    table, offsets = manifest.values_of(split), manifest.space.offsets
    pairs = np.unique(manifest.labels_of(split)[["image", "attribute"]])
    order = np.random.default_rng(0).permutation(np.unique(pairs["image"]))[: MOST_IMAGES[split]]
    began, step = time.monotonic(), _AT_A_TIME * batch_size
    found = [[(np.zeros(0, np.int64), np.zeros((0, width), np.float32))] for _ in manifest.space]
    with Progress(f"recognition, {split}", len(order), "images") as progress:
        for start in range(0, len(order), step):
            chosen = order[start : start + step]
            own = pairs[np.isin(pairs["image"], chosen)]
            given = embed, own["image"], own["attribute"], load, batch_size, Quiet
            for numbers, vectors in embedded_pairs(*given):
                for attribute in np.unique(own["attribute"][numbers]):
                    its = own["attribute"][numbers] == attribute
                    found[attribute].append((own["image"][numbers[its]], vectors[its]))
            progress.update(len(chosen))
            if time.monotonic() - began > seconds:
                break
    joined = [[np.concatenate(parts) for parts in zip(*its, strict=True)] for its in found]
    return [
        (vectors, table[images, start:end])
        for (images, vectors), (start, end) in zip(joined, itertools.pairwise(offsets), strict=True)
    ]

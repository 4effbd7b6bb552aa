"""What variables start from, where not from random numbers."""

import os
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf
from ml_collections import ConfigDict

from asen_tf.core.config import differences, flat
from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest
from asen_tf.data.matching import matched
from asen_tf.data.pipeline import ValueTable
from asen_tf.models import EmbeddingModel
from asen_tf.tracing import mapped, traced
from asen_tf.workdir import Workdir


def matched_to_start(manifest: Manifest, start: Workdir, model: ConfigDict) -> Manifest:
    """The data in terms of the attributes of the run that another starts from, in their order.

    Args:
      manifest: the data of the new run.
      start: the run whose weights it starts from.
      model: the `model` part of the new run's configuration.

    Raises:
      ValueError: the data has attributes or values that `start` does not know; or the order
        differs while the configuration has numbers an attribute.
    """
    found = matched(manifest, start.space(), os.fspath(start.path), whole=True)
    if np.size(model.get("beta", ())) > 1 and found.space.names != manifest.space.names:
        raise ValueError(
            f"model.beta has an entry for each attribute, and {start.path} knows "
            f"{', '.join(found.space)} in this order; the table has {', '.join(manifest.space)}: "
            "put its columns into that order"
        )
    return found


def start_from(model: EmbeddingModel, start: Workdir, config: ConfigDict) -> None:
    """Gives a model the weights of the best model of an earlier run.

    Args:
      model: the new run's.
      start: the earlier run.
      config: the `model` part of the new run's configuration.

    Raises:
      ValueError: the earlier run's network is another one; names the keys that differ.
    """
    earlier = start.load_best()
    alike = type(earlier) is type(model)
    if not alike or [w.shape for w in earlier.weights] != [w.shape for w in model.weights]:
        keys = differences(flat(start.config().model, "model."), flat(config, "model."))
        raise ValueError(
            f"train.init_from={start.path} is of another network: {'; '.join(sorted(keys))}"
        )
    model.set_weights(earlier.get_weights())


def copy_weights(model: keras.Model, target: str, source: str) -> None:
    """Gives layers the weights of other layers; those of other shapes stay as they are.

    A layer is copied to where `target` stands in the place of `source` in its path.

    Args:
      model: of both.
      target, source: parts of paths, such as "/local_branch/" and "/global_branch/".

    Raises:
      ValueError: no layer has such a counterpart.
    """
    layers = {}
    for variable in model.weights:
        layers.setdefault(variable.path.rpartition("/")[0], []).append(variable)
    copied = 0
    for path, variables in layers.items():
        others = layers.get(path.replace(target, source), []) if target in path + "/" else []
        if [v.shape for v in others] == [v.shape for v in variables]:
            copied += 1
            for variable, other in zip(variables, others, strict=True):
                variable.assign(other)
    if not copied:
        raise ValueError(
            f"no layer below {target!r} has one of its shape below {source!r}: expected two parts "
            f"of {model.name} that are alike"
        )


def check_closed_form(model: EmbeddingModel, manifest: Manifest) -> None:
    """Raises ValueError unless `fit_closed_form` can be called with these."""
    if not model.fits_closed_form:
        raise ValueError(
            f"{type(model).__name__} has nothing to solve in closed form: set closed_form=false"
        )
    if not len(manifest.labels_of("train")):
        raise ValueError(
            f"a closed form is solved from labels: the train split of {manifest.source} has none"
        )


def fit_closed_form(
    model: EmbeddingModel,
    manifest: Manifest,
    load: Callable[[tf.Tensor], Mapping[str, tf.Tensor]],
    batch_size: int,
) -> None:
    """Solves what the model solves in closed form, from the labelled training images.

    Args:
      model: one that `fits_closed_form`.
      manifest: its train split has labels.
      load: rows of that split, int64 [B] -> their images, or what is kept of these, as
        `EmbeddingModel.compute_outputs` takes them; runs in a graph.
      batch_size: images that go through the model together.
    """
    rows = manifest.examples_of("train")
    vectors = closed_form_vectors(model, rows, load, batch_size, "solving")
    model.fit_closed_form(vectors, ValueTable(manifest).labels(rows).numpy())


def closed_form_vectors(
    model: EmbeddingModel,
    rows: np.ndarray,
    load: Callable[[tf.Tensor], Mapping[str, tf.Tensor]],
    batch_size: int,
    doing: str,
) -> np.ndarray:
    """The model's `closed_form_vectors` of many images, float32 [N, C].

    Args:
      model, load, batch_size: as above.
      rows: int64 [N].
      doing: what the bar of progress is called.
    """
    wanted = tf.data.Dataset.from_tensor_slices(rows).batch(batch_size)
    compute = traced(model.closed_form_vectors)
    vectors = []
    with Progress(doing, len(rows), "images") as progress:
        for inputs in mapped(wanted, load).prefetch(2):
            vectors.append(compute(inputs).numpy())
            progress.update(len(vectors[-1]))
    return np.concatenate(vectors)

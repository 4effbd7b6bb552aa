"""What variables start from, where not from random numbers."""

from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest
from asen_tf.data.pipeline import ValueTable
from asen_tf.models import EmbeddingModel


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
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(batch_size).map(load)
    compute = tf.function(model.closed_form_vectors)
    vectors = []
    with Progress("solving", len(rows), "images") as progress:
        for inputs in batches.prefetch(2):
            vectors.append(compute(inputs).numpy())
            progress.update(len(vectors[-1]))
    model.fit_closed_form(np.concatenate(vectors), ValueTable(manifest).labels(rows).numpy())

"""Lets trained models say which values photographs show."""

import os

import numpy as np
from ml_collections import ConfigDict

from asen_tf.data.image_cache import open_images
from asen_tf.data.manifest import Manifest
from asen_tf.models.base import EmbeddingModel
from asen_tf.training.recognition import fit_recognition as fit
from asen_tf.training.validation import Validation
from asen_tf.workdir import Workdir


def fit_recognition(
    model: str | os.PathLike | Workdir | EmbeddingModel,
    data: ConfigDict | Manifest | str | os.PathLike | None = None,
    batch_size: int = 32,
) -> None:
    """Computes classifiers of the values from labelled photographs, so that a model `predicts`.

    `asen-train` does it at its end; this is for runs that came to be otherwise, and for models that
    `fit` has trained. See `asen_tf.training.recognition`.

    Args:
      model: the folder of a run, or its `Workdir`: its best model is written anew, with
        classifiers beside the same weights; or a model, which gets them.
      data: labelled photographs. Of a run as `Workdir.manifest` takes it, None: those that it was
        trained on; of a model a `Manifest` with the model's attributes.
      batch_size: images that go through the model together.

    Raises:
      ValueError: no training photograph has a label, or the attributes are others.
      FileNotFoundError: the folder holds no run.
      BlockingIOError: another process trains there.
    """
    if isinstance(model, EmbeddingModel):
        if not isinstance(data, Manifest) or len(data.space) != model.attributes:
            raise ValueError(
                f"a model needs a Manifest of its {model.attributes} attributes: "
                "asen_tf.data.load.load gives one"
            )
        _fit(model, data, None, batch_size)
        return
    run = Workdir(model)
    best, config = run.best(), run.config()
    lock = run.hold()
    try:
        trained = run.load_best()
        seen = {"fit": config.data.fit, "box_margin": config.data.box_margin}
        manifest, slices = run.manifest(data), best["slices"]
        before = trained.value_classifiers
        load_images = _fit(trained, manifest, slices, batch_size, **seen)
        best["recognition"], chosen = True, {}
        if config.train.embed_values:
            validation = Validation(config, manifest, trained)
            chosen = validation.choose_value_shares(slices, load_images)
        if not chosen and before is not None:
            trained.set_value_shares(before.shares)
        best |= chosen
        run.save_best(trained, best["stage"])
        run.write_best(best)
    finally:
        lock.release()


def _fit(model, manifest, slices, batch_size, **seen):
    """Computes the classifiers; what loads the images."""
    if not len(manifest.labels_of("train")):
        raise ValueError(f"the train split of {manifest.source} has no labels to learn values from")
    rows = np.concatenate([manifest.examples_of(split) for split in ("train", "valid")])
    load_images = open_images(manifest, rows, model.image_size, "none", **seen)
    fit(model, manifest, load_images, slices, batch_size)
    return load_images

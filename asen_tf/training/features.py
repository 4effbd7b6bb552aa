"""Vectors of photographs by the frozen backbone of the linear baseline."""

import math
import os
from pathlib import Path

import keras
import numpy as np
from ml_collections import ConfigDict
from sklearn.decomposition import PCA

from asen_client.core.attributes import AttributeSpace
from asen_tf import models
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import naming_bad_images
from asen_tf.data.manifest import Manifest
from asen_tf.training.frozen import FrozenFeatures
from asen_tf.training.start import closed_form_vectors


def frozen_vectors(
    config: ConfigDict,
    manifest: Manifest,
    folder: str | os.PathLike,
    grid: int = 1,
    components: int | None = None,
) -> np.ndarray:
    """The backbone's features of all photographs, computed once and kept in a folder.

    Args:
      config: of the linear baseline, see `asen_tf.core.experiments.linear`.
      manifest: the photographs.
      folder: where they are kept, `features/` in it, unless `data.cache_dir` is set.
      grid: a vector has the means of the feature map's `grid` x `grid` parts.
      components: principal components that are left of longer vectors; None: they stay whole.

    Returns:
      float32 [N, C].
    """
    keras.utils.set_random_seed(config.train.seed)
    # Whatever the labels are, the features are the same.
    space = AttributeSpace({"any": ["any"]})
    model = models.build({**config.model, "grid": grid}, space, config.train.precision)
    model.trainable = False
    settings, rows, batch = config.data, np.arange(len(manifest)), config.eval.batch_size
    squares = {"fit": settings.fit, "box_margin": settings.box_margin}

    def load_images():
        return open_images(manifest, rows, model.image_size, "none", 0, "", **squares)

    with naming_bad_images(manifest, settings.max_pixels):
        read = FrozenFeatures(model, model.slices, "checking labels").open(
            manifest,
            rows,
            squares,
            load_images,
            Path(settings.cache_dir or folder) / "features",
            math.inf,
            batch,
        )
    vectors = closed_form_vectors(
        model, rows, lambda some: read(some, some[:, None]), batch, "reading features"
    )
    if components is None or vectors.shape[1] <= components:
        return vectors
    components = min(components, len(vectors))
    return PCA(components, svd_solver="randomized", random_state=0).fit_transform(vectors)

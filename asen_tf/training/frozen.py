"""What the parts of a model that are frozen in a stage make of photographs: computed once."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from asen_client.version import __version__
from asen_tf.core.limits import DECODING
from asen_tf.core.progress import Progress, duration, say
from asen_tf.data.feature_cache import (
    DTYPE,
    FeatureLoader,
    contents,
    needed_bytes,
    open_features,
)
from asen_tf.data.image_cache import ImageLoader
from asen_tf.data.manifest import Manifest
from asen_tf.models.base import EmbeddingModel
from asen_tf.tracing import mapped, traced

_LEAST_BATCHES = 3  # the first is slow, and three tell how long all take


class FrozenFeatures:
    """A model's `frozen_inputs`, as a stage needs them.

    Args:
      model: with the stage's rates.
      names: of the outputs that the stage computes.
      stage: its name, for messages.

    Raises:
      ValueError: variables that they depend on learn in the stage, or the model has none.
    """

    def __init__(self, model: EmbeddingModel, names: Iterable[str], stage: str):
        self._model, self._names, self._stage = model, sorted(names), stage
        self._described = _described(model)  # as it is traced: beta, say, is chosen later

        def compute(images):
            kept = model.frozen_inputs(images, self._names)
            return {name: tf.saturate_cast(maps, DTYPE) for name, maps in kept.items()}

        size = model.image_size
        spec = tf.TensorSpec((None, size, size, 3), tf.uint8)
        self._compute = traced(compute).get_concrete_function(spec)
        self._shapes = {n: tuple(s[1:]) for n, s in self._compute.output_shapes.items()}
        read = set(map(id, self._compute.graph.variables))
        self._variables = [v for v in model.variables if read.intersection(map(id, _parts(v)))]
        learning = [v.path for v in self._variables if v.trainable]
        if learning:
            raise ValueError(
                f"{stage}.frozen_features keeps what {', '.join(self._names)} are computed from, "
                f"but its rates let {learning[0]} and {len(learning) - 1} more of the variables "
                "that it is computed with learn: give them the rate 0"
            )

    def open(
        self,
        manifest: Manifest,
        rows: np.ndarray,
        squares: Mapping[str, object],
        load_images: Callable[[], ImageLoader],
        folder: Path,
        most_bytes: float,
        batch_size: int,
        most_seconds: Callable[[], float] = lambda: math.inf,
    ) -> FeatureLoader | None:
        """The features of these rows; None, and a line that says so, where they cost too much.

        Args:
          manifest, rows: the photographs.
          squares: `fit` and `box_margin`, see `open_images`.
          load_images: opens the images; called where the features are not in the folder.
          folder: where they are kept.
          most_bytes: what they may take.
          batch_size: images that go through the model together.
          most_seconds: tells what computing them may take, once the images are open.
        """
        need = needed_bytes(rows, self._shapes)
        if need > most_bytes:
            say(
                f"{need / 1e9:.1f} GB of features exceed data.cache_gb: {self._stage} computes "
                "them in each step"
            )
            return None
        key = {
            "photographs": contents(manifest, rows, squares["box_margin"]),
            "squares": {**squares, "size": self._model.image_size},
            "model": self._described,
            "outputs": self._names,
            "shapes": self._shapes,
            "weights": self._digest(),
            "versions": {
                "asen_tf": __version__,
                "decoding": DECODING,
                "tensorflow": tf.__version__,
            },
        }

        def compute():
            return self._batches(rows, load_images(), batch_size, most_seconds())

        try:
            return open_features(folder, key, rows, self._shapes, compute)
        except _TooSlow as slow:
            say(
                f"features take {duration(slow.needed)}, and {self._stage} has "
                f"{duration(slow.most)} for them: it computes them in each step"
            )
            return None

    def _batches(self, rows, load_images, batch_size, most) -> Iterator[dict[str, np.ndarray]]:
        wanted = tf.data.Dataset.from_tensor_slices(rows).batch(batch_size)
        began = time.monotonic()
        with Progress("computing features", len(rows), "images") as progress:
            for number, images in enumerate(mapped(wanted, load_images).prefetch(2), 1):
                yield {name: maps.numpy() for name, maps in self._compute(images).items()}
                progress.update(len(images))
                if number == 1:
                    first = time.monotonic()
                elif number == _LEAST_BATCHES:
                    each = (time.monotonic() - first) / (number - 1)
                    needed = first - began + each * (math.ceil(len(rows) / batch_size) - 1)
                    if needed > most:
                        raise _TooSlow(needed, most)

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for variable in self._variables:
            digest.update(str(variable.shape).encode())
            digest.update(np.ascontiguousarray(variable.numpy()))
        return digest.hexdigest()


class _TooSlow(Exception):
    def __init__(self, needed: float, most: float):
        super().__init__(needed, most)
        self.needed, self.most = needed, most


def _parts(variable: keras.Variable) -> tuple[tf.Variable, ...]:
    """TensorFlow's variable, or the one of each device."""
    return getattr(variable.value, "values", (variable.value,))


def _described(model: EmbeddingModel) -> dict:
    """Class and arguments, without what a process calls it, nor how many attributes it knows.

    What depends on these has another shape, or variables of another shape.
    """
    described = keras.saving.serialize_keras_object(model)
    left_out = ("name", "trainable", "attributes")
    arguments = {k: v for k, v in described["config"].items() if k not in left_out}
    return json.loads(json.dumps({"class": described["registered_name"], **arguments}))

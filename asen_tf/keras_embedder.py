"""A Keras model of this library, ready to use: photographs in, vectors out."""

import functools
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from asen_client.core.attributes import AttributeSpace
from asen_client.core.foreign import reading
from asen_client.core.limits import BOX_MARGIN
from asen_client.embedders.base import BaseEmbedder
from asen_client.embedders.images import Place
from asen_tf.core import files, space_file
from asen_tf.core.read_ahead import batched, read_ahead
from asen_tf.evaluation.published import PublishedInputs, is_published
from asen_tf.images import MAX_PIXELS, graph
from asen_tf.images.geometry import pixel_boxes
from asen_tf.models.base import EmbeddingModel
from asen_tf.tracing import traced
from asen_tf.workdir import Workdir

# Beside the model in a preset.
_SETTINGS_FILE = "embedder.json"


class KerasEmbedder(BaseEmbedder):
    """The `Embedder` of a model in this process.

    Args:
      model: what embeds.
      attributes: the attributes it knows; iterating them gives their names in order.
      slices: of the model that are trained, see `EmbeddingModel.embed`.
      batch_size: photographs that go through the model at once.
      max_pixels: a photograph that declares more is refused before it is decoded.
      preprocessing: "default", or "published" for photographs prepared as by the authors' PyTorch
        code (docs/fidelity.md), which is slower.
      version: what messages call the model.
      fit: how photographs become square images, "crop" or "pad", see
        `asen_tf.images.graph.to_square`.
      box_margin: share of the sides of an image's box that is added around it.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        attributes: AttributeSpace,
        slices: Sequence[str] | None = None,
        batch_size: int = 32,
        max_pixels: int = MAX_PIXELS,
        preprocessing: str = "default",
        version: str = "",
        fit: str = "crop",
        box_margin: float = BOX_MARGIN,
    ):
        if model.attributes != len(attributes):
            raise ValueError(
                f"the model has {model.attributes} attributes, the space {len(attributes)}"
            )
        self.model = model
        self.slices = slices
        self.batch_size = batch_size
        self.max_pixels = max_pixels
        self.preprocessing = preprocessing
        self.version = version
        self._fit = fit
        self._box_margin = box_margin
        self._attributes = attributes
        self._squares = _Squares(model, slices, fit)
        published = is_published(preprocessing, fit)
        self._inputs = PublishedInputs(model, slices) if published else self._squares

    @classmethod
    def of_run(cls, workdir: str | os.PathLike, batch_size: int = 32) -> "KerasEmbedder":
        """That of the best model of a run.

        Raises:
          FileNotFoundError: the folder holds no run, or none that has validated yet.
        """
        run = Workdir(workdir)
        return cls(
            run.load_best(),
            run.space(),
            run.best()["slices"],
            batch_size,
            preprocessing=run.config().eval.preprocessing,
            version=os.fspath(workdir),
            fit=run.config().data.fit,
            box_margin=run.config().data.box_margin,
        )

    @classmethod
    def of_preset(cls, folder: str | os.PathLike, batch_size: int = 32) -> "KerasEmbedder":
        """That of a preset, see `save_to_preset`; one of a model alone will do.

        Raises:
          FileNotFoundError: the folder holds no preset.
        """
        folder = Path(folder)
        attributes = space_file.read(folder / "attributes.json")
        settings = folder / _SETTINGS_FILE
        model = EmbeddingModel.from_preset(folder)
        make = functools.partial(
            cls, model, attributes, batch_size=batch_size, version=os.fspath(folder)
        )
        if not settings.exists():
            return make()
        with reading(settings, "expected the settings of an embedder, they are damaged"):
            return make(**json.loads(settings.read_text("utf-8")))

    def save_to_preset(self, folder: str | os.PathLike) -> None:
        """Writes the model and what belongs to it as a preset, which `asen_tf.load` takes."""
        self.model.save_to_preset(folder, self.attributes)
        names = ("slices", "preprocessing", "fit", "box_margin")
        kept = {name: getattr(self, name) for name in names}
        files.write_text(Path(folder) / _SETTINGS_FILE, json.dumps(kept, indent=1))

    @property
    def fit(self) -> str:
        """How photographs become the square that the model sees: "crop" or "pad"."""
        return self._fit

    @property
    def box_margin(self) -> float:
        """Share of the sides of an image's box that the model was trained to see around it."""
        return self._box_margin

    @property
    def attributes(self) -> AttributeSpace:
        """The attributes it knows; iterating them gives their names in order."""
        return self._attributes

    @functools.cached_property
    def dimension(self) -> int:
        """Length of a vector, D."""
        return self._squares.dimension()

    def _embed(self, images: Sequence[Place], attribute: str) -> np.ndarray:
        return self._vectors(images, [self.attributes.index(attribute)])[:, 0]

    def _embed_all(self, images: Sequence[Place]) -> np.ndarray:
        return self._vectors(images, range(len(self.attributes)))

    def _explain(self, images: Sequence[Place], attribute: str) -> tuple[np.ndarray, np.ndarray]:
        if not self.model.explains:
            return super()._explain(images, attribute)
        chosen = self.attributes.index(attribute)
        maps = [np.empty((0, *self._squares.attention_shape()), np.float32)]
        boxes = [np.empty((0, 4), np.int32)]
        for batch in self._batches(images):
            ids = np.full((len(batch), 1), chosen, np.int32)
            attention, regions = self._inputs.explain(batch, ids)
            maps.append(attention[:, 0])
            boxes.append(regions[:, 0])
        return np.concatenate(maps), np.concatenate(boxes)

    _says_no_values = (
        "this model does not say which values photographs show: "
        "asen_tf.fit_recognition(RUN) teaches a run's, with the photographs that it was trained on"
    )

    def _predict(self, images: Sequence[Place], attributes: Sequence[str]) -> list[np.ndarray]:
        ids = [self.attributes.index(name) for name in attributes]
        if not self.model.predicts:
            return super()._predict(images, attributes)
        values = self.attributes.value_counts
        found = [np.empty((0, len(ids), max(values)), np.float32)]
        for batch in self._batches(images):
            found.append(self._inputs.predict(batch, np.array(ids, np.int32)))
        joined = np.concatenate(found)
        return [joined[:, n, : values[attribute]] for n, attribute in enumerate(ids)]

    def _vectors(self, images: Sequence[Place], ids: Sequence[int]) -> np.ndarray:
        vectors = [np.empty((0, len(ids), self.dimension), np.float32)]
        for batch in self._batches(images):
            pairs = np.tile(np.asarray(ids, np.int32), (len(batch), 1))
            vectors.append(self._inputs.embed(batch, pairs))
        return np.concatenate(vectors)

    def _batches(self, images: Sequence[Place]) -> Iterator[list]:
        for _, batch in read_ahead(batched(images, self.batch_size), self._prepare):
            yield batch

    def _prepare(self, image: Place):
        try:
            pixels = graph.read(image.photograph, self.max_pixels)
        except ValueError as error:
            raise image.refused(error) from error
        return self._inputs.prepare(pixels)


class _Squares:
    """Photographs as the model has seen them in training."""

    def __init__(self, model: EmbeddingModel, slices: Sequence[str] | None, fit: str):
        size = model.image_size
        self._to_square = graph.square_fn(size, fit)
        squares = tf.TensorSpec((None, size, size, 3), tf.uint8)
        ids, sizes = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, 2), tf.int32)
        self._embed = traced(
            lambda images, ids: model.embed(images, ids, slices), input_signature=[squares, ids]
        )

        def explain(images, ids, sizes):
            attention, boxes = model.explain(images, ids)
            return attention, pixel_boxes(boxes, sizes, fit)

        self._explain = traced(explain, input_signature=[squares, ids, sizes])
        chosen = tf.TensorSpec((None,), tf.int32)
        self._predict = traced(
            lambda images, chosen: model.value_probabilities(images, chosen),
            input_signature=[squares, chosen],
        )

    def dimension(self) -> int:
        return self._embed.get_concrete_function().structured_outputs.shape[-1]

    def attention_shape(self) -> tuple[int, int]:
        return self._explain.get_concrete_function().structured_outputs[0].shape[-2:]

    def prepare(self, pixels: tf.Tensor) -> tuple[tf.Tensor, tuple[int, int]]:
        return self._to_square(pixels), tuple(pixels.shape[:2])

    def embed(self, batch: list, ids: np.ndarray) -> np.ndarray:
        return self._embed(tf.stack([square for square, _ in batch]), ids).numpy()

    def explain(self, batch: list, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        squares, sizes = zip(*batch, strict=True)
        attention, boxes = self._explain(tf.stack(squares), ids, np.array(sizes, np.int32))
        return attention.numpy(), boxes.numpy()

    def predict(self, batch: list, ids: np.ndarray) -> np.ndarray:
        return self._predict(tf.stack([square for square, _ in batch]), ids).numpy()

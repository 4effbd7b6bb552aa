"""A trained model, ready to use: photographs in, vectors out."""

import concurrent.futures
import functools
import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from asen_tf.core.attributes import AttributeSpace
from asen_tf.data.photograph_forms import Photograph, listed, listed_pairs
from asen_tf.data.photographs import MAX_PIXELS, canvas_fn, to_pixels
from asen_tf.evaluation.published import PublishedInputs, is_published
from asen_tf.models.base import EmbeddingModel
from asen_tf.workdir import Workdir


def load(workdir: str | os.PathLike, batch_size: int = 32) -> "Embedder":
    """The best model of a run, ready to use.

    Args:
      workdir: the --workdir of `asen-train`.
      batch_size: photographs that go through the model at once.

    Raises:
      FileNotFoundError: the folder holds no run, or none that has validated yet.
    """
    run = Workdir(workdir)
    return Embedder(
        run.load_best(),
        run.space(),
        run.best()["slices"],
        batch_size,
        preprocessing=run.config().eval.preprocessing,
    )


class Embedder:
    """Attribute-specific embeddings of photographs of any size, in any number.

    `images` may be paths, encoded images (bytes), arrays (uint8 [H, W, 3], or gray [H, W]) or PIL
    images: one of them, or any iterable of them.

    Args:
      model: what embeds.
      attributes: the attributes it knows; iterating them gives their names in order.
      parts: of the model that are trained, see `EmbeddingModel.embed`.
      batch_size: photographs that go through the model at once.
      max_pixels: a photograph that declares more is refused before it is decoded.
      preprocessing: "canvas", or "published" for photographs prepared as by the authors' PyTorch
        code (docs/fidelity.md), which is slower.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        attributes: AttributeSpace,
        parts: Sequence[str] | None = None,
        batch_size: int = 32,
        max_pixels: int = MAX_PIXELS,
        preprocessing: str = "canvas",
    ):
        if model.attributes != len(attributes):
            raise ValueError(
                f"the model has {model.attributes} attributes, the space {len(attributes)}"
            )
        self.model = model
        self.attributes = attributes
        self.parts = parts
        self.batch_size = batch_size
        self.max_pixels = max_pixels
        self._canvases = _Canvases(model, parts)
        published = is_published(preprocessing)
        self._inputs = PublishedInputs(model, parts) if published else self._canvases

    @functools.cached_property
    def dimension(self) -> int:
        """Length of a vector, D."""
        return self._canvases.dimension()

    def embed(self, images: Photograph | Iterable[Photograph], attribute: str) -> np.ndarray:
        """Unit vectors of the photographs in one attribute's space, float32 [N, D].

        Raises:
          ValueError: an unknown attribute, or something that is no photograph (says which).
        """
        return self._vectors(images, [self.attributes.index(attribute)])[:, 0]

    def embed_all(self, images: Photograph | Iterable[Photograph]) -> np.ndarray:
        """Unit vectors in every attribute's space, float32 [N, A, D]."""
        return self._vectors(images, range(len(self.attributes)))

    def similarity(
        self,
        images: Photograph | Iterable[Photograph],
        others: Photograph | Iterable[Photograph],
        attribute: str,
    ) -> np.ndarray:
        """How alike pairs of photographs are in one attribute: cosines, float32 [N].

        One photograph on either side is compared with all on the other.

        Raises:
          ValueError: the sides hold different numbers of photographs, and neither holds one.
        """
        images, others = listed_pairs(images, others)
        return (self.embed(images, attribute) * self.embed(others, attribute)).sum(-1)

    def explain(
        self, images: Photograph | Iterable[Photograph], attribute: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where the model looked for an attribute.

        Returns:
          attention float32 [N, h, w], summing to 1, over the centred square of each photograph;
          boxes int32 [N, 4]: left, top, right, bottom of the region that the local branch sees,
          in pixels of the photograph.
        """
        attribute = self.attributes.index(attribute)
        maps, boxes = [], []
        for batch in self._batches(images):
            ids = np.full((len(batch), 1), attribute, np.int32)
            attention, regions = self._inputs.explain(batch, ids)
            maps.append(attention[:, 0])
            boxes.append(regions[:, 0])
        if not maps:
            shape = (0, *self._canvases.attention_shape())
            return np.empty(shape, np.float32), np.empty((0, 4), np.int32)
        return np.concatenate(maps), np.concatenate(boxes)

    def _vectors(self, images, ids) -> np.ndarray:
        vectors = [np.empty((0, len(ids), self.dimension), np.float32)]
        for batch in self._batches(images):
            pairs = np.tile(np.asarray(ids, np.int32), (len(batch), 1))
            vectors.append(self._inputs.embed(batch, pairs))
        return np.concatenate(vectors)

    def _batches(self, images) -> Iterator[list]:
        """The photographs, prepared side by side."""
        images = listed(images)

        def prepare(photograph, position):
            return self._inputs.prepare(to_pixels(photograph, position, self.max_pixels))

        with concurrent.futures.ThreadPoolExecutor() as threads:
            for start in range(0, len(images), self.batch_size):
                stop = min(start + self.batch_size, len(images))
                yield list(threads.map(prepare, images[start:stop], range(start, stop)))


class _Canvases:
    """Photographs as the model has seen them in training."""

    def __init__(self, model: EmbeddingModel, parts: Sequence[str] | None):
        size = model.image_size
        self._to_canvas = canvas_fn(size)
        canvases = tf.TensorSpec((None, size, size, 3), tf.uint8)
        ids, sizes = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, 2), tf.int32)
        self._embed = tf.function(
            lambda images, ids: model.embed(images, ids, parts), input_signature=[canvases, ids]
        )
        self._explain = tf.function(model.explain, input_signature=[canvases, ids, sizes])

    def dimension(self) -> int:
        return self._embed.get_concrete_function().structured_outputs.shape[-1]

    def attention_shape(self) -> tuple[int, int]:
        return self._explain.get_concrete_function().structured_outputs[0].shape[-2:]

    def prepare(self, pixels: tf.Tensor) -> tuple[tf.Tensor, tuple[int, int]]:
        return self._to_canvas(pixels), tuple(pixels.shape[:2])

    def embed(self, batch: list, ids: np.ndarray) -> np.ndarray:
        return self._embed(tf.stack([canvas for canvas, _ in batch]), ids).numpy()

    def explain(self, batch: list, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        canvases, sizes = zip(*batch, strict=True)
        attention, boxes = self._explain(tf.stack(canvases), ids, np.array(sizes, np.int32))
        return attention.numpy(), boxes.numpy()

"""A model in one file, ready to use: photographs in, vectors out, without TensorFlow."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_client.core.foreign import FormatError, reading
from asen_client.core.limits import MAX_PIXELS
from asen_client.embedders.images import Place
from asen_client.serving import signatures
from asen_client.serving.described import DescribedEmbedder
from asen_tf.core.read_ahead import batched, read_ahead
from asen_tf.images import UNREADABLE, Photograph, read
from asen_tf.images.squares import pixel_boxes, to_square
from asen_tf.serving.files.runtime import runtime_of

_EXPECTED = "expected a model that asen-export --format=onnx or litert wrote"


class FileModel(DescribedEmbedder):
    """The `Embedder` of a file that `asen-export --format=onnx` or `litert` wrote.

    Every pass of the network gives all attributes.

    Attributes:
      metadata: what the model says of itself.

    Args:
      path: of the file; its ending says which runtime it needs.
      batch_size: photographs that go through the model at once.

    Raises:
      FileNotFoundError: there is no such file.
      FormatError: it is damaged, or of something else.
      ValueError: the package that runs it is not installed.
    """

    def __init__(self, path: str | os.PathLike, batch_size: int = 32):
        self.version = os.fspath(path)
        self._batch_size = batch_size
        runtime = runtime_of(path)
        with reading(path, _EXPECTED):
            self._runtime = runtime(Path(path))
            self.metadata = signatures.Metadata.from_json(self._runtime.metadata)
            self._attributes = AttributeSpace(self.metadata.attributes)
            if self.metadata.size is None:
                raise ValueError("its metadata lack the size of its images")

    @property
    def attributes(self) -> AttributeSpace:
        """The attributes it knows; iterating them gives their names in order."""
        return self._attributes

    def outputs(self, images: Photograph | Iterable[Photograph]) -> dict[str, np.ndarray]:
        """All that the file gives, by name, see `asen_tf.serving.files`."""
        names = list(self._runtime.outputs)
        found, _ = self._run(self._placed(images), names)
        return dict(zip(names, found, strict=True))

    def _embed(self, images: Sequence[Place], attribute: str) -> np.ndarray:
        place = self.attributes.index(attribute)
        return self._embed_all(images)[:, place]

    def _embed_all(self, images: Sequence[Place]) -> np.ndarray:
        [vectors], _ = self._run(images, [signatures.EMBEDDINGS])
        return vectors

    def _explain(self, images: Sequence[Place], attribute: str) -> tuple[np.ndarray, np.ndarray]:
        place = self.attributes.index(attribute)
        names = [signatures.ATTENTION, signatures.BOX]
        if not set(names) <= set(self._runtime.outputs):
            return super()._explain(images, attribute)
        (attention, boxes), sizes = self._run(images, names)
        return attention[:, place], pixel_boxes(boxes[:, place], sizes, self.fit)

    _says_no_values = signatures.SAYS_NO_VALUES

    def _predict(self, images: Sequence[Place], attributes: Sequence[str]) -> list[np.ndarray]:
        places = [self.attributes.index(name) for name in attributes]
        if signatures.PROBABILITIES not in self._runtime.outputs:
            return super()._predict(images, attributes)
        [found], _ = self._run(images, [signatures.PROBABILITIES])
        counts = self.attributes.value_counts
        return [found[:, place, : counts[place]] for place in places]

    def _run(
        self, images: Sequence[Place], names: Sequence[str]
    ) -> tuple[list[np.ndarray], list[tuple[int, int]]]:
        """Outputs for all images, and height and width of these."""
        found, sizes = [], []
        for _, batch in read_ahead(batched(images, self._batch_size), self._prepare):
            squares, its_sizes = zip(*batch, strict=True)
            found.append(self._answer(np.stack(squares), names))
            sizes += its_sizes
        if not found:  # what the outputs of none look like, one says
            side = self.metadata.size
            blank = self._answer(np.zeros((1, side, side, 3), np.uint8), names)
            found = [[array[:0] for array in blank]]
        return [np.concatenate(arrays) for arrays in zip(*found, strict=True)], sizes

    def _prepare(self, image: Place) -> tuple[np.ndarray, tuple[int, int]]:
        try:
            pixels = read(image.photograph, min(self.metadata.max_pixels, MAX_PIXELS))
        except UNREADABLE as error:
            raise image.refused(error) from error
        return to_square(pixels, self.metadata.size, self.fit), pixels.shape[:2]

    def _answer(self, squares: np.ndarray, names: Sequence[str]) -> list[np.ndarray]:
        with reading(self.version, _EXPECTED):
            found = self._runtime.run(squares, names)
        for name, array in zip(names, found, strict=True):
            expected = (len(squares), len(self.attributes), *self._shape(name, array))
            if array.shape != expected or array.dtype != np.float32:
                shapes = f"expected float32 {list(expected)}, got {array.dtype} {list(array.shape)}"
                raise FormatError(self.version, f"{_EXPECTED}: of {name} {shapes}")
        return found

    def _shape(self, name: str, array: np.ndarray) -> tuple[int, ...]:
        """What an output has for each attribute of an image."""
        known = {
            signatures.EMBEDDINGS: (self.metadata.dimension,),
            signatures.BOX: (4,),
            signatures.PROBABILITIES: (max(self.attributes.value_counts),),
        }
        return known.get(name, array.shape[2:4])

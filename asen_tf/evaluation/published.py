"""Photographs prepared as by the authors' PyTorch code, to repeat its numbers.

Their data pipeline works on single photographs, with Pillow: the global branch's input is the whole
photograph resized, then cropped in its centre; the local branch's is cut from the original
photograph and resized. The library cuts both from one square image inside the graph, which is
faster, can be exported, and differs in resampling (docs/fidelity.md).
"""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from asen_client.core.errors import unknown_name
from asen_client.core.limits import BOX_MARGIN
from asen_tf.core.choices import PREPROCESSING
from asen_tf.data.manifest import Manifest
from asen_tf.images import read
from asen_tf.models.asen import ASEN


def is_published(preprocessing: str, fit: str = "crop") -> bool:
    """Whether `eval.preprocessing` asks for the authors', which crops.

    Raises:
      ValueError: an unknown name, or another `fit` (data.fit).
    """
    if preprocessing not in PREPROCESSING:
        raise ValueError(unknown_name("eval.preprocessing", preprocessing, PREPROCESSING))
    published = preprocessing == "published"
    if published and fit != "crop":
        raise ValueError(
            f"eval.preprocessing=published crops as the authors' code does, data.fit is {fit!r}: "
            "expected data.fit=crop, or eval.preprocessing=default"
        )
    return published


def open_fn(
    manifest: Manifest, box_margin: float = BOX_MARGIN
) -> Callable[[np.ndarray], list[Image.Image]]:
    """Photographs for an `Evaluator`: rows int64 [B] -> the photographs, cut to their boxes."""
    return lambda rows: [
        Image.fromarray(read(manifest.photograph(row, box_margin))) for row in rows
    ]


class PublishedInputs:
    """A model with inputs as the authors' code makes them; embeds with `slices` (`ASEN.embed`).

    Raises:
      ValueError: the model is none of ASEN.
    """

    def __init__(self, model: ASEN, slices: Sequence[str] | None = None):
        if not isinstance(model, ASEN):
            raise ValueError(
                f"eval.preprocessing=published is for ASEN, the model is {type(model).__name__}"
            )
        self._model = model
        self._slices = slices

    def prepare(self, pixels) -> Image.Image:
        """A photograph uint8 [H, W, 3] in the form that the other methods take."""
        return Image.fromarray(np.asarray(pixels))

    def embed(self, photographs: Sequence[Image.Image], attributes: np.ndarray) -> np.ndarray:
        """Embeddings of B photographs for attributes int32 [B, M]: float32 [B, M, D]."""
        images, attributes = self._images(photographs), tf.constant(attributes)
        crop = self._zoom(photographs)
        return self._model.embed(images, attributes, self._slices, crop=crop).numpy()

    def predict(self, photographs: Sequence[Image.Image], attributes: np.ndarray) -> np.ndarray:
        """Probabilities of values, see `EmbeddingModel.value_probabilities`."""
        images, crop = self._images(photographs), self._zoom(photographs)
        return self._model.value_probabilities(images, attributes, crop=crop).numpy()

    def explain(
        self, photographs: Sequence[Image.Image], attributes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Attention float32 [B, M, h, w] and boxes int32 [B, M, 4], see `Embedder.explain`."""
        attention, boxes = self._model.explain(self._images(photographs), tf.constant(attributes))
        size = self._model.global_branch.size
        return attention.numpy(), authors_boxes(boxes, size, _sizes(photographs))

    def _zoom(self, photographs):
        """What the local branch sees of regions, as `ASEN.compute_outputs` takes it."""
        size, sizes = self._model.global_branch.size, _sizes(photographs)

        def zoom(regions):
            boxes, local = authors_boxes(regions, size, sizes), self._model.local_branch.size
            pairs = zip(photographs, boxes, strict=True)
            return np.stack(
                [[local_input(image, box, local) for box in its] for image, its in pairs]
            )

        return zoom

    def _images(self, photographs):
        inputs = np.stack([global_input(p, self._model.global_branch.size) for p in photographs])
        # An image of equal pixels averages to the input itself.
        scale = self._model.image_size // self._model.global_branch.size
        return inputs.repeat(scale, axis=1).repeat(scale, axis=2)


def authors_boxes(boxes, size: int, sizes: np.ndarray) -> np.ndarray:
    """Regions in pixels of the photographs, in whole numbers as the authors' code has them.

    Args:
      boxes: float [B, M, 4], `rel_xyxy`: squares of whole pixels of the global branch's input.
      size: its side.
      sizes: int [B, 2], height and width of the photographs.

    Returns:
      int32 [B, M, 4], `xyxy`.
    """
    left, top, right, _ = np.moveaxis(np.rint(np.asarray(boxes) * size).astype(np.int32), -1, 0)
    height, width = sizes[:, None, 0], sizes[:, None, 1]
    short = np.minimum(height, width)
    side = (right - left) * short // size
    left = left * short // size + (width - short) // 2
    top = top * short // size + (height - short) // 2
    return np.stack([left, top, left + side, top + side], axis=-1)


def _sizes(photographs):
    return np.array([photograph.size[::-1] for photograph in photographs], np.int32)


def global_input(photograph: Image.Image, size: int) -> np.ndarray:
    """Shorter side to `size`, then the square in the centre, as torchvision does both.

    Returns:
      uint8 [size, size, 3].
    """
    width, height = photograph.size
    if width < height:
        width, height = size, int(size * height / width)
    else:
        width, height = int(size * width / height), size
    resized = photograph.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return np.asarray(resized.crop((left, top, left + size, top + size)))


def local_input(photograph: Image.Image, box: Sequence[int], size: int) -> np.ndarray:
    """A square of the original photograph: box [4] in its pixels -> uint8 [size, size, 3]."""
    cut = photograph.crop(tuple(int(side) for side in box))
    return np.asarray(cut.resize((size, size), Image.Resampling.BILINEAR))

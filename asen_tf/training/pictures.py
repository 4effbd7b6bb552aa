"""Where the model looks while it learns."""

import numpy as np
import tensorflow as tf

from asen_tf.data.image_cache import ImageLoader
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.embed import image_fn
from asen_tf.figures.overlay import attention_overlay
from asen_tf.figures.style import square, strip
from asen_tf.models.base import EmbeddingModel
from asen_tf.tracing import traced

SIDE_PX = 128


class AttentionPictures:
    """A few photographs of the validation split with the attention for each attribute over them.

    They are chosen and decoded once, so that pictures of a run show the same ones.

    Args:
      model: what learns.
      manifest: its data.
      load_images: of the manifest's rows.
      count: how many photographs; 0: none.
    """

    def __init__(
        self, model: EmbeddingModel, manifest: Manifest, load_images: ImageLoader, count: int
    ):
        rows = manifest.examples_of("valid")
        rows = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
        self._shown = model.explains and len(rows) > 0
        self._names = manifest.space.names
        if self._shown:
            self._images = image_fn(load_images)(rows)
            self._explain = traced(
                lambda images: model.explain(images, model.all_attributes(images))
            )

    def __call__(self) -> dict[str, np.ndarray]:
        """Attribute -> the photographs side by side, uint8 [128, W, 3]; empty without any."""
        if not self._shown:
            return {}
        maps, boxes = (found.numpy() for found in self._explain(tf.constant(self._images)))
        boxes = boxes * self._images.shape[1]
        return {
            name: strip(
                [
                    square(attention_overlay(image, maps[n, a], _with_area(boxes[n, a])), SIDE_PX)
                    for n, image in enumerate(self._images)
                ]
            )
            for a, name in enumerate(self._names)
        }


def _with_area(box: np.ndarray) -> np.ndarray | None:
    """The box, None where it is empty: what was learned so far must not stop the run."""
    return box if (box[:2] < box[2:]).all() else None

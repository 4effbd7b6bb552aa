"""The one interface to whatever gives embeddings: a run, a SavedModel, a preset, a served model."""

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_client.embedders.fingerprint import Fingerprint
from asen_client.embedders.images import Boxes
from asen_client.images import Photograph


@runtime_checkable
class Embedder(Protocol):
    """Attribute-specific embeddings of photographs; `asen_tf.load` gives one.

    `images` may be paths, encoded images (bytes), arrays (uint8 [H, W, 3], or gray [H, W]) or PIL
    images: one of them, or any iterable of them. No images give empty arrays.

    `boxes` say what part of each image counts, [N, 4]: x1, y1, x2, y2 in pixels of the upright
    photograph, its left, top, right and bottom; None or NaN instead of one: all of it. The image is
    cut to its box and the margin that the model was trained with. A `Boxed` image is the same.

    Every method raises `InvalidInputError`, a ValueError, for an image that is missing or no
    photograph, or a box that is none or lies outside, with its position in the caller's list;
    ValueError for an unknown attribute; and OSError where a served model is away. `BaseEmbedder`
    helps to write another one.
    """

    @property
    def attributes(self) -> AttributeSpace:
        """Those it knows; iterating them gives their names in order."""

    def embed(
        self, images: Photograph | Iterable[Photograph], attribute: str, boxes: Boxes = None
    ) -> np.ndarray:
        """Unit vectors of the images in one attribute's space, float32 [N, D]."""

    def embed_all(
        self, images: Photograph | Iterable[Photograph], boxes: Boxes = None
    ) -> np.ndarray:
        """Unit vectors in every attribute's space, float32 [N, A, D]."""

    def similarity(
        self,
        images: Photograph | Iterable[Photograph],
        others: Photograph | Iterable[Photograph],
        attribute: str,
        boxes: Boxes = None,
        other_boxes: Boxes = None,
    ) -> np.ndarray:
        """How similar pairs of images are in one attribute: cosines, float32 [N].

        One image on either side is compared with all on the other.

        Raises:
          ValueError: the sides hold different numbers of images, and neither holds one.
        """

    def explain(
        self, images: Photograph | Iterable[Photograph], attribute: str, boxes: Boxes = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where the model looked for an attribute.

        Returns:
          attention float32 [N, h, w], summing to 1, over the square that the model sees: in the
          centre of each photograph, or of what is cut out of it; boxes int32 [N, 4]: left, top,
          right, bottom of the region that the local branch sees, in pixels of the whole photograph.

        Raises:
          NotImplementedError: the model has no attention.
        """

    def predict(
        self, images: Photograph | Iterable[Photograph], attribute: str, boxes: Boxes = None
    ) -> np.ndarray:
        """How probable each value of an attribute is, float32 [N, V].

        The columns are in the order of `attributes[attribute].values`, the rows add up to 1.

        Raises:
          NotImplementedError: the model does not say; the message says how it comes to.
        """

    def predict_all(
        self, images: Photograph | Iterable[Photograph], boxes: Boxes = None
    ) -> dict[str, np.ndarray]:
        """`predict` of every attribute, by its name, in one pass of the backbone."""

    def fingerprint(self) -> Fingerprint:
        """What identifies the model; it embeds one fixed image to tell."""


def probabilities(
    embedder: Embedder, images: Iterable[Photograph], names: Sequence[str]
) -> dict[str, np.ndarray]:
    """`predict` of some attributes by their names, in one pass of the backbone."""
    if len(names) == 1:  # some models work for each attribute
        return {names[0]: embedder.predict(images, names[0])}
    every = embedder.predict_all(images)
    return {name: every[name] for name in names}

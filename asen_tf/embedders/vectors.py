"""An embedder for those who have vectors and no model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_client.embedders.base import BaseEmbedder
from asen_client.embedders.fingerprint import Fingerprint
from asen_client.embedders.images import InvalidInputError, Place
from asen_tf.images import listed


class VectorEmbedder(BaseEmbedder):
    """Vectors that come from elsewhere: an image is given as its own vectors, float32 [A, D].

        fingerprint = Fingerprint(attributes, dimension=256, version="asen/1")
        Catalogue("faiss:/data/vectors", VectorEmbedder(fingerprint))

    Args:
      fingerprint: of the model that the vectors come from.
      function: from a list of images, in whatever form it takes them, to their unit vectors,
        float32 [N, A, D]; none: the images are vectors.
    """

    def __init__(
        self, fingerprint: Fingerprint, function: Callable[[list], np.ndarray] | None = None
    ):
        self._fingerprint = fingerprint
        self._function = function
        self._shape = len(fingerprint.attributes), fingerprint.dimension

    @property
    def attributes(self) -> AttributeSpace:
        """The attributes, in the order of the vectors."""
        return self._fingerprint.attributes

    def fingerprint(self) -> Fingerprint:
        """The one that was given."""
        return self._fingerprint

    def _listed(self, images: Any) -> list:
        if self._function is not None:
            return listed(images)
        return [images] if np.shape(images) == self._shape else list(images)

    def _with_margin(self, places: list[Place]) -> list[Place]:
        return places  # the function knows its model's

    def _embed_all(self, images: Sequence[Place]) -> np.ndarray:
        given: Any = [image.photograph for image in images]
        if given and self._function is not None:
            try:
                given = self._function(given)
            except InvalidInputError as error:
                if error.position is None:
                    raise
                raise images[error.position].refused(error.reason) from error
        vectors = np.empty((len(images), *self._shape), np.float32)
        for n, (image, vector) in enumerate(zip(images, given, strict=True)):
            if np.shape(vector) != self._shape:
                shape = list(self._shape)
                raise image.refused(f"expected vectors {shape}, got {list(np.shape(vector))}")
            vectors[n] = vector
        return vectors

    def _embed(self, images: Sequence[Place], attribute: str) -> np.ndarray:
        return self._embed_all(images)[:, self.attributes.index(attribute)]

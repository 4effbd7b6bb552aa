"""What all embedders of this library share."""

import abc
from collections.abc import Iterable, Sequence

import numpy as np

from asen_tf.core.attributes import AttributeSpace
from asen_tf.embedders.fingerprint import Fingerprint, probe
from asen_tf.embedders.images import Place, cosines, placed, placed_pairs
from asen_tf.images import Photograph, listed


class BaseEmbedder(abc.ABC):
    """An `Embedder` by three methods: `_embed`, `_embed_all` and, with attention, `_explain`.

    Each gets the images as `Place`s, of which there may be none, and raises `place.refused(reason)`
    for a bad one. Close an embedder, or use it in a `with` statement, where it may be a served one.

    Attributes:
      version: what messages call the model.
    """

    version: str = ""

    @property
    def fit(self) -> str:
        """How photographs become the square that the model sees: "crop" or "pad"."""
        return "crop"

    @property
    @abc.abstractmethod
    def attributes(self) -> AttributeSpace:
        """The attributes it knows; iterating them gives their names in order."""

    @abc.abstractmethod
    def _embed(self, images: Sequence[Place], attribute: str) -> np.ndarray:
        """float32 [N, D]; ValueError for an unknown attribute."""

    @abc.abstractmethod
    def _embed_all(self, images: Sequence[Place]) -> np.ndarray:
        """float32 [N, A, D]"""

    def _explain(self, images: Sequence[Place], attribute: str) -> tuple[np.ndarray, np.ndarray]:
        """Attention float32 [N, h, w], boxes int32 [N, 4]; ValueError for an unknown attribute."""
        self.attributes.index(attribute)
        raise NotImplementedError("this model has no attention that says where it looks")

    def _listed(self, images: Photograph | Iterable[Photograph]) -> list[Photograph]:
        """One image, or any iterable of them, as a list."""
        return listed(images)

    def embed(self, images: Photograph | Iterable[Photograph], attribute: str) -> np.ndarray:
        """See `Embedder.embed`: float32 [N, D]."""
        return self._embed(placed(self._listed(images)), attribute)

    def embed_all(self, images: Photograph | Iterable[Photograph]) -> np.ndarray:
        """See `Embedder.embed_all`: float32 [N, A, D]."""
        return self._embed_all(placed(self._listed(images)))

    def similarity(
        self,
        images: Photograph | Iterable[Photograph],
        others: Photograph | Iterable[Photograph],
        attribute: str,
    ) -> np.ndarray:
        """See `Embedder.similarity`: float32 [N]."""
        both, first = placed_pairs(self._listed(images), self._listed(others))
        return cosines(self._embed(both, attribute), first)

    def explain(
        self, images: Photograph | Iterable[Photograph], attribute: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Embedder.explain`: attention float32 [N, h, w] and boxes int32 [N, 4]."""
        return self._explain(placed(self._listed(images)), attribute)

    def fingerprint(self) -> Fingerprint:
        """See `Embedder.fingerprint`."""
        [vectors] = self.embed_all(probe())
        return Fingerprint.of(self.attributes, vectors, self.version)

    def close(self) -> None:  # noqa: B027  most hold nothing open
        """Ends what it holds open."""

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.close()

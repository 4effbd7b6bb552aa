"""What all embedders of this library share."""

import abc
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_client.core.limits import BOX_MARGIN
from asen_client.embedders.fingerprint import Fingerprint, probe
from asen_client.embedders.images import (
    Boxes,
    Place,
    cosines,
    in_whole,
    lacks_margin,
    placed,
    placed_pairs,
    with_margin,
)
from asen_client.images import Photograph, listed


class BaseEmbedder(abc.ABC):
    """An `Embedder` by its methods: `_embed`, `_embed_all`, and perhaps `_explain` and `_predict`.

    Each gets the images as `Place`s, of which there may be none, and raises `place.refused(reason)`
    for a bad one. An image with a box is `Boxed`, which `asen_client.images.read` cuts out;
    `_explain` gives boxes in pixels of what was cut out. Close an embedder, or use it in a `with`
    statement, where it may be a served one.

    Attributes:
      version: what messages call the model.
    """

    version: str = ""

    @property
    def fit(self) -> str:
        """How photographs become the square that the model sees: "crop" or "pad"."""
        return "crop"

    @property
    def box_margin(self) -> float:
        """Share of the sides of an image's box that the model was trained to see around it."""
        return BOX_MARGIN

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

    def _predict(self, images: Sequence[Place], attributes: Sequence[str]) -> list[np.ndarray]:
        """For each attribute float32 [N, V]; ValueError for an unknown one."""
        for name in attributes:
            self.attributes.index(name)
        raise NotImplementedError(self._says_no_values)

    # Why `_predict` cannot be, and how to mend it.
    _says_no_values = "this embedder does not say which values photographs show"

    def _listed(self, images: Photograph | Iterable[Photograph]) -> list[Photograph]:
        """One image, or any iterable of them, as a list."""
        return listed(images)

    def embed(
        self,
        images: Photograph | Iterable[Photograph],
        attribute: str,
        boxes: Boxes = None,
    ) -> np.ndarray:
        """See `Embedder.embed`: float32 [N, D]."""
        return self._embed(self._placed(images, boxes), attribute)

    def embed_all(
        self, images: Photograph | Iterable[Photograph], boxes: Boxes = None
    ) -> np.ndarray:
        """See `Embedder.embed_all`: float32 [N, A, D]."""
        return self._embed_all(self._placed(images, boxes))

    def similarity(
        self,
        images: Photograph | Iterable[Photograph],
        others: Photograph | Iterable[Photograph],
        attribute: str,
        boxes: Boxes = None,
        other_boxes: Boxes = None,
    ) -> np.ndarray:
        """See `Embedder.similarity`: float32 [N]."""
        sides = self._listed(images), self._listed(others)
        both, first = placed_pairs(*sides, boxes, other_boxes)
        return cosines(self._embed(self._with_margin(both), attribute), first)

    def explain(
        self,
        images: Photograph | Iterable[Photograph],
        attribute: str,
        boxes: Boxes = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Embedder.explain`: attention float32 [N, h, w] and boxes int32 [N, 4]."""
        places = self._placed(images, boxes)
        attention, regions = self._explain(places, attribute)
        return attention, in_whole(regions, places)

    def predict(
        self,
        images: Photograph | Iterable[Photograph],
        attribute: str,
        boxes: Boxes = None,
    ) -> np.ndarray:
        """See `Embedder.predict`: float32 [N, V]."""
        return self._predict(self._placed(images, boxes), [attribute])[0]

    def predict_all(
        self, images: Photograph | Iterable[Photograph], boxes: Boxes = None
    ) -> dict[str, np.ndarray]:
        """See `Embedder.predict_all`: attribute -> float32 [N, V]."""
        names = list(self.attributes)
        return dict(zip(names, self._predict(self._placed(images, boxes), names), strict=True))

    def _placed(
        self, images: Photograph | Iterable[Photograph], boxes: Boxes = None
    ) -> list[Place]:
        return self._with_margin(placed(self._listed(images), boxes))

    def _with_margin(self, places: list[Place]) -> list[Place]:
        # A served model is requested to tell its margin only where it is needed.
        return with_margin(places, self.box_margin) if lacks_margin(places) else places

    def fingerprint(self) -> Fingerprint:
        """See `Embedder.fingerprint`."""
        [vectors] = self.embed_all(probe())
        return Fingerprint.of(self.attributes, vectors, self.version)

    def close(self) -> None:  # noqa: B027  most hold nothing open
        """Ends what it holds open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()

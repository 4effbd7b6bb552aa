"""An embedder, and beside its attributes the space of a model of images and texts."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_client.embedders.base import BaseEmbedder
from asen_client.embedders.images import Boxes, InvalidInputError, Place
from asen_client.embedders.protocol import Embedder
from asen_tf.images import Photograph


@runtime_checkable
class TextEmbedder(Protocol):
    """An `Embedder` that reads free text, too: one attribute's space holds images and texts."""

    @property
    def text_attribute(self) -> str:
        """That attribute."""

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of texts in its space, float32 [N, D]."""


class EmbedderWithText(BaseEmbedder):
    """Has the attributes of both, so that one store is searched by attributes and by free text.

        model = EmbedderWithText(asen_tf.load("runs/asen"), asen_tf.load("presets/clip"))

    The shorter of their vectors end in zeros, which changes no cosine.

    Args:
      embedder: the model of attributes; both are closed with this one.
      text_model: what also reads texts, see `TextEmbedder`.

    Raises:
      ValueError: it reads no texts.
    """

    def __init__(self, embedder: Embedder, text_model: Embedder):
        if not isinstance(text_model, TextEmbedder):
            raise ValueError(
                f"a {type(text_model).__name__} reads no texts, expected a model of images and "
                "texts, such as a KerasHub preset of CLIP"
            )
        self._embedder, self._text_model = embedder, text_model
        self._parts = embedder, text_model
        self.version = " + ".join(getattr(part, "version", "") for part in self._parts)

    # Asked when they are needed: a served model may be away for a while.
    @functools.cached_property
    def attributes(self) -> AttributeSpace:
        """Those of the model, then those of the one that reads texts; both have other names."""
        spaces = [part.attributes.to_dict() for part in self._parts]
        if twice := spaces[0].keys() & spaces[1].keys():
            raise ValueError(f"both models have the attribute {', '.join(sorted(twice))}")
        return AttributeSpace(spaces[0] | spaces[1])

    @functools.cached_property
    def _dimension(self) -> int:
        return max(part.fingerprint().dimension for part in self._parts)

    @property
    def fit(self) -> str:
        """That of the model of attributes."""
        return getattr(self._embedder, "fit", super().fit)

    @property
    def text_attribute(self) -> str:
        """The attribute in whose space `embed_text` gives vectors."""
        return self._text_model.text_attribute

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of texts, float32 [N, D]."""
        return self._padded(self._text_model.embed_text(texts))

    def explain(
        self, images: Photograph | Iterable[Photograph], attribute: str, boxes: Boxes = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """That of the model which has the attribute."""
        return self._owner(attribute).explain(images, attribute, boxes)

    def predict(
        self, images: Photograph | Iterable[Photograph], attribute: str, boxes: Boxes = None
    ) -> np.ndarray:
        """That of the model which has the attribute."""
        return self._owner(attribute).predict(images, attribute, boxes)

    def predict_all(
        self, images: Photograph | Iterable[Photograph], boxes: Boxes = None
    ) -> dict[str, np.ndarray]:
        """That of the model of attributes: free text has no values."""
        return self._embedder.predict_all(images, boxes)

    def close(self) -> None:
        """Closes both."""
        for part in self._parts:
            if hasattr(part, "close"):
                part.close()

    def _with_margin(self, places: list[Place]) -> list[Place]:
        return places  # each of the two has its own

    def _embed_all(self, images: Sequence[Place]) -> np.ndarray:
        found = [_of(part.embed_all, images) for part in self._parts]
        return np.concatenate([self._padded(vectors) for vectors in found], axis=1)

    def _embed(self, images: Sequence[Place], attribute: str) -> np.ndarray:
        return self._padded(_of(self._owner(attribute).embed, images, attribute))

    def _owner(self, attribute: str) -> Embedder:
        self.attributes.index(attribute)
        return next(of for of in self._parts if attribute in of.attributes)

    def _padded(self, vectors: np.ndarray) -> np.ndarray:
        missing = self._dimension - vectors.shape[-1]
        return np.pad(vectors, [(0, 0)] * (vectors.ndim - 1) + [(0, missing)])


def _of(function: Callable, images: Sequence[Place], *attribute: str) -> np.ndarray:
    """What a part gives; its errors name the images as the caller of both has them."""
    try:
        return function([image.photograph for image in images], *attribute)
    except InvalidInputError as error:
        if error.position is None:
            raise
        raise images[error.position].refused(error.reason) from error

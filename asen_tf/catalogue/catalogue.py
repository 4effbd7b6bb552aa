"""A shop's items, with a vector for each attribute: kept, and searched."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from asen_tf.catalogue.filters import parse
from asen_tf.catalogue.finder import Finder
from asen_tf.catalogue.fingerprint import fingerprint_of
from asen_tf.catalogue.identity import Identity
from asen_tf.catalogue.items import Items, Record
from asen_tf.catalogue.store import open_store
from asen_tf.core.attributes import AttributeSpace


class Embedder(Protocol):
    """What `asen_tf.load`, `asen_tf.serving.Client` and `asen_tf.serving.SavedModel` give."""

    attributes: AttributeSpace

    def embed_all(self, images: Iterable) -> np.ndarray:
        """Unit vectors, float32 [N, A, D], of photographs."""


def identity_of(embedder: Embedder, version: str = "") -> Identity:
    """The identity of a model, which is asked for the vectors of one photograph.

    Args:
      embedder: gives the vectors.
      version: in the owner's words, for messages.
    """
    return _identity(embedder.attributes, embedder.embed_all, version)


def _identity(space: AttributeSpace, embed: Callable, version: str) -> Identity:
    dimension, fingerprint = fingerprint_of(embed)
    return Identity(space, dimension, version, fingerprint)


class Catalogue(Finder):
    """A store of items, and the model that sees them: filled here, searched by `Finder`.

        catalogue = Catalogue("faiss:/data/shop", asen_tf.load("runs/asen"))
        catalogue.upsert(["a.jpg"], catalogue.embed(["/photos/a.jpg"]), [Record({}, {"price": 20})])

    Without a model, vectors are given; TensorFlow is not loaded:

        identity = Identity(space, dimension=256, version="asen/1")
        catalogue = Catalogue("faiss:/data/shop", identity=identity)

    Close it, or use it in a `with` statement. What it raises is what `Engine` and `open_store` do.

    Args:
      uri: `faiss:PATH` or `milvus:...`, see `open_store`. It is made if it is not there and the
        model's identity is known.
      embedder: the model, see `Embedder`; or a function from photographs to unit vectors
        [N, A, D], whose identity has to be told.
      identity: of the model; none: asked of the embedder.
      read_only: writing is not wanted; another process may write meanwhile.

    Raises:
      ValueError: the store was filled by another model.
    """

    def __init__(
        self,
        uri: str,
        embedder: Embedder | Callable[[Iterable], np.ndarray] | None = None,
        *,
        identity: Identity | None = None,
        read_only: bool = False,
    ):
        if identity is None and hasattr(embedder, "attributes"):
            identity = identity_of(embedder)
        engine = open_store(uri, identity, read_only)
        super().__init__(engine, getattr(embedder, "embed_all", embedder))

    @property
    def exact(self) -> bool:
        """Whether searches surely give the best of all items."""
        return self._engine.exact

    def insert(
        self, ids: Sequence[str], vectors: np.ndarray, records: Sequence[Record] = ()
    ) -> None:
        """Adds items whose ids are new; all or none.

        Args:
          ids: [N] names.
          vectors: float32 [N, A, D], of length one.
          records: [N] labels and metadata; none: all empty.
        """
        self._engine.insert(Items(ids, vectors, records))

    def upsert(
        self, ids: Sequence[str], vectors: np.ndarray, records: Sequence[Record] = ()
    ) -> None:
        """Adds items, in place of those of the same ids; all or none. See `insert`."""
        self._engine.upsert(Items(ids, vectors, records))

    def delete(self, ids: Sequence[str]) -> int:
        """Removes items; gives how many of them were there."""
        return self._engine.delete(ids)

    def vectors(self, ids: Sequence[str]) -> np.ndarray:
        """Vectors of items, float32 [N, A, D]; ValueError for an unknown id."""
        return self._engine.vectors(ids)

    def records(self, ids: Sequence[str]) -> list[Record]:
        """Labels and metadata of items; ValueError for an unknown id."""
        return self._engine.records(ids)

    def ids(self, where: str = "") -> list[str]:
        """The ids of all items, or of those that meet a condition (see `filters`), sorted."""
        return self._engine.ids(parse(where))

    def __len__(self) -> int:
        """How many items there are."""
        return len(self._engine)

    def __contains__(self, name: str) -> bool:
        return bool(self._engine.known([name]))

    def compact(self) -> None:
        """Gives back the room of what was deleted or replaced."""
        self._engine.compact()

    def close(self) -> None:
        """Ends the work; what was written stays."""
        self._engine.close()

    def __enter__(self) -> "Catalogue":
        return self

    def __exit__(self, *_) -> None:
        self.close()

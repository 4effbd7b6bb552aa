"""The model behind the page: asked only while it is the one that filled the store."""

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from asen_tf.app import problems
from asen_tf.core.attributes import AttributeSpace
from asen_tf.search import Identity, identity_of

# A server may take up another version of its model at any time.
_CHECK_AGAIN_S = 60.0


class Embedder(Protocol):
    """What `asen_tf.load`, `asen_tf.serving.Client` and `asen_tf.serving.SavedModel` give."""

    attributes: AttributeSpace

    def embed_all(self, images: Iterable) -> np.ndarray:
        """Unit vectors, float32 [N, A, D], of photographs."""

    def explain(self, images: Iterable, attribute: str) -> tuple[np.ndarray, np.ndarray]:
        """Attention [N, h, w] and boxes int32 [N, 4]; raises where the model has none."""


class Model:
    """An embedder, and what the store knows of the model that filled it.

    Threads may share it.

    Args:
      embedder: gives vectors and boxes.
      identity: of the store.
      check_again: seconds until the embedder is compared with the store again.
    """

    def __init__(self, embedder: Embedder, identity: Identity, check_again: float = _CHECK_AGAIN_S):
        self._embedder = embedder
        self._identity = identity
        self._check_again = check_again
        self._checked_at = -np.inf
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises Problem where the model is away, or is another than the store's."""
        with self._lock:
            if time.monotonic() - self._checked_at < self._check_again:
                return
            with problems.asking_the_model():
                found = identity_of(self._embedder)
            try:
                self._identity.check(found)
            except ValueError as error:
                raise problems.model_differs(error) from error
            self._checked_at = time.monotonic()

    def embed(self, photograph: bytes) -> np.ndarray:
        """Unit vectors of an encoded photograph, float32 [A, D].

        Raises:
          Problem: the model is away or another, or the photograph is refused.
        """
        self.check()
        try:
            with self._asked():
                return self._embedder.embed_all([photograph])[0]
        except ValueError as error:
            raise problems.no_photograph("the model refuses it") from error

    def boxes(self, photographs: Sequence[bytes], attribute: str) -> np.ndarray:
        """Where the model looks for an attribute, int32 [N, 4]: left, top, right, bottom.

        In pixels of the photographs.

        Raises:
          Problem: the model is away or another, or shows no regions.
        """
        self.check()
        try:
            with self._asked():
                return self._embedder.explain(photographs, attribute)[1]
        except (ValueError, NotImplementedError) as error:
            raise problems.no_regions() from error

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            with problems.asking_the_model():
                yield
        except problems.Problem:
            # Who knows which model the server comes back with.
            self._checked_at = -np.inf
            raise

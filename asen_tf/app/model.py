"""The model behind the page: asked only while it is the one that filled the store."""

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from asen_tf.app import problems
from asen_tf.catalogue import Identity, identity_of
from asen_tf.core.attributes import AttributeSpace

# A server may take up another version of its model at any time.
_CHECK_AGAIN_S = 60.0
# One that does not answer is waited for by one visitor, not by each in turn.
_FAILED_AGAIN_S = 3.0


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
      failed_again: the same after a comparison that failed.
    """

    def __init__(
        self,
        embedder: Embedder,
        identity: Identity,
        check_again: float = _CHECK_AGAIN_S,
        failed_again: float = _FAILED_AGAIN_S,
    ):
        self._embedder = embedder
        self._identity = identity
        self._check_again = check_again
        self._failed_again = failed_again
        self._check_at = -np.inf
        self._problem: problems.Problem | None = None
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raises Problem where the model is away, or is another than the store's."""
        with self._lock:
            if time.monotonic() >= self._check_at:
                self._problem = self._compared()
                wait = self._failed_again if self._problem else self._check_again
                self._check_at = time.monotonic() + wait
            if self._problem:
                raise self._problem.with_traceback(None)

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

    def boxes(self, photographs: Sequence[bytes], attribute: str) -> list[np.ndarray | None]:
        """Where the model looks for an attribute, int32 [4] each: left, top, right, bottom.

        In pixels of the photographs; None for one that the model refuses.

        Raises:
          Problem: the model is away or another, or shows no regions.
        """
        self.check()
        try:
            with self._asked():
                return self._explained(photographs, attribute)
        except NotImplementedError as error:
            raise problems.no_regions() from error

    def _compared(self) -> problems.Problem | None:
        """What is wrong with the embedder."""
        try:
            with problems.asking_the_model():
                found = identity_of(self._embedder)
            self._identity.check(found)
        except problems.Problem as problem:
            return problem
        except ValueError as error:
            return problems.model_differs(error)
        return None

    def _explained(self, photographs: Sequence[bytes], attribute: str) -> list[np.ndarray | None]:
        try:
            return list(self._embedder.explain(photographs, attribute)[1])
        except ValueError:
            # Not every embedder says which one it refuses.
            if len(photographs) == 1:
                return [None]
            return [box for one in photographs for box in self._explained([one], attribute)]
        except OSError as error:
            if _lacks_signature(error):
                raise NotImplementedError(str(error)) from error
            raise

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            with problems.asking_the_model():
                yield
        except problems.Problem:
            # Who knows which model the server comes back with.
            self._check_at = -np.inf
            raise


def _lacks_signature(error: OSError) -> bool:
    """Whether this is a server's answer for a model that has no such signature.

    It is gRPC's status code, read without gRPC, which the page does not need.
    """
    return getattr(getattr(error, "code", None), "name", "") == "FAILED_PRECONDITION"

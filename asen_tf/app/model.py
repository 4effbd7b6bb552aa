"""The model behind the page: used only while it is the one that filled the store."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np

from asen_tf.app import problems
from asen_tf.embedders import Embedder, Fingerprint, each
from asen_tf.images import Boxed

# A server may take up another version of its model at any time.
_CHECK_AGAIN_S = 60.0
# One that does not answer is waited for by one visitor, not by each in turn.
_FAILED_AGAIN_S = 3.0


class Model:
    """An embedder, and the fingerprint of the model that filled the store; threads may share it.

    Args:
      check_again: seconds until the embedder is compared with the store again.
      failed_again: the same after a comparison that failed.
    """

    def __init__(
        self,
        embedder: Embedder,
        fingerprint: Fingerprint,
        check_again: float = _CHECK_AGAIN_S,
        failed_again: float = _FAILED_AGAIN_S,
    ):
        self._embedder = embedder
        self._fingerprint = fingerprint
        self._check_again = check_again
        self._failed_again = failed_again
        self._check_at = -np.inf
        self._problem: problems.Problem | None = None
        self._lock = threading.Lock()

    def check(self, wait: bool = True) -> None:
        """Raises Problem where the model is away, or is another than the store's.

        Args:
          wait: for a comparison that is under way; else what was known before counts.
        """
        if self._lock.acquire(blocking=wait):
            try:
                if time.monotonic() >= self._check_at:
                    self._problem = self._compared()
                    again = self._failed_again if self._problem else self._check_again
                    self._check_at = time.monotonic() + again
            finally:
                self._lock.release()
        if problem := self._problem:
            raise problem.with_traceback(None)

    def embed(self, photograph: bytes | Boxed) -> np.ndarray:
        """Unit vectors of an encoded photograph, or of what is in its box, float32 [A, D].

        Problem: the model is away or another, or the photograph is refused.
        """
        self.check()
        try:
            with self._used():
                return self._embedder.embed_all([photograph])[0]
        except ValueError as error:
            raise problems.no_photograph("the model refuses it") from error

    def boxes(
        self, photographs: Sequence[bytes | Boxed], attribute: str
    ) -> list[np.ndarray | None]:
        """Where the model looks: left, top, right, bottom in pixels, int32 [4]; None: it refuses.

        Problem: the model is away or another, or shows no regions.
        """
        self.check()
        try:
            with self._used():
                found = each(lambda some: self._embedder.explain(some, attribute)[1], photographs)
        except NotImplementedError as error:
            title = "The model does not show where it looks."
            advice = "Search goes on without regions."
            raise problems.Problem(422, "no_regions", title, advice) from error
        return [None if isinstance(box, str) else box for box in found]

    def predict(self, photograph: bytes | Boxed) -> dict[str, tuple[str, float]]:
        """Attribute -> the value that a photograph most probably shows, and its probability.

        Problem: the model is away or another, refuses the photograph, or says no values.
        """
        self.check()
        try:
            with self._used():
                found = self._embedder.predict_all([photograph])
        except NotImplementedError as error:
            title = "The model does not say which values photographs show."
            raise problems.Problem(422, "no_values", title, f"{error}.") from error
        except ValueError as error:
            raise problems.no_photograph("the model refuses it") from error
        return {name: self._best(name, of_values[0]) for name, of_values in found.items()}

    def _best(self, name: str, probabilities: np.ndarray) -> tuple[str, float]:
        place = int(probabilities.argmax())
        return self._embedder.attributes[name].values[place], float(probabilities[place])

    def _compared(self) -> problems.Problem | None:
        """What is wrong with the embedder."""
        try:
            with problems.model_problems():
                found = self._embedder.fingerprint()
            self._fingerprint.check(found)
        except problems.Problem as problem:
            return problem
        except ValueError as error:
            title = f"The model does not fit the catalogue: {error}."
            advice = (
                "Start asen-app with the model that filled the store, or fill another store by "
                "asen-index. Items of the catalogue can be searched with meanwhile."
            )
            return problems.Problem(409, "model_differs", title, advice)
        return None

    @contextlib.contextmanager
    def _used(self) -> Iterator[None]:
        try:
            with problems.model_problems():
                yield
        except problems.Problem:
            # Who knows which model the server comes back with.
            self._check_at = -np.inf
            raise

"""Bounds on what requests may ask of the server at once."""

import contextlib
import dataclasses
import os
import threading
from collections.abc import Iterator

import grpc

from asen_tf.serving.server.refused import Refused


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the server accepts.

    Attributes:
      message_bytes: of a request or an answer.
      batch: rows of a request.
      concurrent: requests that run at the same time.
      waiting: requests beyond those that wait for their turn; more are refused.
    """

    message_bytes: int = 64 << 20
    batch: int = 128
    concurrent: int = os.cpu_count() or 1
    waiting: int = 32


class Admission:
    """Lets some requests run at once, makes some wait, and refuses the rest.

    Args:
      concurrent: requests that run.
      waiting: requests that wait.
    """

    def __init__(self, concurrent: int, waiting: int):
        self._places = concurrent + waiting
        self._admitted = 0
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(concurrent)

    @contextlib.contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Waits at most so long for the caller's turn, which lasts as long as the context.

        Raises:
          Refused: too many wait already (RESOURCE_EXHAUSTED), or the time is over
            (DEADLINE_EXCEEDED).
        """
        with self._place():
            if not self._turn.acquire(timeout=min(seconds, threading.TIMEOUT_MAX)):
                raise Refused(
                    grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed before the request ran"
                )
            try:
                yield
            finally:
                self._turn.release()

    def busy(self) -> bool:
        """Whether a request runs or waits."""
        return self._admitted > 0

    @contextlib.contextmanager
    def _place(self):
        with self._lock:
            if self._admitted == self._places:
                raise Refused(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"the server runs or queues {self._places} requests already; "
                    "ask again in a while",
                )
            self._admitted += 1
        try:
            yield
        finally:
            with self._lock:
                self._admitted -= 1

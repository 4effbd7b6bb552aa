"""Bounds on requests."""

import contextlib
import dataclasses
import math
import os
import threading
import time
from collections.abc import Callable, Iterator

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
      message_seconds: that a request may take to arrive.
      idle_seconds: that a connection without requests stays open.
      rest_seconds: that a request over REST, which brings no deadline, may wait and run.
    """

    message_bytes: int = 64 << 20
    batch: int = 128
    concurrent: int = os.cpu_count() or 1
    waiting: int = 32
    message_seconds: float = 60.0
    idle_seconds: float = 300.0
    rest_seconds: float = 30.0


# A pause costs no request more, however long the one before ran.
_LONGEST_PAUSE_S = 2.0


class Admission:
    """Lets `concurrent` requests run at once, makes `waiting` more wait, and refuses the rest.

    Args:
      gives_way: says whether something else needs the machine. Then one request runs at a time,
        and after each there is a pause that takes as long as it took.
    """

    def __init__(
        self, concurrent: int, waiting: int, gives_way: Callable[[], bool] = lambda: False
    ):
        self._gives_way = gives_way
        self._alone = threading.Lock()
        self._pause_ends = 0.0
        self._places = concurrent + waiting
        self._admitted = 0
        self._closed = False
        self._changed = threading.Condition()
        self._turn = threading.Semaphore(concurrent)

    @contextlib.contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Waits at most so long for the caller's turn, which lasts as long as the context.

        Raises:
          Refused: too many wait already (RESOURCE_EXHAUSTED), the time is over
            (DEADLINE_EXCEEDED), or `close` was called (UNAVAILABLE).
        """
        with self.place(), self.run(seconds):
            yield

    @contextlib.contextmanager
    def run(self, seconds: float = math.inf) -> Iterator[None]:
        """`turn` of what has a place already, or none of its own."""
        end = time.monotonic() + min(seconds, threading.TIMEOUT_MAX)
        with _held(self._turn, end):
            if not self._gives_way():
                yield
                return
            with _held(self._alone, end):
                time.sleep(max(0.0, min(end, self._pause_ends) - time.monotonic()))
                began = time.monotonic()
                try:
                    yield
                finally:
                    now = time.monotonic()
                    self._pause_ends = now + min(now - began, _LONGEST_PAUSE_S)

    def close(self, seconds: float) -> bool:
        """Refuses new requests, waits so long for earlier ones; gives whether these are done."""
        with self._changed:
            self._closed = True
            return self._changed.wait_for(lambda: not self._admitted, seconds)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Counts the caller among those that run or wait; Refused: see `turn`."""
        with self._changed:
            if self._closed:
                raise Refused(grpc.StatusCode.UNAVAILABLE, "the server is stopping")
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
            with self._changed:
                self._admitted -= 1
                self._changed.notify_all()


@contextlib.contextmanager
def _held(lock: "threading.Lock | threading.Semaphore", end: float) -> Iterator[None]:
    """Holds a lock within the context; Refused: it was not free before the time `end`."""
    if not lock.acquire(timeout=max(0.0, min(end - time.monotonic(), threading.TIMEOUT_MAX))):
        late = "the deadline passed before the request ran"
        raise Refused(grpc.StatusCode.DEADLINE_EXCEEDED, late)
    try:
        yield
    finally:
        lock.release()

"""Messages on their way in: each has an end, and where many are late, these make way."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

# After so long a message is late.
_LATE_S = 5.0

_LOOK_EVERY_S = 0.5


class Arrivals:
    """Gives up calls whose message does not come: gRPC holds a thread for each, without an end.

    Args:
      seconds: that a message may take.
      places: messages that may be late; of more, those that began first are given up.
    """

    def __init__(self, seconds: float, places: int):
        self._seconds = seconds
        self._places = places
        self._expected: dict[object, tuple[float, Callable[[], None]]] = {}  # the oldest first
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    @contextlib.contextmanager
    def expected(self, cancel: Callable[[], None]) -> Iterator[None]:
        """A message is waited for within the context; `cancel` has to end that."""
        key = object()
        with self._lock:
            self._expected[key] = time.monotonic(), cancel
        try:
            yield
        finally:
            with self._lock:
                self._expected.pop(key, None)

    def watch(self) -> None:
        """Starts a thread that gives up until `stop`."""
        threading.Thread(target=self._watch, name="arrivals", daemon=True).start()

    def stop(self) -> None:
        """Ends `watch`."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(min(_LOOK_EVERY_S, self._seconds / 4)):
            now = time.monotonic()
            # Under the lock: what has arrived meanwhile is not cancelled.
            with self._lock:
                late = [key for key, (began, _) in self._expected.items() if now - began > _LATE_S]
                in_the_way = set(late[: max(0, len(late) - self._places)])
                for key, (began, cancel) in list(self._expected.items()):
                    if key in in_the_way or now - began > self._seconds:
                        del self._expected[key]
                        cancel()

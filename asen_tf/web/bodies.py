"""Bodies of requests on their way in: they have a least rate, and the slowest makes way."""

import contextlib
import time
from collections.abc import Iterator

import anyio
from starlette.requests import ClientDisconnect, Request


class BodyError(Exception):
    """A body that is not taken."""


class TooLarge(BodyError):
    """It has more bytes than it may have."""


class TooSlow(BodyError):
    """It did not arrive in time."""


class BrokeOff(BodyError):
    """It ended before its end."""


class NoPlace(BodyError):
    """As many as may be in memory are."""


class Arrival:
    """One body."""

    def __init__(self):
        self.began = time.monotonic()
        self.scope = anyio.CancelScope()
        self.content = bytearray()

    def rate(self) -> float:
        """Bytes a second; at first it counts as if it had taken a moment."""
        return len(self.content) / max(0.1, time.monotonic() - self.began)


class Bodies:
    """Reads bodies, and knows those that are on their way and how many were read and are used.

    Args:
      most_bytes: of a body.
      at_once: bodies that may be in memory; where more come, the slowest of those on their way is
        given up, and NoPlace is raised where none is on its way.
      seconds: that a body may take to arrive.
      slow_seconds, least_rate: after so many seconds it arrives with so many bytes a second.
    """

    def __init__(
        self,
        most_bytes: int,
        at_once: int,
        seconds: float = 60.0,
        slow_seconds: float = 5.0,
        least_rate: float = 8000.0,
    ):
        self._most_bytes = most_bytes
        self._at_once = at_once
        self._seconds = seconds
        self._slow_seconds = slow_seconds
        self._least_rate = least_rate
        self._arriving: set[Arrival] = set()
        self._used = 0

    @contextlib.asynccontextmanager
    async def read(self, request: Request):
        """The whole body, which counts as in memory within the context; or BodyError."""
        with self._arrival() as arrival:
            body = await self._read(request, arrival)
        self._used += 1
        try:
            yield body
        finally:
            self._used -= 1

    @contextlib.contextmanager
    def _arrival(self) -> Iterator[Arrival]:
        if len(self._arriving) + self._used >= self._at_once:
            if not self._arriving:
                raise NoPlace
            slowest = min(self._arriving, key=Arrival.rate)
            self._arriving.remove(slowest)
            slowest.scope.cancel()
        arrival = Arrival()
        self._arriving.add(arrival)
        try:
            yield arrival
        finally:
            self._arriving.discard(arrival)

    async def _read(self, request: Request, arrival: Arrival) -> bytes:
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._most_bytes:
            raise TooLarge
        stream = request.stream()
        with arrival.scope:
            try:
                while True:
                    arrival.scope.deadline = anyio.current_time() + self._patience(arrival)
                    part = await anext(stream, None)
                    if part is None:
                        return bytes(arrival.content)
                    arrival.content += part
                    if len(arrival.content) > self._most_bytes:
                        raise TooLarge
            except ClientDisconnect as error:
                raise BrokeOff from error
        raise TooSlow

    def _patience(self, arrival: Arrival) -> float:
        """Seconds until the next bytes have to come."""
        passed = time.monotonic() - arrival.began
        allowed = self._slow_seconds + len(arrival.content) / self._least_rate
        return max(0.0, min(allowed, self._seconds) - passed)

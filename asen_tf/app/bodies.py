"""Bodies of requests on their way in: they have a least rate, and the slowest makes way."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request

from asen_tf.app import problems
from asen_tf.app.limits import MEGABYTE, Limits


class Arrival:
    """One body."""

    def __init__(self):
        self.began = time.monotonic()
        self.scope = anyio.CancelScope()
        self.content = bytearray()

    def rate(self) -> float:
        """Bytes a second; at first it counts as if it had taken a moment."""
        return len(self.content) / max(0.1, time.monotonic() - self.began)


class Received(Request):
    """A request whose body was read."""

    def __init__(self, request: Request, body: bytes):
        super().__init__(request.scope, request.receive)
        self._content = body

    async def body(self) -> bytes:
        return self._content

    async def json(self) -> Any:
        return self._value

    def check_json(self) -> None:
        """Reads the body as JSON, once; raises Problem where it is none, or is not said to be."""
        kind = self.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "application/json":
            title = f"Expected a body of Content-Type application/json, got {kind or 'none'}."
            raise problems.Problem(415, "query", title, "Send JSON, and say that it is.")
        self._value = read_json(self._content)


def read_json(body: bytes) -> Any:
    """The value; Problem where there is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        title = f"Expected JSON, got {len(body)} bytes of something else."
        raise problems.Problem(400, "query", title, "Send a JSON object.") from error


class Bodies:
    """Reads bodies, and knows those that are on their way and how many were read and are used.

    Args:
      limits: of the page.
      most_bytes: of a body.
      at_once: bodies that may be in memory; where more come, the slowest of those on their way is
        given up, and Problem tells of `busy` where none is on its way.
      what: names a body in problems.
    """

    def __init__(self, limits: Limits, most_bytes: int, at_once: int, what: str):
        self._limits = limits
        self._most_bytes = most_bytes
        self._at_once = at_once
        self._what = what
        self._arriving: set[Arrival] = set()
        self._used = 0

    @contextlib.asynccontextmanager
    async def read(self, request: Request):
        """The whole body, which counts as in memory within the context.

        Problem: it is too long, too slow, breaks off, or there is no place for it.
        """
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
                raise problems.busy()
            slowest = min(self._arriving, key=Arrival.rate)
            self._arriving.remove(slowest)
            slowest.scope.cancel()
        arrival = Arrival()
        self._arriving.add(arrival)
        try:
            yield arrival
        finally:
            self._arriving.discard(arrival)

    def route(self) -> type[APIRoute]:
        """The class of routes whose bodies are read so: FastAPI would take all that comes."""
        bodies = self

        class Route(APIRoute):
            def get_route_handler(self) -> Callable:
                handle = super().get_route_handler()

                async def handled(request: Request) -> Any:
                    async with bodies.read(request) as body:
                        received = Received(request, body)
                        if self.body_field:
                            received.check_json()
                        return await handle(received)

                return handled

        return Route

    async def _read(self, request: Request, arrival: Arrival) -> bytes:
        limit = f"{self._most_bytes / MEGABYTE:g} MB"
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._most_bytes:
            raise problems.too_large(self._what, limit)
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
                        raise problems.too_large(self._what, limit)
            except ClientDisconnect as error:
                raise problems.broke_off(self._what) from error
        raise problems.too_slow(self._what)

    def _patience(self, arrival: Arrival) -> float:
        """Seconds until the next bytes have to come."""
        passed = time.monotonic() - arrival.began
        allowed = self._limits.slow_seconds + len(arrival.content) / self._limits.least_rate
        return max(0.0, min(allowed, self._limits.seconds) - passed)

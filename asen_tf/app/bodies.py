"""Bodies of requests, and what is told where one is not taken."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request

from asen_tf.app import problems
from asen_tf.app.limits import MEGABYTE, Limits
from asen_tf.web import bodies


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


class Bodies(bodies.Bodies):
    """Reads bodies, within the limits of the page.

    Args:
      limits: of the page.
      most_bytes: of a body.
      at_once: see `asen_tf.web.bodies.Bodies`.
      what: names a body in problems.
    """

    def __init__(self, limits: Limits, most_bytes: int, at_once: int, what: str):
        super().__init__(
            most_bytes, at_once, limits.seconds, limits.slow_seconds, limits.least_rate
        )
        self._problems = {
            bodies.TooLarge: lambda: problems.too_large(what, f"{most_bytes / MEGABYTE:g} MB"),
            bodies.TooSlow: lambda: problems.too_slow(what),
            bodies.BrokeOff: lambda: problems.broke_off(what),
            bodies.NoPlace: problems.busy,
        }

    @contextlib.asynccontextmanager
    async def read(self, request: Request):
        """The whole body, which counts as in memory within the context.

        Problem: it is too long, too slow, breaks off, or there is no place for it.
        """
        try:
            async with super().read(request) as body:
                yield body
        except bodies.BodyError as error:
            raise self._problems[type(error)]() from error

    def route(self) -> type[APIRoute]:
        """The class of routes whose bodies are read so: FastAPI would take all that comes."""
        reading = self

        class Route(APIRoute):
            def get_route_handler(self) -> Callable:
                handle = super().get_route_handler()

                async def handled(request: Request) -> Any:
                    async with reading.read(request) as body:
                        received = Received(request, body)
                        if self.body_field:
                            received.check_json()
                        return await handle(received)

                return handled

        return Route

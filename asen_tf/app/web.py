"""What requests and answers pass through: a limit on their number, and headers."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import anyio
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asen_tf.app import problems

Result = TypeVar("Result")

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Requested anew after an update of the library.
    "Cache-Control": "no-cache",
}


class ConcurrencyLimit:
    """Runs functions in threads.

    Args:
      at_once: how many run at the same time.
      waiting: how many may wait for that.
    """

    def __init__(self, at_once: int, waiting: int):
        self._limiter = anyio.CapacityLimiter(at_once)
        self._most = at_once + waiting
        self._inside = 0

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """Takes a place while it lasts; raises Problem where none is left."""
        if self._inside >= self._most:
            raise problems.busy()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def run(
        self, request: Request, function: Callable[..., Result], *arguments: Any
    ) -> Result:
        """The function's result for a request; Problem: too many wait, or the visitor has left."""
        call = functools.partial(function, *arguments)
        with self.admitted():
            async with self._limiter:
                if await request.is_disconnected():
                    raise problems.broke_off("The request")
                return await anyio.to_thread.run_sync(call, limiter=anyio.CapacityLimiter(1))


class Headers:
    """Adds the headers that an answer does not have itself."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)

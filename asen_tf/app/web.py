"""What requests and answers pass through: a limit on their number, on bodies, and headers."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import anyio
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asen_tf.app import problems
from asen_tf.app.limits import MEGABYTE

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
            title = "Too many searches are under way."
            raise problems.Problem(503, "busy", title, "Try again in a few seconds.")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The function's result; raises Problem where too many wait."""
        with self.admitted():
            call = functools.partial(function, *arguments)
            return await anyio.to_thread.run_sync(call, limiter=self._limiter)


async def read_body(request: Request, most: int, seconds: float, what: str) -> bytes:
    """The whole body of a request, at most so many bytes in so many seconds.

    `what` names it in the Problem that is raised where it is longer, takes longer, or breaks off.
    """
    limit = f"{most / MEGABYTE:g} MB"
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise problems.too_large(what, limit)
    body = bytearray()
    try:
        with anyio.fail_after(seconds):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise problems.too_large(what, limit)
    except TimeoutError as error:
        title = f"{what} took longer than {seconds:g} seconds to arrive."
        raise problems.Problem(408, "too_slow", title, "Try again.") from error
    except ClientDisconnect as error:
        title = f"{what} broke off before its end."
        raise problems.Problem(400, "broke_off", title, "Try again.") from error
    return bytes(body)


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

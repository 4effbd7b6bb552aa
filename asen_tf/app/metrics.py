"""What happens here, as Prometheus wants it."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Of requests that lead to no route, such as static files (by their own paths there would be any
# number of them), and of answers that nobody waited for.
_NONE = "none"


class Metrics:
    """Counts requests and answers, and measures their time; one for each application.

    Args:
      items: how many items the catalogue has.
    """

    def __init__(self, items: Callable[[], int]):
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        of = {"namespace": "asen", "registry": self._registry}
        self._answers = Counter(
            "http_requests", "Requests that were answered.", ("route", "status"), **of
        )
        self._seconds = Histogram(
            "http_request_seconds", "Time from request to answer.", ("route",), **of
        )
        self._under_way = Gauge("http_requests_under_way", "Requests not yet answered.", **of)
        Gauge("catalogue_items", "Items of the catalogue.", **of).set_function(items)

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, its requests counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return await app(scope, receive, send)
            began, status = time.perf_counter(), _NONE

            async def send_and_note(message: Message) -> None:
                nonlocal status
                status = message.get("status", status)
                await send(message)

            try:
                with self._under_way.track_inprogress():
                    await app(scope, receive, send_and_note)
            finally:
                route = getattr(scope.get("route"), "path", _NONE)
                self._answers.labels(route, status).inc()
                self._seconds.labels(route).observe(time.perf_counter() - began)

        return counted

    def answer(self, request: Request) -> Response:
        """All that was counted, in the format that is wanted."""
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), media_type=kind)

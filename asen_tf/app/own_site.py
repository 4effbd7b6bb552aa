"""Refuses what pages of other sites make a visitor's browser request."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from asen_tf.app import problems


class OwnSite:
    """Lets through what the page itself requests, links to it, and programs.

    Browsers say where a request comes from, in `Sec-Fetch-Site` and `Origin`; programs do not, and
    pages of other sites have no power over them.

    Args:
      hosts: names of this page, see `create_app`.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]):
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and self._is_foreign(scope["method"], Headers(scope=scope)):
            title = "This was requested by a page of another site."
            advice = "Use this page itself; a proxy's name belongs to --allowed_hosts."
            app = problems.Problem(403, "other_site", title, advice).response()
        await app(scope, receive, send)

    def _is_foreign(self, method: str, headers: Headers) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in (None, "none", "same-origin"):
            # A link, which shows the page and nothing else.
            return method not in ("GET", "HEAD") or headers.get("sec-fetch-mode") != "navigate"
        return origin is not None and not self._is_own(origin, headers.get("host"))

    def _is_own(self, origin: str, host: str | None) -> bool:
        try:
            parts = urlsplit(origin)
            name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        except ValueError:
            return False
        return name is not None and (
            parts.netloc == host
            or any(
                name == own or (own.startswith("*.") and name.endswith(own[1:]))
                for own in self._hosts
            )
        )

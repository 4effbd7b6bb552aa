"""Refuses requests without the key, where there is one."""

import base64
import binascii
import re
import secrets
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from asen_tf.app import problems

# A browser then has its user type the key as a password, and sends it with all that it requests.
_CHALLENGE = {"WWW-Authenticate": 'Bearer, Basic realm="asen_tf", charset="UTF-8"'}

_KEY = re.compile(r"[!-~]{16,}")


class KeyNeeded:
    """Lets through what brings the key; refuses the rest before its body is read.

    Programs send `Authorization: Bearer KEY`; browsers send it as the password of HTTP Basic, with
    any name.

    Args:
      key: see `checked_key`.
      open_to_all: paths that need none.
    """

    def __init__(self, app: ASGIApp, key: str, open_to_all: Collection[str] = ()):
        self._app = app
        self._key = key.encode()
        self._open = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["path"] not in self._open:
            given = _given(Headers(scope=scope).get("authorization", ""))
            if not secrets.compare_digest(given, self._key):
                title, advice = "The API key is missing or wrong.", "Send it as a Bearer token."
                app = problems.Problem(401, "key", title, advice).response(_CHALLENGE)
        await app(scope, receive, send)


def checked_key(text: str, source: str) -> str:
    """The key that a text holds, blanks around it gone; ValueError says what is wrong with it."""
    key = text.strip()
    if not _KEY.fullmatch(key):
        raise ValueError(
            f"{source}: expected an API key of 16 or more printable ASCII characters without "
            f"blanks, got {len(key)} characters; such as `openssl rand -hex 32` makes"
        )
    return key


def _given(authorization: str) -> bytes:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip().encode("latin-1", "replace")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""

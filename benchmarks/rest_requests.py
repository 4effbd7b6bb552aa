"""Good requests over REST, and kinds of junk, for `load.py`."""

import base64
import contextlib
import http.client
import json
import socket
from collections.abc import Callable

import numpy as np

_TIMEOUT_S = 60.0
_MODEL = "/v1/models/asen"


class Rest:
    """A client of REST.

    Attributes:
      kinds: of junk by name: functions that give what became of a request, such as "400".
    """

    def __init__(self, address: str, attribute: str, images: list[bytes], seed: int):
        self._host, _, port = address.partition(":")
        self._port = int(port)
        self._attribute = attribute
        self._images = images
        self._draw = np.random.default_rng(seed)
        self.kinds: dict[str, Callable[[], str]] = {
            "REST: no photograph": lambda: self._ask(_instance(b"<html>not found</html>")),
            "REST: cut off": lambda: self._ask(self._body()[: self._some(200)]),
            "REST: changed": lambda: self._ask(self._changed()),
            "REST: no base64": lambda: self._ask(self._body().replace(b'"b64": "', b'"b64": "?')),
            "REST: no such signature": lambda: self._ask(_instance(b"", signature_name="hat")),
            "REST: no such attribute": lambda: self._ask(
                _instance(self._image(), signature_name="embed", attribute="hat")
            ),
            "REST: no such version": lambda: self._ask(self._body(), f"{_MODEL}/versions/99"),
            "REST: other types": lambda: self._ask(b'{"instances": [7, [null], {"b64": {}}]}'),
            "REST: deep": lambda: self._ask(b'{"instances": ' + b"[" * 10**5),
            "REST: no HTTP": lambda: self._raw(self._draw.bytes(100)),
            "REST: half a body": lambda: self._raw(self._head(10**6) + b"{", wait=False),
            "REST: too large": lambda: self._raw(self._head(10**10)),
            "REST: gone": lambda: self._raw(
                self._head(len(body := self._body())) + body, wait=False
            ),
        }

    def good(self) -> str:
        """What became of a good request; "200" with an answer to each photograph."""
        if self._draw.random() < 0.5:
            return self._ask(self._body())
        named = {"signature_name": "embed", "attribute": self._attribute}
        return self._ask(_instance(self._image(), **named))

    def _ask(self, body: bytes, path: str = _MODEL) -> str:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request("POST", f"{path}:predict", body)
            answer = connection.getresponse()
            found = json.loads(answer.read())
            if answer.status == 200:
                assert len(found["predictions"]) == 1
            else:
                assert list(found) == ["error"]
            return str(answer.status)

    def _raw(self, content: bytes, wait: bool = True) -> str:
        """Sends bytes; leaves at once where it does not `wait`."""
        place = (self._host, self._port)
        with (
            socket.create_connection(place, _TIMEOUT_S) as connection,
            contextlib.suppress(ConnectionError),
        ):
            connection.sendall(content)
            if not wait:
                return "left"
            line = connection.recv(4096).partition(b"\r\n")[0]
            return line.split(b" ")[1].decode() if line.startswith(b"HTTP/") else "closed"
        return "closed"

    def _body(self) -> bytes:
        return _instance(self._image())

    def _changed(self) -> bytes:
        body = bytearray(self._body())
        for _ in range(self._draw.integers(1, 6)):
            end = len(body) if self._draw.random() < 0.5 else 60
            body[self._some(end)] = self._some(256)
        return bytes(body)

    def _image(self) -> bytes:
        return self._images[self._some(len(self._images))]

    def _some(self, count: int) -> int:
        return int(self._draw.integers(count))

    @staticmethod
    def _head(length: int) -> bytes:
        return (
            f"POST {_MODEL}:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
        ).encode()


def _instance(image: bytes, signature_name: str = "serving_default", **inputs: str) -> bytes:
    row = {"image_bytes": {"b64": base64.b64encode(image).decode()}, **inputs}
    return json.dumps({"signature_name": signature_name, "instances": [row]}).encode()

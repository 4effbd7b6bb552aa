"""What the blocking and the asynchronous client share: settings, the channel's options, reading."""

import json
import os
import time
from pathlib import Path

import grpc

from asen_client.core import addresses
from asen_client.serving import signatures
from asen_client.serving.calls import Answer, Call, Calls, Request, Result, Served
from asen_client.serving.errors import InvalidInputError, ServingError, from_status

MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES = 16 * 1024, 64 * 1024 * 1024
# Codes of a server that is away, or too slow.
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
# gRPC allows no more than four retries of a call.
MAX_RETRIES = 4


class BaseClient:
    """A client of one served model.

    Args:
      address: host:port of TensorFlow Serving or `asen-serve`.
      model: name it is served under.
      version: of the model; None: the newest.
      label: of a version, instead, such as "stable".
      timeout: seconds that a method may take in all, with its retries and batches; None: no end. To
        find out why nothing answers may take a second more.
      retries: how often a request is sent again when the server is away or has its hands full
        (UNAVAILABLE, RESOURCE_EXHAUSTED), 0 to 4; after 0.2, 0.5, 1.25 and 3.1 seconds, give or
        take a fifth. Other errors are not retried.
      batch_size: photographs in a request at most.
      in_flight: requests under way at the same time.
      max_message_bytes: of a request or an answer; batches are made to fit. The server needs the
        same limit.
      tls: encrypt; implied by the three below.
      root_certificates: PEM file of the authorities to trust; None: gRPC's own.
      client_key, client_certificate: PEM files, where the server asks who calls.

    Raises:
      ValueError: no HOST:PORT, a setting out of its range, both version and label, or half of a
        key pair.
      OSError: a PEM file cannot be read.
    """

    def __init__(
        self,
        address: str,
        model: str = signatures.MODEL_NAME,
        version: int | None = None,
        label: str | None = None,
        *,
        timeout: float | None = 60.0,
        retries: int = MAX_RETRIES,
        batch_size: int = 32,
        in_flight: int = 4,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        tls: bool = False,
        root_certificates: str | os.PathLike | None = None,
        client_key: str | os.PathLike | None = None,
        client_certificate: str | os.PathLike | None = None,
    ):
        if version is not None and label is not None:
            raise ValueError(f"give a version or a label, got both: {version} and {label!r}")
        if timeout is not None and not timeout > 0:
            raise ValueError(f"timeout must be seconds above 0, or None for no end, got {timeout}")
        if max_message_bytes < MIN_MESSAGE_BYTES:
            raise ValueError(
                f"max_message_bytes must be {MIN_MESSAGE_BYTES} or more, got {max_message_bytes}"
            )
        if not 0 <= retries <= MAX_RETRIES:
            raise ValueError(f"retries must be 0 to {MAX_RETRIES}, got {retries}")
        if min(batch_size, in_flight) < 1:
            raise ValueError(
                f"batch_size and in_flight must be positive, got {batch_size} and {in_flight}"
            )
        if (client_key is None) != (client_certificate is None):
            raise ValueError("client_key and client_certificate go together, got one of them")
        self._host, self._port = addresses.split(address)
        self.address = address
        self.version = f"{model} at {address}"  # what messages call the model
        named = "" if version is None else f"version {version} of "
        named = named if label is None else f"version labelled {label!r} of "
        self._asked = f"{named}model {model!r} at {address}"
        self._closed = False
        self._timeout = timeout
        self._in_flight = in_flight
        self._calls = Calls(model, version, label, batch_size, max_message_bytes)
        self._options = [
            *_options(retries, max_message_bytes),
            *addresses.channel_options(self._host).items(),
        ]
        self._credentials = None
        if tls or root_certificates is not None or client_key is not None:
            files = root_certificates, client_key, client_certificate
            self._credentials = grpc.ssl_channel_credentials(
                *(None if file is None else Path(file).read_bytes() for file in files)
            )
        self._served: Served | None = None

    def _open(self, api):
        """A channel of grpc or grpc.aio, which offer the same functions."""
        if self._credentials is None:
            return api.insecure_channel(self.address, self._options)
        return api.secure_channel(self.address, self._credentials, self._options)

    @staticmethod
    def _method(channel, request: Request):
        method = request.method
        return channel.unary_unary(
            method.path, method.request.SerializeToString, method.response.FromString
        )

    def _deadline(self) -> float:
        return float("inf") if self._timeout is None else time.monotonic() + self._timeout

    def _error(self, error: grpc.RpcError, request: Request) -> ServingError | InvalidInputError:
        """The exception for a request that failed."""
        code, details = error.code(), error.details()
        if self._closed and code is grpc.StatusCode.CANCELLED:
            return self._ended()
        if code not in _AWAY:
            return from_status(code, details, request.places, self._asked)
        proxy = addresses.through(self._host)
        tls = self._credentials is not None
        reason = None if proxy else addresses.unreachable(self._host, self._port, tls)
        within = "" if self._timeout is None else f" within {self._timeout:g} s"
        said = reason or f"{code.name}: {details or 'no details'}"
        return ServingError(f"no answer from {self.address}{proxy}{within} ({said})", code)

    def _finish(self, call: Call[Result], answers: list[Answer]) -> Result:
        # Another version may know other attributes, in another order.
        served = self._served  # which another thread may change meanwhile
        if served and any(answer.version != served.version for answer in answers):
            self._served = None
        return call.finish(answers)

    def _ended(self) -> ServingError:
        """For a request of a client that was closed."""
        said = f"this client of {self.address} is closed: make another one"
        return ServingError(said, grpc.StatusCode.CANCELLED)


def remaining(deadline: float) -> float | None:
    """Seconds until the deadline as gRPC takes them: None without one, never negative."""
    return None if deadline == float("inf") else max(0.0, deadline - time.monotonic())


def _options(retries: int, max_message_bytes: int) -> list[tuple[str, int | str]]:
    retry = {
        "maxAttempts": 1 + retries,
        "initialBackoff": "0.2s",
        "maxBackoff": "4s",
        "backoffMultiplier": 2.5,
        "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
    }
    methods = [{"name": [{}], "retryPolicy": retry}] if retries else []
    return [
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.service_config", json.dumps({"methodConfig": methods})),
        ("grpc.enable_retries", int(retries > 0)),
        # A request that does not fit in here would not be sent again.
        ("grpc.per_rpc_retry_buffer_size", 2 * max_message_bytes),
        # Otherwise a server that was away for long is not looked for until two minutes later.
        ("grpc.max_reconnect_backoff_ms", 5000),
    ]

"""The routes of TensorFlow Serving's REST API, as an ASGI application."""

import http
import json
import re
import threading
import time
from collections.abc import Callable

import anyio
import grpc
from absl import logging
from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
)

from asen_client.serving import signatures
from asen_tf.serving.server.limits import Limits
from asen_tf.serving.server.metrics import Metrics
from asen_tf.serving.server.models import Models
from asen_tf.serving.server.predict import signature_of
from asen_tf.serving.server.predictions import Predictions
from asen_tf.serving.server.refused import Refused, invalid
from asen_tf.serving.server.rest import json_tensors
from asen_tf.serving.server.services import SIGNATURE_DEF, model_metadata, model_status
from asen_tf.web import bodies

Code = grpc.StatusCode

# Beside those that run or wait: bodies that arrive, or whose answer is on its way.
_SPARE = 16

# Between two looks whether a client is still there.
_LOOK_EVERY_S = 0.1

_MODEL = re.compile(
    r"(?P<name>[^/:]+)(?:/versions/(?P<version>\d{1,18})|/labels/(?P<label>[^/:]+))?"
    r"(?P<what>:\w+|/metadata)?"
)

# As TensorFlow Serving has it.
_STATUSES = {
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.OUT_OF_RANGE: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.CANCELLED: 499,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}

_BODY_FAULTS = {
    bodies.TooLarge: (413, "the body is larger than {limit} bytes"),
    bodies.TooSlow: (408, "the body arrived too slowly"),
    bodies.BrokeOff: (400, "the body broke off before its end"),
    bodies.NoPlace: (429, "the server has as many requests as it takes; ask again in a while"),
}


class _Call:
    """A request of which the client may leave; see `running.Call`."""

    def __init__(self, seconds: float):
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._left = False

    def time_remaining(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def add_callback(self, callback: Callable[[], None]) -> bool:
        with self._lock:
            self._callbacks.append(callback)
            return not self._left

    def leave(self) -> None:
        """The client waits no more."""
        with self._lock:
            self._left, callbacks = True, self._callbacks
        for callback in callbacks:
            callback()


class _Rest:
    def __init__(self, models: Models, limits: Limits, predictions: Predictions, metrics: Metrics):
        self._models = models
        self._limits = limits
        self._predictions = predictions
        self._metrics = metrics
        places = limits.concurrent + limits.waiting + _SPARE
        self._bodies = bodies.Bodies(limits.message_bytes, places, limits.message_seconds)
        self._threads = anyio.CapacityLimiter(places)
        # JSON takes many times its size while it is read.
        self._reading = threading.Semaphore(limits.concurrent)

    async def predict(self, request: Request) -> Response:
        found = _matched(request)
        if found["what"] != ":predict":
            others = "TensorFlow Serving answers :classify and :regress too"
            raise Refused(Code.UNIMPLEMENTED, f"asen-serve answers :predict; {others}")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise HTTPException(415, "expected a body that is not compressed")
        async with self._bodies.read(request) as body, anyio.create_task_group() as group:
            call = _Call(self._limits.rest_seconds)
            group.start_soon(_watch, request, call)
            answer = await anyio.to_thread.run_sync(
                _answered, self._predict, found, body, call, limiter=self._threads
            )
            group.cancel_scope.cancel()
        return answer

    async def get(self, request: Request) -> Response:
        found = _matched(request)
        if found["what"] not in (None, "/metadata"):
            raise HTTPException(405, "expected POST, received GET", {"Allow": "POST"})
        answer = self._metadata if found["what"] else self._status
        return await anyio.to_thread.run_sync(_answered, answer, found, limiter=self._threads)

    async def health(self, request: Request) -> Response:
        serves = self._models.serve()
        return _json({"status": "SERVING" if serves else "NOT_SERVING"}, 200 if serves else 503)

    async def metrics(self, request: Request) -> Response:
        text, kind = self._metrics.text(request.headers.get("accept", ""))
        return Response(text, media_type=kind)

    def _predict(self, found: dict, body: bytes, call: _Call) -> Response:
        spec, by_row = _spec(found), True

        def message(handle):
            nonlocal by_row
            with self._reading:
                value = json_tensors.read(body)
                by_row = json_tensors.is_by_row(value)
                asked = predict_pb2.PredictRequest()
                name = value.get("signature_name") or signatures.SERVING_DEFAULT
                asked.model_spec.signature_name = name
                json_tensors.fill(asked, value, signature_of(handle.servable, name))
                return asked

        response = self._predictions.answer("rest", spec, call, message)
        return Response(json_tensors.answer(response, by_row), media_type="application/json")

    def _status(self, found: dict) -> Response:
        asked = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(found))
        return _json(_dict(model_status(self._models, asked)))

    def _metadata(self, found: dict) -> Response:
        asked = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=_spec(found), metadata_field=[SIGNATURE_DEF]
        )
        answer = model_metadata(self._models, asked)
        signature_defs = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata[SIGNATURE_DEF].Unpack(signature_defs)
        metadata = {SIGNATURE_DEF: _dict(signature_defs)}
        return _json({"model_spec": _dict(answer.model_spec), "metadata": metadata})


def create_app(
    models: Models, limits: Limits, predictions: Predictions, metrics: Metrics
) -> Starlette:
    """The application.

    Args:
      models: of which status and metadata are told.
      limits: on requests.
      predictions: answer them.
      metrics: that are told.
    """
    rest = _Rest(models, limits, predictions, metrics)

    async def body_fault(request: Request, error: bodies.BodyError) -> Response:
        status, message = _BODY_FAULTS[type(error)]
        return _json({"error": message.format(limit=limits.message_bytes)}, status)

    async def refused(request: Request, error: Refused) -> Response:
        return _refusal(error)

    return Starlette(
        routes=[
            Route("/v1/models/{model:path}", rest.get),
            Route("/v1/models/{model:path}", rest.predict, methods=["POST"]),
            Route("/v1/health", rest.health),
            Route("/metrics", rest.metrics),
            # Where TensorFlow Serving's are, see export/monitoring.config.
            Route("/monitoring/prometheus/metrics", rest.metrics),
        ],
        exception_handlers={
            Refused: refused,
            HTTPException: _http,
            bodies.BodyError: body_fault,
        },
    )


async def _watch(request: Request, call: _Call) -> None:
    """Waits until the client leaves, and says so."""
    while not await request.is_disconnected():
        await anyio.sleep(_LOOK_EVERY_S)
    call.leave()


def _answered(answer: Callable[..., Response], *given: object) -> Response:
    """What `answer` gives, or what it is told that there is none."""
    try:
        return answer(*given)
    except Refused as refused:
        return _refusal(refused)
    except Exception as error:
        logging.error("%s: %s: %s", answer.__name__, type(error).__name__, error)
        return _json({"error": "the server failed; its log says why"}, 500)


def _matched(request: Request) -> dict[str, str | None]:
    match = _MODEL.fullmatch(request.path_params["model"])
    if not match:
        raise invalid(f"Malformed request: {request.method} {request.url.path}")
    return match.groupdict()


def _spec(found: dict[str, str | None]) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=found["name"])
    if found["version"]:
        spec.version.value = int(found["version"])
    elif found["label"]:
        spec.version_label = found["label"]
    return spec


def _dict(message: Message) -> dict:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _json(content: object, status: int = 200) -> Response:
    return Response(json.dumps(content).encode(), status, media_type="application/json")


def _refusal(refused: Refused) -> Response:
    return _json({"error": refused.message}, _STATUSES.get(refused.code, 500))


async def _http(request: Request, error: HTTPException) -> Response:
    said = error.detail
    if said == http.HTTPStatus(error.status_code).phrase:  # of Starlette itself
        said = f"Malformed request: {request.method} {request.url.path} ({said})"
    answer = _json({"error": said}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer

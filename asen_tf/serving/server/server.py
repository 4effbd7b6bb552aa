"""A gRPC server with TensorFlow Serving's services, health and reflection, and REST beside it."""

from collections.abc import Callable
from concurrent import futures
from typing import Protocol

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from asen_tf.serving.server.arrivals import Arrivals
from asen_tf.serving.server.batcher import Batcher, Batching
from asen_tf.serving.server.guard import Guard
from asen_tf.serving.server.limits import Admission, Limits
from asen_tf.serving.server.metrics import Metrics
from asen_tf.serving.server.models import Models
from asen_tf.serving.server.predictions import Predictions
from asen_tf.serving.server.running import Alone
from asen_tf.serving.server.services import (
    MODEL_SERVICE,
    PREDICTION_SERVICE,
    ModelService,
    PredictionService,
)

SERVICES = (PREDICTION_SERVICE.full_name, MODEL_SERVICE.full_name)

# Calls beside predictions: status, metadata, health, reflection, refusals, and requests that are
# still arriving, which have half of these.
_SPARE_THREADS = 64

# For answers that are ready to reach their clients when the server stops; streams that stay open,
# such as those that watch its health, end then.
_LAST_ANSWERS_SECONDS = 5.0

# A client that takes no answer, or whose machine is gone, loses its connection.
_CONNECTION_OPTIONS = {
    "grpc.keepalive_time_ms": 60_000,
    "grpc.http2.ping_timeout_ms": 20_000,
    "grpc.max_connection_age_ms": 3_600_000,
    "grpc.max_connection_age_grace_ms": 60_000,
    # Two servers at one port would each get half of the requests.
    "grpc.so_reuseport": 0,
}
_HANDSHAKE_SECONDS = 10.0

_Health = health_pb2.HealthCheckResponse


class Beside(Protocol):
    """A server of another protocol."""

    def start(self) -> None:
        """Answers."""

    def stop(self, seconds: float) -> None:
        """Ends, answers that are ready reach their clients within so many seconds."""


class Server:
    """Answers for `models` from `start` to `stop`.

    Health, under the services' names and "", is SERVING while each model has a version.

    Args:
      models: what answers; `look` was called once.
      limits: on requests.
      host: the address to listen at; "0.0.0.0" is all of IPv4.
      port: 0 takes a free one.
      credentials: for TLS; None: plain text.
      batching: computes requests of several clients together; None: each by itself.
      beside: makes a server of another protocol, such as `rest.RestServer`, that stops with this.

    Attributes:
      port: the one in use.
      beside: that server, None without one.

    Raises:
      OSError: the server cannot listen there, or the credentials are broken.
    """

    def __init__(
        self,
        models: Models,
        limits: Limits,
        host: str = "0.0.0.0",
        port: int = 8500,
        credentials: grpc.ServerCredentials | None = None,
        batching: Batching | None = None,
        beside: Callable[[Models, Limits, Predictions, Metrics], Beside] | None = None,
    ):
        self._models = models
        self._health = health.HealthServicer()
        self._serving: bool | None = None
        threads = limits.concurrent + limits.waiting + _SPARE_THREADS
        self._arrivals = Arrivals(limits.message_seconds, _SPARE_THREADS // 2)
        self._grpc = grpc.server(
            futures.ThreadPoolExecutor(threads, "grpc"),
            options=[*_options(limits).items()],
            interceptors=[Guard(self._arrivals)],
            maximum_concurrent_rpcs=threads,
        )
        self._admission = Admission(limits.concurrent, limits.waiting, models.is_loading)
        metrics = Metrics(models)
        self._batcher = None
        if batching:
            self._batcher = Batcher(batching, self._admission, limits.concurrent, metrics)
        runner = self._batcher or Alone(self._admission)
        predictions = Predictions(models, limits, runner, metrics)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(models, predictions), self._grpc
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), self._grpc)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        reflection.enable_server_reflection(
            (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._grpc
        )
        self.port = self._listen(f"{host}:{port}", credentials)
        self.beside = beside(models, limits, predictions, metrics) if beside else None

    def start(self, poll_seconds: float) -> None:
        """Answers, and looks for new versions every so many seconds."""
        self._tell_health()
        self._grpc.start()
        if self.beside:
            self.beside.start()
        self._arrivals.watch()
        self._models.watch(poll_seconds, self._tell_health)

    def stop(self, grace_seconds: float) -> bool:
        """Refuses new requests, lets those that came end within the grace, and cancels the rest.

        Returns:
          Whether none was cancelled. TensorFlow cannot be interrupted: those run on.
        """
        self._health.enter_graceful_shutdown()
        self._models.stop()
        # gRPC's own grace would cancel requests that are just arriving, and wait for streams.
        done = self._admission.close(grace_seconds)
        last = _LAST_ANSWERS_SECONDS if done else 0
        stopped = self._grpc.stop(last)
        if self.beside:
            self.beside.stop(last)
        stopped.wait()
        self._arrivals.stop()
        if self._batcher:
            self._batcher.stop()
        return done

    def _listen(self, address: str, credentials: grpc.ServerCredentials | None) -> int:
        try:
            if credentials:
                return self._grpc.add_secure_port(address, credentials)
            return self._grpc.add_insecure_port(address)
        except RuntimeError as error:
            pair = ", or certificate and key do not belong together" if credentials else ""
            raise OSError(
                f"cannot listen at {address}: the port is in use or not permitted{pair}"
            ) from error

    def _tell_health(self) -> None:
        serving = self._models.serve()
        if serving == self._serving:
            return
        self._serving = serving
        for name in (health.OVERALL_HEALTH, *SERVICES):
            self._health.set(name, _Health.SERVING if serving else _Health.NOT_SERVING)


def _options(limits: Limits) -> dict[str, int]:
    return {
        **_CONNECTION_OPTIONS,
        "grpc.max_receive_message_length": limits.message_bytes,
        "grpc.max_send_message_length": limits.message_bytes,
        "grpc.max_connection_idle_ms": round(1000 * limits.idle_seconds),
        "grpc.server_handshake_timeout_ms": round(
            1000 * min(_HANDSHAKE_SECONDS, limits.idle_seconds)
        ),
    }

"""A gRPC server with TensorFlow Serving's services, health and reflection."""

from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from asen_tf.serving.server.arrivals import Arrivals
from asen_tf.serving.server.guard import Guard
from asen_tf.serving.server.limits import Admission, Limits
from asen_tf.serving.server.models import Models
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


class Server:
    """Answers for `models` from `start` to `stop`.

    Health, under the services' names and "", is SERVING while each model has a version.

    Args:
      models: what answers; `look` was called once.
      limits: on requests.
      host: the address to listen at; "0.0.0.0" is all of IPv4.
      port: 0 takes a free one.
      credentials: for TLS; None: plain text.

    Attributes:
      port: the one in use.

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
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(models, limits, self._admission), self._grpc
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), self._grpc)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        reflection.enable_server_reflection(
            (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._grpc
        )
        self.port = self._listen(f"{host}:{port}", credentials)

    def start(self, poll_seconds: float) -> None:
        """Answers, and looks for new versions every so many seconds."""
        self._tell_health()
        self._grpc.start()
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
        self._grpc.stop(_LAST_ANSWERS_SECONDS if done else 0).wait()
        self._arrivals.stop()
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

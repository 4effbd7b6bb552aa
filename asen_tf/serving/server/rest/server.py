"""A server of HTTP in a thread of its own."""

import socket
import ssl
import threading

import uvicorn

from asen_tf.serving.server.limits import Limits
from asen_tf.serving.server.metrics import Metrics
from asen_tf.serving.server.models import Models
from asen_tf.serving.server.predictions import Predictions
from asen_tf.serving.server.rest.application import create_app
from asen_tf.web.connections import Protocol

_CONNECTIONS = 512


class RestServer:
    """Answers over REST from `start` to `stop`.

    Args:
      models, limits, predictions, metrics: see `create_app`.
      host: the address to listen at.
      port: 0 takes a free one.
      certificate, key, client_ca: files for TLS, see `asen_tf.serving.server.tls.credentials`.

    Attributes:
      port: the one in use.

    Raises:
      OSError: the server cannot listen there, or the certificates are broken.
    """

    def __init__(
        self,
        models: Models,
        limits: Limits,
        predictions: Predictions,
        metrics: Metrics,
        *,
        host: str = "0.0.0.0",
        port: int = 8501,
        certificate: str = "",
        key: str = "",
        client_ca: str = "",
    ):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host.strip("[]"), port), family=family)
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            create_app(models, limits, predictions, metrics),
            log_level="warning",
            access_log=False,
            http=Protocol,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            ssl_certfile=certificate or None,
            ssl_keyfile=key or None,
            ssl_ca_certs=client_ca or None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if client_ca else ssl.CERT_NONE,
        )
        config.load()  # here, where broken certificates are told
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="rest", daemon=True
        )

    def start(self) -> None:
        """Answers."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Ends; answers that are ready reach their clients within so many seconds."""
        self._server.config.timeout_graceful_shutdown = max(1, round(seconds))
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

"""What happens in the server, as Prometheus wants it."""

import contextlib
import time
from collections.abc import Iterable, Iterator

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from asen_tf.serving.server.models import Models
from asen_tf.serving.server.refused import Refused
from asen_tf.serving.server.versions import AVAILABLE

# Clients may send any name: there would be any number of time series.
_UNKNOWN = "unknown"

_LABELS = ("model", "protocol")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counts requests and measures their time; one for each server.

    Args:
      models: which there are.
    """

    def __init__(self, models: Models):
        self._models = models
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Versions(models))
        of = {"namespace": "asen_serve", "registry": self._registry}
        self._answers = Counter(
            "requests", "Predict requests by the code they ended with.", (*_LABELS, "code"), **of
        )
        self._seconds = Histogram(
            "request_seconds",
            "Time from a Predict request to its answer.",
            _LABELS,
            buckets=_SECONDS,
            **of,
        )
        self._under_way = Gauge("requests_under_way", "Predict requests that run or wait.", **of)
        self._rows = Histogram(
            "batch_rows", "Rows that were computed together.", buckets=_ROWS, **of
        )

    @contextlib.contextmanager
    def request(self, protocol: str, model: str) -> Iterator[None]:
        """A request is answered within the context, over a protocol, by the model of this name."""
        labels = (model if self._models.get(model) else _UNKNOWN, protocol)
        began, code = time.perf_counter(), grpc.StatusCode.INTERNAL
        try:
            with self._under_way.track_inprogress():
                yield
            code = grpc.StatusCode.OK
        except Refused as refused:
            code = refused.code
            raise
        finally:
            self._answers.labels(*labels, code.name).inc()
            self._seconds.labels(*labels).observe(time.perf_counter() - began)

    def batch(self, rows: int) -> None:
        """So many rows were computed together."""
        self._rows.observe(rows)

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """All that was counted, in the format that an Accept header wants; its media type."""
        encode, kind = choose_encoder(accept)
        return encode(self._registry), kind


class _Versions(Collector):
    """Which versions are available, at the moment of the question."""

    def __init__(self, models: Models):
        self._models = models

    def collect(self) -> Iterable[Metric]:
        found = GaugeMetricFamily(
            "asen_serve_version_available",
            "1 while the version answers, 0 when it is loaded, was unloaded or failed.",
            labels=("model", "version"),
        )
        for name in self._models.names():
            for status in self._models.get(name).status():
                found.add_metric((name, str(status.version)), float(status.state == AVAILABLE))
        yield found

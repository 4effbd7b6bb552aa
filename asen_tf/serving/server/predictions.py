"""Answers requests of every protocol, under the same bounds and the same counts."""

from collections.abc import Callable

from tensorflow_serving.apis import model_pb2, predict_pb2

from asen_tf.serving.server.limits import Limits
from asen_tf.serving.server.metrics import Metrics
from asen_tf.serving.server.models import Models
from asen_tf.serving.server.predict import predict
from asen_tf.serving.server.running import Call, Runner
from asen_tf.serving.server.versions import Handle


class Predictions:
    """Answers PredictRequests.

    Args:
      models: what answers.
      limits: on a request.
      runner: runs them.
      metrics: count them.
    """

    def __init__(self, models: Models, limits: Limits, runner: Runner, metrics: Metrics):
        self._models = models
        self._limits = limits
        self._runner = runner
        self._metrics = metrics

    def answer(
        self,
        protocol: str,
        spec: model_pb2.ModelSpec,
        call: Call,
        request: Callable[[Handle], predict_pb2.PredictRequest],
    ) -> predict_pb2.PredictResponse:
        """The answer of the version that `spec` names.

        Args:
          protocol: for the metrics.
          spec: of the model.
          call: of the client.
          request: gives what that version is asked; may raise Refused.

        Raises:
          Refused: see `Models.use`, `Runner` and `predict`.
        """
        with (
            self._metrics.request(protocol, spec.name),
            self._runner.admitted(call),
            self._models.use(spec) as handle,
        ):
            run = self._runner.of(handle.servable, call)
            response = predict(handle.servable, request(handle), self._limits, run)
            response.model_spec.name = spec.name
            response.model_spec.version.value = handle.version
            return response

"""The gRPC services of TensorFlow Serving, on top of functions that know no gRPC context."""

import contextlib

import grpc
from tensorflow_serving.apis import (
    model_service_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
)

from asen_tf.serving.server.limits import Admission, Limits
from asen_tf.serving.server.metadata import get_model_metadata
from asen_tf.serving.server.models import Models
from asen_tf.serving.server.predict import predict
from asen_tf.serving.server.refused import Refused, invalid
from asen_tf.serving.server.status import get_model_status

PREDICTION_SERVICE = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"]
MODEL_SERVICE = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"]


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata.

    Args:
      models: what answers.
      limits: on a request.
      admission: on predictions at the same time.
    """

    def __init__(self, models: Models, limits: Limits, admission: Admission):
        self._models = models
        self._limits = limits
        self._admission = admission

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        with _refusals(context), self._admission.turn(context.time_remaining()):
            if not context.is_active():
                # Nobody waits for the answer any more.
                raise Refused(grpc.StatusCode.CANCELLED, "the client went away")
            if not request.HasField("model_spec"):
                raise invalid("Missing ModelSpec")
            with self._models.use(request.model_spec) as handle:
                response = predict(handle.servable, request, self._limits)
                response.model_spec.name = request.model_spec.name
                response.model_spec.version.value = handle.version
                return response

    def GetModelMetadata(self, request, context):
        with _refusals(context):
            return get_model_metadata(self._models, request)

    def Classify(self, request, context):
        _unimplemented(context)

    def Regress(self, request, context):
        _unimplemented(context)

    def MultiInference(self, request, context):
        _unimplemented(context)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus.

    Args:
      models: whose status.
    """

    def __init__(self, models: Models):
        self._models = models

    def GetModelStatus(self, request, context):
        with _refusals(context):
            return get_model_status(self._models, request)

    def HandleReloadConfigRequest(self, request, context):
        _unimplemented(context)


@contextlib.contextmanager
def _refusals(context: grpc.ServicerContext):
    try:
        yield
    except Refused as refused:
        context.abort(refused.code, refused.message)


def _unimplemented(context: grpc.ServicerContext):
    context.abort(
        grpc.StatusCode.UNIMPLEMENTED,
        "asen-serve answers Predict, GetModelMetadata and GetModelStatus; "
        "TensorFlow Serving answers this too",
    )

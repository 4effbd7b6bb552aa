"""The gRPC services of TensorFlow Serving."""

import contextlib

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
)

from asen_tf.serving.server.models import Models
from asen_tf.serving.server.predictions import Predictions
from asen_tf.serving.server.refused import Refused, invalid
from asen_tf.serving.server.versions import Status

PREDICTION_SERVICE = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"]
MODEL_SERVICE = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"]
SIGNATURE_DEF = "signature_def"


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata."""

    def __init__(self, models: Models, predictions: Predictions):
        self._models = models
        self._predictions = predictions

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        with _refusals(context):
            check_named(request)
            return self._predictions.answer("grpc", request.model_spec, context, lambda _: request)

    def GetModelMetadata(self, request, context):
        with _refusals(context):
            return model_metadata(self._models, request)

    def Classify(self, request, context):
        _unimplemented(context)

    def Regress(self, request, context):
        _unimplemented(context)

    def MultiInference(self, request, context):
        _unimplemented(context)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus."""

    def __init__(self, models: Models):
        self._models = models

    def GetModelStatus(self, request, context):
        with _refusals(context):
            return model_status(self._models, request)

    def HandleReloadConfigRequest(self, request, context):
        _unimplemented(context)


def model_metadata(
    models: Models, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """What the signatures of a version take and give."""
    check_named(request)
    if not request.metadata_field:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != SIGNATURE_DEF:
            raise invalid(f"Metadata field {field} is not supported")
    with models.use(request.model_spec) as handle:
        found = get_model_metadata_pb2.SignatureDefMap(signature_def=handle.servable.signature_defs)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = handle.version
        response.metadata[SIGNATURE_DEF].Pack(found)
        return response


def model_status(
    models: Models, request: get_model_status_pb2.GetModelStatusRequest
) -> get_model_status_pb2.GetModelStatusResponse:
    """States of all versions of a model, or of the requested one. Labels are not looked at."""
    check_named(request)
    spec = request.model_spec
    versions = models.get(spec.name)
    found = versions.status() if versions else []
    wanted = f"any versions of model {spec.name}"
    if spec.HasField("version"):
        found = [one for one in found if one.version == spec.version.value]
        wanted = f"version {spec.version.value} of model {spec.name}"
    if not found:
        raise Refused(grpc.StatusCode.NOT_FOUND, f"Could not find {wanted}")
    response = get_model_status_pb2.GetModelStatusResponse()
    response.model_version_status.extend(map(_state, found))
    return response


def _state(status: Status) -> get_model_status_pb2.ModelVersionStatus:
    message = get_model_status_pb2.ModelVersionStatus(version=status.version, state=status.state)
    message.status.error_code = status.error.code.value[0] if status.error else 0
    message.status.error_message = status.error.message if status.error else ""
    return message


def check_named(request) -> None:
    """Refused: a request names no model (INVALID_ARGUMENT)."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")


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

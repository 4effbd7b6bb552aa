"""Answers a GetModelStatusRequest."""

import grpc
from tensorflow_serving.apis import get_model_status_pb2

from asen_tf.serving.server.models import Models
from asen_tf.serving.server.refused import Refused, invalid
from asen_tf.serving.server.versions import Status


def get_model_status(
    models: Models, request: get_model_status_pb2.GetModelStatusRequest
) -> get_model_status_pb2.GetModelStatusResponse:
    """States of all versions of a model, or of the one asked for. Labels are not looked at.

    Raises:
      Refused: no such model or version (NOT_FOUND).
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    versions = models.get(spec.name)
    found = versions.status() if versions else []
    asked = f"any versions of model {spec.name}"
    if spec.HasField("version"):
        found = [status for status in found if status.version == spec.version.value]
        asked = f"version {spec.version.value} of model {spec.name}"
    if not found:
        raise Refused(grpc.StatusCode.NOT_FOUND, f"Could not find {asked}")
    response = get_model_status_pb2.GetModelStatusResponse()
    response.model_version_status.extend(map(_message, found))
    return response


def _message(status: Status) -> get_model_status_pb2.ModelVersionStatus:
    message = get_model_status_pb2.ModelVersionStatus(version=status.version, state=status.state)
    message.status.error_code = status.error.code.value[0] if status.error else 0
    message.status.error_message = status.error.message if status.error else ""
    return message

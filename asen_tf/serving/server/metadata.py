"""Answers a GetModelMetadataRequest."""

from tensorflow_serving.apis import get_model_metadata_pb2

from asen_tf.serving.server.models import Models
from asen_tf.serving.server.refused import invalid

SIGNATURE_DEF = "signature_def"


def get_model_metadata(
    models: Models, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """What the signatures of a version take and give.

    Raises:
      Refused: no such model or version (NOT_FOUND); no metadata asked for, or other than
        `signature_def` (INVALID_ARGUMENT).
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
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

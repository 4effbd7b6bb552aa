"""A model as an ONNX file."""

import logging
from pathlib import Path

import onnx
import tf2onnx

from asen_client.core.errors import Failed
from asen_client.serving.signatures import Metadata
from asen_client.version import __version__
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving.export.one_file import Answers
from asen_tf.serving.files.onnx import METADATA_KEY

# The newest that tf2onnx writes; ONNX Runtime has read it since 1.14.
_OPSET = 18


def write(
    answers: Answers, model: EmbeddingModel, metadata: Metadata, path: Path, quantize: str | None
) -> None:
    """See `asen_tf.serving.export.one_file.Writer`."""
    function = answers(None)
    log = logging.getLogger("tf2onnx")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what it cannot convert, the checker says
    try:
        made, _ = tf2onnx.convert.from_function(function, function.input_signature, opset=_OPSET)
        onnx.checker.check_model(made)
    except (NotImplementedError, ValueError, onnx.checker.ValidationError) as error:
        reason = str(error).partition("\n")[0]
        raise Failed(f"format=onnx has no way to do what this model does: {reason}") from error
    finally:
        log.setLevel(level)
    made.producer_name, made.producer_version = "asen_tf", __version__
    made.metadata_props.add(key=METADATA_KEY, value=metadata.to_json())
    for value in (*made.graph.input, *made.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    path.write_bytes(made.SerializeToString())

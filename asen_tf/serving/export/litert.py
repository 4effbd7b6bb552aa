"""A model as a LiteRT file, which TensorFlow Lite reads as well."""

import hashlib
import zipfile
from pathlib import Path

import tensorflow as tf

from asen_client.core.errors import Failed
from asen_client.serving.signatures import Metadata
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving.export.one_file import Answers
from asen_tf.serving.files.litert import DIGEST_FILE, METADATA_FILE


def write(
    answers: Answers, model: EmbeddingModel, metadata: Metadata, path: Path, quantize: str | None
) -> None:
    """See `asen_tf.serving.export.one_file.Writer`; the file takes one image at a time."""
    variables = tf.Module()  # the converter does not find those of a Keras model
    variables.all = [variable.value for variable in model.variables]
    function = answers(1).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], variables)
    if quantize:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    try:
        made = converter.convert()
    except Exception as error:  # of the converter, of types of its own
        reason = str(error).partition("\n")[0]
        raise Failed(f"format=litert has no way to do what this model does: {reason}") from error
    path.write_bytes(made)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(DIGEST_FILE, hashlib.sha256(made).hexdigest())
        archive.writestr(METADATA_FILE, metadata.to_json())

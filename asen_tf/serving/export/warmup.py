"""Requests that TensorFlow Serving sends to a model before it serves it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from asen_client.serving import signatures as names
from asen_tf.serving.export.signature import Request


def write_warmup(
    folder: str | os.PathLike, requests: Mapping[str, Request], outputs: Mapping[str, Sequence[str]]
) -> None:
    """Writes a request for each signature beside the SavedModel in a folder.

    `requests`: signature -> what to send; `outputs`: signature -> the names of its outputs.
    """
    path = Path(folder) / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, inputs in requests.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name = names.MODEL_NAME
            request.model_spec.signature_name = signature
            for name, array in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            if not inputs:
                # Without rows, so that a server that batches refuses it, and then to start. A
                # request for some of the outputs passes the batcher by.
                request.output_filter.append(outputs[signature][0])
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            file.write(log.SerializeToString())

"""Replays the requests that a SavedModel brings along, before it is served."""

import dataclasses
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from asen_tf.serving.loaded import LoadedModel
from asen_tf.serving.server.limits import Limits
from asen_tf.serving.server.predict import predict

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"


def warm_up(servable: LoadedModel, folder: Path, limits: Limits) -> int:
    """Sends the recorded requests; their rows are not bounded.

    Returns:
      How many there were.

    Raises:
      Refused: a request cannot be answered.
      ValueError: a record is no PredictRequest.
      tf.errors.DataLossError: the file is damaged.
    """
    path = folder / WARMUP_FILE
    if not path.exists():
        return 0
    unbounded = dataclasses.replace(limits, batch=2**63)
    count = 0
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        if log.WhichOneof("log_type") != "predict_log":
            raise ValueError(f"{path}: record {count} is no PredictRequest")
        predict(servable, log.predict_log.request, unbounded)
        count += 1
    return count

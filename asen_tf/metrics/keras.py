"""Retrieval metrics as Keras metrics, for `compile` and `fit`."""

import keras
from keras import ops


class _MeanOfValues(keras.metrics.MeanMetricWrapper):
    """Running mean of the values of one function; higher is better."""

    def __init__(self, fn, name: str, dtype=None):
        super().__init__(fn, name=name, dtype=dtype)
        self._direction = "up"  # lets callbacks with mode="auto" know which way is better

    def get_config(self) -> dict:
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="asen_tf")
class TripletAccuracy(_MeanOfValues):
    """Share of triplets whose positive is more similar to the anchor than the negative is.

    `update_state(y_true, y_pred, sample_weight=None)` takes y_pred [3 B, D] or [3 B, M, D], rows
    of anchor, positive and negative in turn as in the library's batches, and ignores y_true.
    Similarity is the cosine. A tie counts as wrong, so that embeddings that have all become equal
    score 0. sample_weight is [B], or [B, M].
    """

    def __init__(self, name: str = "triplet_accuracy", dtype=None):
        super().__init__(_ranked_right, name=name, dtype=dtype)


@keras.saving.register_keras_serializable(package="asen_tf")
class MeanAveragePrecision(_MeanOfValues):
    """Mean over all queries seen of the average precision over the whole list.

    `update_state(y_true, y_pred, sample_weight=None)` takes relevance y_true [Q, N] of 0 and 1 and
    scores y_pred [Q, N]; sample_weight is [Q]. Equal scores keep the order of the candidates;
    queries without a relevant candidate count 0.
    """

    def __init__(self, name: str = "mean_average_precision", dtype=None):
        super().__init__(_average_precision, name=name, dtype=dtype)


def _ranked_right(y_true, y_pred):
    y_pred = ops.convert_to_tensor(y_pred)
    rows = y_pred.shape[0]
    if len(y_pred.shape) not in (2, 3) or (rows is not None and rows % 3):
        raise ValueError(
            "y_pred must be [3 B, D] or [3 B, M, D]: the embeddings of anchor, positive and "
            f"negative in turn; got shape {tuple(y_pred.shape)}"
        )
    unit = ops.normalize(ops.cast(y_pred, "float32"), axis=-1)
    anchor, positive, negative = (unit[role::3] for role in range(3))
    return ops.sum(anchor * positive, axis=-1) > ops.sum(anchor * negative, axis=-1)


def _average_precision(y_true, y_pred):
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_pred.shape) != 2 or len(y_true.shape) != 2:
        raise ValueError(
            "y_true and y_pred must both be [queries, candidates], "
            f"got {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    # top_k, unlike argsort, promises that equal scores keep their order
    _, order = ops.top_k(y_pred, ops.shape(y_pred)[-1])
    ranked = ops.cast(ops.take_along_axis(y_true, order, axis=-1), "float32")
    ranks = ops.cast(ops.arange(1, ops.shape(y_pred)[-1] + 1), "float32")
    precision = ops.cumsum(ranked, axis=-1) / ranks
    relevant = ops.sum(ranked, axis=-1)
    return ops.sum(precision * ranked, axis=-1) / ops.maximum(relevant, 1.0)

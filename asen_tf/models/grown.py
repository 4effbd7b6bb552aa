"""A model that knows more attributes than another, and is the same for all that both know."""

import keras
import numpy as np

from asen_tf.models.base import EmbeddingModel


def check_grows(model: EmbeddingModel) -> None:
    """Raises NotImplementedError unless an attribute can be added to the model by rows."""
    if not model.attribute_tables:
        raise NotImplementedError(
            f"{type(model).__name__} has no table with a row for each attribute, as asen, "
            "asen_aaai2020 and csn with learned masks have: train it again with all attributes"
        )


def grown(model: EmbeddingModel, count: int = 1) -> EmbeddingModel:
    """A model of the same weights with so many attributes more, behind those that it knows.

    Rows of the new ones are the mean of the others; where an attribute has a `beta` of its own,
    theirs is the mean, too. Classifiers of values are not taken over.

    Args:
      model: one with `attribute_tables`.
      count: of new attributes.

    Raises:
      NotImplementedError: it has no such tables.
    """
    check_grows(model)
    settings = {**model.get_config(), "attributes": model.attributes + count}
    if np.ndim(model.beta):
        settings["beta"] = (*model.beta, *[float(np.mean(model.beta))] * count)
    twin = type(model).from_config(settings)
    tables = {id(table) for table in model.attribute_tables}
    for own, theirs in zip(twin.weights, model.weights, strict=True):
        values = np.asarray(theirs)
        if id(theirs) in tables:
            values = with_rows(values, np.repeat(values.mean(0, keepdims=True), count, 0))
        own.assign(values)
    return twin


def with_rows(table: keras.Variable | np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A table with more rows behind its own, float32."""
    return np.concatenate([np.asarray(table), np.asarray(rows, np.float32)])

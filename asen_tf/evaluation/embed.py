"""The function that an `Evaluator` takes, made of a model."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from asen_tf.data.feature_cache import FeatureLoader
from asen_tf.data.image_cache import ImageLoader
from asen_tf.evaluation.changes import ChangeFn
from asen_tf.evaluation.localization import ExplainFn
from asen_tf.evaluation.pairs import EmbedFn
from asen_tf.evaluation.recognition import PredictFn
from asen_tf.images.geometry import cell_centres
from asen_tf.models.base import EmbeddingModel
from asen_tf.tracing import traced


def image_fn(load_images: ImageLoader) -> Callable[[np.ndarray], np.ndarray]:
    """Images for an `Evaluator`: rows int64 [B] -> uint8 [B, S, S, 3], decoded side by side."""
    run = traced(load_images, reduce_retracing=True)
    return lambda rows: run(tf.constant(rows)).numpy()


def embed_fn(model: EmbeddingModel, slices: Sequence[str] | None = None) -> EmbedFn:
    """(images uint8 [B, S, S, 3], attributes int32 [B, M]) -> float32 [B, M, D], unit vectors.

    The vectors consist of these slices, see `EmbeddingModel.embed`.
    """
    run = traced(lambda images, attributes: model.embed(images, attributes, slices))
    return lambda images, attributes: run(tf.constant(images), tf.constant(attributes)).numpy()


def embed_rows_fn(
    model: EmbeddingModel, features: FeatureLoader, slices: Sequence[str] | None = None
) -> EmbedFn:
    """`embed_fn` of rows, int64 [B], in place of their images, by the features that are kept."""
    run = traced(
        lambda rows, attributes: model.embed(features(rows, attributes), attributes, slices)
    )
    return lambda rows, attributes: run(tf.constant(rows), tf.constant(attributes)).numpy()


def change_fn(model: EmbeddingModel) -> ChangeFn | None:
    """How a model changes its embeddings, see `EmbeddingModel.change`; None where it does not."""
    if not model.manipulates:
        return None
    vectors, ids = tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None, None), tf.int32)
    run = traced(model.change, input_signature=[vectors, ids, ids])

    def change(vectors, attributes, values):
        ids = (tf.constant(numbers, tf.int32) for numbers in (attributes, values))
        return run(tf.constant(vectors), *ids).numpy()

    return change


def predict_fn(model: EmbeddingModel) -> PredictFn | None:
    """Probabilities, see `EmbeddingModel.value_probabilities`; None where it does not predict."""
    if not model.predicts:
        return None
    run = traced(
        lambda images, attributes: model.value_probabilities(images, attributes),
        reduce_retracing=True,
    )
    return lambda images, ids: run(tf.constant(images), tf.constant(ids, tf.int32)).numpy()


def explain_fn(model: EmbeddingModel) -> ExplainFn:
    """(images, attributes) -> peaks [B, M, 2] and regions [B, M, 4], as parts of the side."""
    run = traced(lambda images, attributes: model.explain(images, attributes))

    def explain(images, attributes):
        attention, boxes = run(tf.constant(images), tf.constant(attributes))
        return peaks(attention.numpy()), boxes.numpy()

    return explain


def peaks(attention: np.ndarray) -> np.ndarray:
    """The middle of the strongest cell: [..., h, w] -> [..., 2] (x, y), as parts of the side."""
    *batch, height, width = attention.shape
    strongest = attention.reshape(*batch, height * width).argmax(-1)
    x, y = cell_centres(width)[strongest % width], cell_centres(height)[strongest // width]
    return np.stack([x, y], -1)

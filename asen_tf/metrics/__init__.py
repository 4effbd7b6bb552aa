"""NumPy metrics of retrieval and localisation; Keras ones are in `asen_tf.metrics.keras`."""

from asen_tf.metrics.localization import box_iou, pointing_hit
from asen_tf.metrics.retrieval import (
    average_precision,
    expected_average_precision,
    expected_top_k_accuracy,
    mean_average_precision,
    ndcg_at_k,
    precision_at_k,
    ranked_relevance,
    recall_at_k,
    top_k_accuracy,
    triplet_accuracy,
)

__all__ = [
    "average_precision",
    "box_iou",
    "expected_average_precision",
    "expected_top_k_accuracy",
    "mean_average_precision",
    "ndcg_at_k",
    "pointing_hit",
    "precision_at_k",
    "ranked_relevance",
    "recall_at_k",
    "top_k_accuracy",
    "triplet_accuracy",
]

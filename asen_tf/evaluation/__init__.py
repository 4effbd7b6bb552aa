"""Evaluation of anything that embeds or explains (image, attribute) pairs: takes functions."""

from asen_tf.evaluation.beta import choose_betas
from asen_tf.evaluation.evaluator import Evaluator
from asen_tf.evaluation.localization import evaluate_localization
from asen_tf.evaluation.manipulation import evaluate_manipulation, random_manipulation
from asen_tf.evaluation.prototypes import value_means
from asen_tf.evaluation.random_order import evaluate_random
from asen_tf.evaluation.recognition import evaluate_recognition
from asen_tf.evaluation.report import (
    localization_table,
    manipulation_table,
    recognition_table,
    save,
    to_table,
    triplets_table,
)
from asen_tf.evaluation.triplets import evaluate_triplets

__all__ = [
    "Evaluator",
    "choose_betas",
    "evaluate_localization",
    "evaluate_manipulation",
    "evaluate_random",
    "evaluate_recognition",
    "evaluate_triplets",
    "localization_table",
    "manipulation_table",
    "random_manipulation",
    "recognition_table",
    "save",
    "to_table",
    "triplets_table",
    "value_means",
]

"""Evaluation of anything that embeds or explains (image, attribute) pairs: takes functions."""

from asen_tf.evaluation.evaluator import Evaluator
from asen_tf.evaluation.localization import evaluate_localization
from asen_tf.evaluation.report import localization_table, save, to_table

__all__ = ["Evaluator", "evaluate_localization", "localization_table", "save", "to_table"]

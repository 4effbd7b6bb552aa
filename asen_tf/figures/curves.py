"""How the run learned."""

from collections.abc import Iterator, Mapping

import matplotlib.figure
import numpy as np

from asen_tf.evaluation.report import LABELS
from asen_tf.figures import lines
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source

METRICS = ("map", "triplet_accuracy")


@figure(
    "curves",
    title="How it learned",
    text="The score on the validation split that chooses the best checkpoint, and the training "
    "loss. A line a stage.",
)
def draw(source: Source) -> Iterator[Picture]:
    """The validation score over the time, and the loss; a line a stage."""
    history = source.run.history()
    scores = [metric for metric in METRICS if any(f"valid_{metric}" in e for e in history)]
    if not scores:
        raise NothingToDraw(f"{source.run.history_file} has no validation to draw")
    for metric in scores:
        yield Picture(
            "learning_curve",
            learning_curve(_curves(history, f"valid_{metric}"), f"validation {LABELS[metric]}"),
            f"Validation {LABELS[metric]} over the minutes of training, a line a stage",
            ".png",
        )
    yield Picture(
        "loss_curve",
        learning_curve(_curves(history, "loss"), "loss"),
        "The training loss over the minutes of training, a line a stage",
        ".png",
    )


def _curves(history: list[dict], key: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Stage -> minutes and what was logged under the key; without those that are never finite."""
    curves = {}
    for stage in dict.fromkeys(entry["stage"] for entry in history):
        entries = [e for e in history if e["stage"] == stage and key in e]
        values = np.array([entry[key] for entry in entries], np.float64)
        if np.isfinite(values).any():
            curves[stage] = np.array([entry["seconds"] / 60 for entry in entries]), values
    return curves


def learning_curve(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], title: str = "MAP"
) -> matplotlib.figure.Figure:
    """A line a stage or a run, see `lines.chart`: x in minutes, y a score or a loss."""
    return lines.chart(curves, title, "minutes")

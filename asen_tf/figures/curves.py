"""How the run learned."""

from collections.abc import Iterator

import numpy as np

from asen_tf import viz
from asen_tf.evaluation.report import LABELS
from asen_tf.figures.picture import Picture
from asen_tf.figures.source import NothingToDraw, Source

METRICS = ("map", "triplet_accuracy")


def draw(source: Source) -> Iterator[Picture]:
    """The validation score over the time, and the loss; a line a stage."""
    history = source.run.history()
    scores = [metric for metric in METRICS if any(f"valid_{metric}" in e for e in history)]
    if not scores:
        raise NothingToDraw(f"{source.run.history_file} has no validation to draw")
    for metric in scores:
        yield Picture(
            "learning_curve",
            _figure(history, f"valid_{metric}", f"validation {LABELS[metric]}"),
            f"Validation {LABELS[metric]} over the minutes of training, a line a stage",
            ".png",
        )
    yield Picture(
        "loss_curve",
        _figure(history, "total", "loss"),
        "The training loss over the minutes of training, a line a stage",
        ".png",
    )


def _figure(history, key, label):
    entries = [entry for entry in history if key in entry]
    curves = {
        stage: np.array([(e["seconds"] / 60, e[key]) for e in entries if e["stage"] == stage]).T
        for stage in dict.fromkeys(entry["stage"] for entry in entries)
    }
    return viz.learning_curve({stage: tuple(xy) for stage, xy in curves.items()}, y_label=label)

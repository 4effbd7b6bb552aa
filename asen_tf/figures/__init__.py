"""Figures of a run: the model and the data that it needs, drawn by `asen_tf.viz`."""

from asen_tf.figures.catalogue import DEFAULT, FIGURES, PROJECTOR, Figure, check_names, pictures
from asen_tf.figures.picture import Picture
from asen_tf.figures.projector import write as write_projector
from asen_tf.figures.report import write_report
from asen_tf.figures.source import Choice, NothingToDraw, Source

__all__ = [
    "DEFAULT",
    "FIGURES",
    "PROJECTOR",
    "Choice",
    "Figure",
    "NothingToDraw",
    "Picture",
    "Source",
    "check_names",
    "pictures",
    "write_projector",
    "write_report",
]

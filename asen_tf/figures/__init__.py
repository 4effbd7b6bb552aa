"""Figures of a run: one file each, with what it needs, how it is computed and how it is drawn.

`visualize` draws them; a figure of one's own is a function under the decorator `figure`.
"""

from asen_tf.figures.picture import Picture, encode, save
from asen_tf.figures.registry import FIGURES, Figure, figure
from asen_tf.figures.source import NothingToDraw, Source, spread
from asen_tf.figures.visualize import visualize

__all__ = [
    "FIGURES",
    "Figure",
    "NothingToDraw",
    "Picture",
    "Source",
    "encode",
    "figure",
    "save",
    "spread",
    "visualize",
]

"""Reading photographs: the one place where files become pixels (docs/images.md).

`pillow` reads every kind, `graph` the usual ones inside TensorFlow graphs, with the same pixels.
What is imported here needs no TensorFlow.
"""

from asen_tf.core.limits import MAX_PIXELS
from asen_tf.images.boxes import Boxed
from asen_tf.images.check import check_whole, problem
from asen_tf.images.inputs import Photograph, describe, listed, listed_pairs
from asen_tf.images.kinds import KINDS
from asen_tf.images.pillow import (
    UNREADABLE,
    TooManyPixels,
    UnknownKind,
    for_graph,
    read,
    size_of,
    thumbnail,
)

__all__ = [
    "KINDS",
    "MAX_PIXELS",
    "UNREADABLE",
    "Boxed",
    "Photograph",
    "TooManyPixels",
    "UnknownKind",
    "check_whole",
    "describe",
    "for_graph",
    "listed",
    "listed_pairs",
    "problem",
    "read",
    "size_of",
    "thumbnail",
]

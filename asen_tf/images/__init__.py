"""Reading photographs: the one place where files become pixels (docs/images.md).

`asen_client.images` reads every kind with Pillow, `graph` the usual ones inside TensorFlow graphs,
with the same pixels. What is imported here needs no TensorFlow.
"""

from asen_client.core.limits import MAX_PIXELS
from asen_client.images import (
    KINDS,
    UNREADABLE,
    Boxed,
    Photograph,
    TooManyPixels,
    UnknownKind,
    describe,
    for_graph,
    listed,
    listed_pairs,
    read,
    size_of,
    thumbnail,
)
from asen_tf.images.check import check_whole, problem

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

"""Photographs in any form that callers have them in, with Pillow."""

from asen_client.images.boxes import Boxed
from asen_client.images.inputs import Photograph, describe, listed, listed_pairs
from asen_client.images.kinds import KINDS
from asen_client.images.pillow import (
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
    "UNREADABLE",
    "Boxed",
    "Photograph",
    "TooManyPixels",
    "UnknownKind",
    "describe",
    "for_graph",
    "listed",
    "listed_pairs",
    "read",
    "size_of",
    "thumbnail",
]

"""Photographs to batches of encoded images that fit into messages."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from asen_client.core.limits import CALL_PIXELS
from asen_client.embedders.images import Place
from asen_client.images import UNREADABLE, for_graph, size_of

# Bytes that a message adds for each image, and for names and shapes: more than it takes.
_PER_IMAGE, _PER_MESSAGE = 16, 4096


class Batch(NamedTuple):
    """Encoded images, and where each comes from."""

    images: list[bytes]
    places: list[Place]


def split(places: Sequence[Place], size: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of at most `size` photographs, and the pixels of a call, in messages of `max_bytes`.

    Files are read when their batch is requested. What the model does not read, and pixels, become
    PNG. InvalidInputError: a photograph is missing, is none, or does not fit into a message.
    """
    budget = max_bytes - _PER_MESSAGE
    batch, filled, pixels = Batch([], []), 0, 0
    for place in places:
        encoded = _encoded(place)
        needed = len(encoded) + _PER_IMAGE
        if needed > budget:
            raise place.refused(
                f"{len(encoded)} bytes do not fit into a message of {max_bytes}; "
                "raise max_message_bytes here and at the server, or send a smaller image"
            )
        declared = _pixels(encoded)
        full = len(batch.images) == size or filled + needed > budget
        if batch.images and (full or pixels + declared > CALL_PIXELS):
            yield batch
            batch, filled, pixels = Batch([], []), 0, 0
        batch.images.append(encoded)
        batch.places.append(place)
        filled += needed
        pixels += declared
    if batch.images:
        yield batch


def _pixels(encoded: bytes) -> int:
    try:
        height, width = size_of(encoded)
    except UNREADABLE:
        return 0  # the model says what is wrong with it
    return height * width


def _encoded(place: Place) -> bytes:
    try:
        return for_graph(place.photograph)
    except UNREADABLE as error:
        raise place.refused(error) from error

"""Photographs to batches of encoded images that fit into messages."""

import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from asen_tf.data.photograph_forms import UNREADABLE, content
from asen_tf.embedders.images import Place

# Bytes that a message adds for each image, and for names and shapes: more than it takes.
_PER_IMAGE, _PER_MESSAGE = 16, 4096


class Batch(NamedTuple):
    """Encoded images, and where each comes from."""

    images: list[bytes]
    places: list[Place]


def split(places: Sequence[Place], size: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of at most `size` photographs in messages of at most `max_bytes`.

    Files are read when their batch is asked for and sent as they are; pixels become PNG.

    Raises:
      InvalidInputError: a photograph is missing, no photograph, or alone too large for a message.
    """
    budget = max_bytes - _PER_MESSAGE
    batch, filled = Batch([], []), 0
    for place in places:
        encoded = _encoded(place)
        needed = len(encoded) + _PER_IMAGE
        if needed > budget:
            raise place.refused(
                f"{len(encoded)} bytes do not fit into a message of {max_bytes}; "
                "raise max_message_bytes here and at the server, or send a smaller image"
            )
        if batch.images and (len(batch.images) == size or filled + needed > budget):
            yield batch
            batch, filled = Batch([], []), 0
        batch.images.append(encoded)
        batch.places.append(place)
        filled += needed
    if batch.images:
        yield batch


def _encoded(place: Place) -> bytes:
    try:
        found = content(place.photograph)
    except UNREADABLE as error:
        raise place.refused(error) from error
    return _png(found) if isinstance(found, np.ndarray) else found


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    # Lossless; the least effort, since the network is seldom slower than the compression.
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()

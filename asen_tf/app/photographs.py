"""Photographs of visitors and of the catalogue: checked before they are decoded, made small."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from asen_tf import images
from asen_tf.app import problems


class Photograph(NamedTuple):
    """An encoded photograph, and its size in pixels when it is upright."""

    encoded: bytes
    width: int
    height: int


def received(encoded: bytes, max_pixels: int) -> Photograph:
    """A photograph and the size that it declares; nothing is decoded.

    Raises:
      Problem: it is no image, or has more pixels than `max_pixels`.
    """
    with _told(max_pixels):
        height, width = images.size_of(encoded, max_pixels)
    return Photograph(encoded, width, height)


def preview(encoded: bytes, side: int, max_pixels: int) -> bytes:
    """A small picture as JPEG, upright.

    Args:
      encoded: the photograph.
      side: its longer side in pixels at most.
      max_pixels: as in `received`.

    Raises:
      Problem: it is no image, is broken, or has more pixels than `max_pixels`.
    """
    with _told(max_pixels):
        return images.thumbnail(encoded, side, max_pixels)


@contextlib.contextmanager
def _told(max_pixels: int) -> Iterator[None]:
    """Turns what reading raises into problems."""
    try:
        yield
    except images.TooManyPixels as error:
        raise problems.too_many_pixels(error.declared, max_pixels) from error
    except images.UnknownKind as error:
        raise problems.no_photograph("it is in none of the known formats") from error
    except images.UNREADABLE as error:
        raise problems.no_photograph("it is broken") from error

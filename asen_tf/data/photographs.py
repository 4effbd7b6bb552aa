"""Photographs in whatever form a caller has them, to pixels and canvases."""

import functools
import io
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from PIL import Image

from asen_tf.data import images
from asen_tf.data.photograph_forms import UNREADABLE, Photograph, content, describe

MAX_PIXELS = 100_000_000


def to_pixels(photograph: Photograph, position: int, max_pixels: int = MAX_PIXELS) -> tf.Tensor:
    """A photograph as uint8 [H, W, 3].

    Args:
      photograph: see `Photograph`.
      position: its place among the caller's, for messages.
      max_pixels: one that declares more is not decoded.

    Raises:
      ValueError: it is missing, no image, broken, or too large.
    """
    try:
        pixels = content(photograph)
        if isinstance(pixels, np.ndarray):
            return tf.constant(pixels)
        return _decoded(pixels, max_pixels)
    except (*UNREADABLE, tf.errors.InvalidArgumentError) as error:
        reason = getattr(error, "message", None) or error
        raise ValueError(f"{describe(photograph, position)}: {reason}") from error


def to_canvas(
    photograph: Photograph, position: int, size: int, max_pixels: int = MAX_PIXELS
) -> tuple[tf.Tensor, tuple[int, int]]:
    """The canvas of one photograph, uint8 [size, size, 3], and its own height and width."""
    pixels = to_pixels(photograph, position, max_pixels)
    return canvas_fn(size)(pixels), tuple(pixels.shape[:2])


@functools.cache
def canvas_fn(size: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """`images.to_canvas` for one photograph after another, uint8 [H, W, 3] -> [size, size, 3].

    A graph: operation by operation, each of so little work, it takes three times as long.
    """
    photograph = tf.TensorSpec((None, None, 3), tf.uint8)
    return tf.function(lambda p: images.to_canvas(p, size), input_signature=[photograph])


def _decoded(encoded: bytes, max_pixels: int) -> tf.Tensor:
    # Pillow reads the header alone, so that a small file cannot ask for gigabytes.
    with Image.open(io.BytesIO(encoded)) as header:
        width, height = header.size
    if width * height > max_pixels:
        raise ValueError(f"declares {width} x {height} pixels, more than the limit {max_pixels}")
    return images.decode(tf.constant(encoded))

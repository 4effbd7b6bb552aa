"""Photographs in whatever form a caller has them, to canvases."""

import io

import numpy as np
import tensorflow as tf
from PIL import Image

from asen_tf.data import images
from asen_tf.data.photograph_forms import UNREADABLE, Photograph, content, describe

MAX_PIXELS = 100_000_000


def to_canvas(
    photograph: Photograph, position: int, size: int, max_pixels: int = MAX_PIXELS
) -> tuple[tf.Tensor, tuple[int, int]]:
    """The canvas of one photograph, as training and evaluation see it.

    Args:
      photograph: see `Photograph`.
      position: its place among the caller's, for messages.
      size: side of the canvas in pixels.
      max_pixels: one that declares more is not decoded.

    Returns:
      uint8 [size, size, 3]; height and width of the photograph.

    Raises:
      ValueError: it is missing, no image, broken, or too large.
    """
    try:
        pixels = content(photograph)
        if isinstance(pixels, np.ndarray):
            pixels = tf.constant(pixels)
        else:
            pixels = _decoded(pixels, max_pixels)
    except (*UNREADABLE, tf.errors.InvalidArgumentError) as error:
        reason = getattr(error, "message", None) or error
        raise ValueError(f"{describe(photograph, position)}: {reason}") from error
    return images.to_canvas(pixels, size), tuple(pixels.shape[:2])


def _decoded(encoded: bytes, max_pixels: int) -> tf.Tensor:
    # Pillow reads the header alone, so that a small file cannot ask for gigabytes.
    with Image.open(io.BytesIO(encoded)) as header:
        width, height = header.size
    if width * height > max_pixels:
        raise ValueError(f"declares {width} x {height} pixels, more than the limit {max_pixels}")
    return images.decode(tf.constant(encoded))

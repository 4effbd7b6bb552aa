"""Photographs in whatever form a caller has them, to canvases."""

import io
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from asen_tf.data import images

MAX_PIXELS = 100_000_000

_UNREADABLE = (ValueError, OSError, Image.DecompressionBombError, tf.errors.InvalidArgumentError)

# A path, an encoded image, an array uint8 [H, W, 3] or gray [H, W], or a PIL image.
Photograph = str | os.PathLike | bytes | np.ndarray | Image.Image


def listed(photographs: Photograph | Iterable[Photograph]) -> list[Photograph]:
    """One photograph, or any iterable of them, as a list."""
    if isinstance(photographs, str | os.PathLike | bytes | Image.Image):
        return [photographs]
    if isinstance(photographs, np.ndarray) and photographs.dtype.kind not in "USO":
        return list(photographs) if photographs.ndim == 4 else [photographs]
    return list(photographs)


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
        if isinstance(photograph, np.ndarray):
            pixels = _from_array(photograph)
        elif isinstance(photograph, Image.Image):
            pixels = tf.constant(np.asarray(photograph.convert("RGB")))
        elif isinstance(photograph, str | os.PathLike | bytes):
            pixels = _from_bytes(_read(photograph), max_pixels)
        else:
            raise ValueError(
                "expected a path, bytes, a NumPy array or a PIL image, "
                f"got {type(photograph).__name__}"
            )
    except _UNREADABLE as error:
        name = "" if not isinstance(photograph, str | os.PathLike) else f" ({photograph})"
        reason = getattr(error, "message", None) or error
        raise ValueError(f"photograph {position}{name}: {reason}") from error
    return images.to_canvas(pixels, size), tuple(pixels.shape[:2])


def _read(photograph) -> bytes:
    return photograph if isinstance(photograph, bytes) else Path(photograph).read_bytes()


def _from_array(array):
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)):
        raise ValueError(
            f"expected uint8 of shape [H, W, 3] or [H, W], got {array.dtype} {list(array.shape)}"
        )
    if not array.size:
        raise ValueError("the array is empty")
    return tf.constant(array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2))


def _from_bytes(encoded, max_pixels):
    # Pillow reads the header alone, so that a small file cannot ask for gigabytes.
    with Image.open(io.BytesIO(encoded)) as header:
        width, height = header.size
    if width * height > max_pixels:
        raise ValueError(f"declares {width} x {height} pixels, more than the limit {max_pixels}")
    return images.decode(tf.constant(encoded))

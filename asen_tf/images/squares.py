"""Photographs as the squares that models see, and regions of these in photographs; no TensorFlow.

What `asen_tf.images.graph.to_square` and `asen_tf.images.geometry.pixel_boxes` give, but for
roundings.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image


def to_square(pixels: np.ndarray, size: int, fit: str = "crop") -> np.ndarray:
    """See `asen_tf.images.graph.to_square`: uint8 [H, W, 3] -> [size, size, 3]."""
    shape = np.array(pixels.shape[:2])
    if fit == "pad":
        before = -((shape - shape.max()) // 2)
        ends = np.stack([before, shape.max() - shape - before], axis=1)
        square = np.pad(pixels, [*ends, (0, 0)], constant_values=255)
    else:
        top, left = (shape - shape.min()) // 2
        square = pixels[top : top + shape.min(), left : left + shape.min()]
    return np.stack([_resized(square[..., n], size) for n in range(3)], axis=-1)


def _resized(channel: np.ndarray, size: int) -> np.ndarray:
    # In floats: of bytes, Pillow would round between the two directions.
    floats = Image.fromarray(channel.astype(np.float32))
    resized = np.asarray(floats.resize((size, size), Image.Resampling.BILINEAR))
    return np.clip(np.round(resized), 0, 255).astype(np.uint8)


def pixel_boxes(
    boxes: np.ndarray, sizes: Sequence[tuple[int, int]], fit: str = "crop"
) -> np.ndarray:
    """See `asen_tf.images.geometry.pixel_boxes`: float [B, 4] -> int32 [B, 4].

    Args:
      boxes: `rel_xyxy` of the squares.
      sizes: height and width of the photographs, B.
      fit: how they became squares.
    """
    across = np.asarray(sizes, np.int32).reshape(-1, 2)[:, ::-1]
    side = (np.max if fit == "pad" else np.min)(across, axis=1, keepdims=True)
    found = boxes * side.astype(np.float32) + np.tile((across - side) // 2, (1, 2))
    return np.clip(np.round(found).astype(np.int32), 0, np.tile(across, (1, 2)))

"""Where a position on the square image lies in the original photograph."""

import numpy as np
from numpy.typing import ArrayLike


def to_photograph(coordinates: ArrayLike, sizes: ArrayLike) -> np.ndarray:
    """Points or boxes on the square image, in pixels of the original photograph.

    The square image is the original resized so that its shorter side fits, then cropped to the
    square in its centre.

    Args:
      coordinates: [B, ..., 2] points (x, y) or [B, ..., 4] boxes (left, top, right, bottom), as
        parts of the image's side, 0..1.
      sizes: [B, 2] height and width of the originals in pixels.

    Returns:
      float64 of the shape of `coordinates`, in pixels of the original.

    Raises:
      ValueError: the last axis of `coordinates` is neither 2 nor 4, or B differs.
    """
    coordinates, sizes = np.asarray(coordinates, np.float64), np.asarray(sizes, np.int64)
    if coordinates.ndim < 2 or coordinates.shape[-1] not in (2, 4):
        raise ValueError(
            "coordinates must be points [batch, ..., 2] or boxes [batch, ..., 4], "
            f"got shape {coordinates.shape}"
        )
    if sizes.shape != (len(coordinates), 2):
        raise ValueError(
            f"sizes must be [{len(coordinates)}, 2], height and width of each original, "
            f"got shape {sizes.shape}"
        )
    short = sizes.min(-1, keepdims=True)
    offsets = np.tile((sizes[:, ::-1] - short) // 2, coordinates.shape[-1] // 2)
    between = (1,) * (coordinates.ndim - 2)
    scale = short.reshape(-1, *between, 1)
    return coordinates * scale + offsets.reshape(len(sizes), *between, -1)

"""Small photographs side by side, in arrays."""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from asen_tf.viz import style


def square(image: np.ndarray, side: int) -> np.ndarray:
    """The centred square of a photograph uint8 [H, W, 3], as uint8 [side, side, 3]."""
    image = style.check_image(image)
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    cut = Image.fromarray(image[top : top + short, left : left + short])
    return np.asarray(cut.resize((side, side), Image.Resampling.LANCZOS))


def sprite(images: Iterable[np.ndarray], side: int = 64) -> np.ndarray:
    """Photographs of one attribute's space as TensorBoard's projector wants them.

    Args:
      images: N >= 1 photographs, uint8 [H, W, 3], of which the centred square is taken.
      side: of each, in pixels.

    Returns:
      uint8 [R * side, C * side, 3], row by row, C the root of N rounded up; white where none is.

    Raises:
      ValueError: no photograph, or something that is none.
    """
    squares = [square(image, side) for image in images]
    if not squares:
        raise ValueError("expected photographs, received none")
    columns = int(np.ceil(np.sqrt(len(squares))))
    rows = -(-len(squares) // columns)
    tiles = np.full((rows * columns, side, side, 3), 255, np.uint8)
    tiles[: len(squares)] = squares
    grid = tiles.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    return grid.reshape(rows * side, columns * side, 3)


def strip(images: Sequence[np.ndarray], gap: int = 4) -> np.ndarray:
    """Photographs of one height in a row with white gaps, uint8 [H, W, 3]."""
    white = np.full((len(images[0]), gap, 3), 255, np.uint8)
    parts = [part for image in images for part in (white, style.check_image(image))]
    return np.concatenate(parts[1:], axis=1)

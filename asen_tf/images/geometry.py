"""Where things lie: boxes and points in photographs, and in the squares that networks see.

Inside graphs boxes are `rel_xyxy`, as Keras calls it: left, top, right, bottom as parts of the
square's side, 0..1. Users get `xyxy` in pixels of the upright photograph. Both count from the left
and upper edge of the first pixel, whose centre therefore is at 0.5 pixels.
"""

from collections.abc import Sequence

import numpy as np
from keras import ops

from asen_tf.images.graph import check_fit


def cell_centres(count: int) -> np.ndarray:
    """Where the cells of a feature map lie along a side: float32 [count], 0..1 of it."""
    return (np.arange(count, dtype=np.float32) + 0.5) / count


def to_photograph(coordinates, sizes, fit: str = "crop", corners=None):
    """Points or boxes in the square that a network sees, in pixels of the upright photograph.

    Args:
      coordinates: float [B, ..., 2] points (x, y), or [B, ..., 4] boxes `rel_xyxy`.
      sizes: int [B, 2], height and width of the photographs, or of the parts that were cut out.
      fit: how they became squares, see `asen_tf.images.graph.to_square`.
      corners: int [B, 2], left and top of these parts in the photographs; None: all are whole.

    Returns:
      A float tensor of the shape and dtype of `coordinates`; for "pad" it may lie outside.

    Raises:
      ValueError: the last axis of `coordinates` is neither 2 nor 4, or B differs.
    """
    coordinates = ops.convert_to_tensor(coordinates)
    sizes = ops.cast(sizes, "int32")
    _check_shapes(coordinates.shape, sizes.shape)
    side = ops.min if check_fit(fit) == "crop" else ops.max
    side = side(sizes, axis=-1, keepdims=True)
    before = (sizes[:, ::-1] - side) // 2
    if corners is not None:
        before = before + ops.cast(corners, "int32")
    before = ops.tile(before, (1, coordinates.shape[-1] // 2))
    between = (1,) * (len(coordinates.shape) - 2)
    scale, offset = (
        ops.cast(ops.reshape(of, (-1, *between, of.shape[-1])), coordinates.dtype)
        for of in (side, before)
    )
    return coordinates * scale + offset


def pixel_boxes(boxes, sizes, fit: str = "crop"):
    """Boxes as users get them: float [B, M, 4] `rel_xyxy` of the square -> int32, `xyxy`.

    In pixels of photographs of these sizes, int [B, 2]; rounded, and cut off at their edges.
    """
    ends = ops.tile(ops.cast(sizes, "int32")[:, ::-1], (1, 2))[:, None]
    found = ops.cast(ops.round(to_photograph(boxes, sizes, fit)), "int32")
    return ops.clip(found, 0, ends)


def _check_shapes(coordinates: Sequence[int | None], sizes: Sequence[int | None]) -> None:
    if len(coordinates) < 2 or coordinates[-1] not in (2, 4):
        raise ValueError(
            "coordinates must be points [batch, ..., 2] or boxes [batch, ..., 4], "
            f"got shape {tuple(coordinates)}"
        )
    known = None not in (coordinates[0], sizes[0])
    if len(sizes) != 2 or sizes[1] != 2 or (known and sizes[0] != coordinates[0]):
        raise ValueError(
            f"sizes must be [{coordinates[0]}, 2], height and width of each photograph, "
            f"got shape {tuple(sizes)}"
        )

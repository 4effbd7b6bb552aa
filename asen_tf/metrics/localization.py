"""How well a region or a point finds the part of a photograph that shows an attribute."""

import numpy as np
from numpy.typing import ArrayLike


def box_iou(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Intersection over union of boxes [..., 4] (left, top, right, bottom), which are broadcast.

    float64 [...] in 0..1; 0 where both boxes are empty, NaN where a number is NaN.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    inside = _area(np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:]))
    union = _area(a[..., :2], a[..., 2:]) + _area(b[..., :2], b[..., 2:]) - inside
    return np.divide(inside, union, out=np.zeros_like(union), where=union != 0)


def pointing_hit(point: ArrayLike, box: ArrayLike, tolerance: ArrayLike = 0.0) -> np.ndarray:
    """Whether a point lies in a box or near it (the pointing game).

    Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016, who tolerate 15
    pixels in photographs of about 500.

    Args:
      point: [..., 2] x, y.
      box: [..., 4] left, top, right, bottom, broadcast against `point`.
      tolerance: [...] by how much a point may miss the box, on either axis.

    Returns:
      [...] bool.
    """
    point, box, near = np.asarray(point), np.asarray(box), np.asarray(tolerance)[..., None]
    return ((point >= box[..., :2] - near) & (point <= box[..., 2:] + near)).all(-1)


def _area(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.maximum(high - low, 0).prod(-1)

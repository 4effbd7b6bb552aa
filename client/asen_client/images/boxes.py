"""A photograph with the box of the garment that counts: it is cut out, with a margin around it.

Boxes are `xyxy` in pixels of the upright photograph: left, top, right, bottom, counted from its
upper left corner, right and bottom exclusive. Needs no TensorFlow.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

# x1, y1, x2, y2: left, top, right, bottom.
Box = tuple[float, float, float, float]
SIDES = ("x1", "y1", "x2", "y2")

# Pixels by which a box may leave its photograph, and is cut off: that much comes of rounding, and
# of counting from 1 or to the last pixel.
OUTSIDE = 2
_FAR = 2**30


@dataclasses.dataclass(frozen=True, eq=False)
class Boxed:
    """A photograph of which only what is in a box counts; one more form of `Photograph`.

    Attributes:
      photograph: in any other form.
      box: four numbers, see above; at least a pixel wide and high.
      margin: share of the box's width and height that is added at each side; None: an embedder
        takes that of its model, `read` takes 0.

    Raises:
      ValueError: the box is none, or the photograph has one already.
    """

    photograph: Any
    box: Box
    margin: float | None = None

    def __post_init__(self):
        if isinstance(self.photograph, Boxed):
            raise ValueError(f"the photograph has a box already: {self.photograph.box}")
        object.__setattr__(self, "box", checked_box(self.box))

    def region(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """What is cut out of a photograph of this height and width: left, top, right, bottom.

        Raises:
          ValueError: the box leaves the photograph by more than `OUTSIDE` pixels, or lies outside.
        """
        height, width = map(int, size)
        for side, value, edge in (("x2", self.box[2], width), ("y2", self.box[3], height)):
            if value - edge > OUTSIDE:
                raise ValueError(f"{_outside(side, value, value - edge)} of {width} x {height}")
        left, top, right, bottom = inside(self._widened(), size).tolist()
        if left >= right or top >= bottom:
            box = text(self.box)
            raise ValueError(f"box {box} lies outside of the photograph of {width} x {height}")
        return left, top, right, bottom

    def corner(self) -> tuple[int, int]:
        """Left and top of `region`, of whatever photograph."""
        left, top = self._widened()[:2]
        return max(int(left), 0), max(int(top), 0)

    def cut(self, pixels):
        """The region of the photograph's pixels, [H, W, 3], an array or a tensor."""
        left, top, right, bottom = self.region(pixels.shape[:2])
        return pixels[top:bottom, left:right]

    def _widened(self) -> np.ndarray:
        return widened(self.box, self.margin or 0.0)


def widened(boxes: Sequence, margin: float) -> np.ndarray:
    """Boxes [..., 4] with a margin around them, in whole pixels: int32, not cut off at any edge.

    A side is rounded once, halves upwards, so that a box of a pixel keeps one. Zeros where a box is
    NaN, that is unknown.

    Raises:
      ValueError: the margin is negative or no number.
    """
    if not (math.isfinite(margin) and margin >= 0):
        raise ValueError(f"box_margin must be a number from 0 up, got {margin}")
    boxes = np.asarray(boxes, np.float64)
    spread = margin * (boxes[..., 2:] - boxes[..., :2])
    sides = boxes + np.concatenate([-spread, spread], axis=-1)
    known = ~np.isnan(sides).any(-1, keepdims=True)
    rounded = np.clip(np.floor(sides + 0.5), -_FAR, _FAR)
    return np.where(known, rounded, 0).astype(np.int32)


def inside(regions: np.ndarray, sizes: Sequence) -> np.ndarray:
    """What `widened` gives, int [..., 4], cut off at the edges of photographs.

    Args:
      regions: zeros: the whole photograph.
      sizes: int [..., 2], their heights and widths.
    """
    ends = np.asarray(sizes)[..., [1, 0, 1, 0]]
    whole = ends * (0, 0, 1, 1)
    return np.where((regions == 0).all(-1, keepdims=True), whole, np.clip(regions, 0, ends))


def checked_box(box: Sequence[object]) -> Box:
    """Four numbers, or texts of such, as a box; ValueError, naming the side, where it is none."""
    if np.shape(box) != (4,):
        raise ValueError(f"expected a box as four numbers, {' '.join(SIDES)}, got {box!r}")
    numbers = tuple(map(_number, SIDES, box))
    shares = in_shares(np.array(numbers))
    for low, high in ((0, 2), (1, 3)):
        if numbers[high] - numbers[low] < 1:
            shares = f" ({shares})" if shares else ""
            raise ValueError(
                f"expected {SIDES[high]} at least a pixel above {SIDES[low]}, got "
                f"{SIDES[low]} {numbers[low]:g} and {SIDES[high]} {numbers[high]:g}{shares}"
            )
        if numbers[low] < -OUTSIDE:
            raise ValueError(_outside(SIDES[low], numbers[low], -numbers[low]))
    if shares:  # all of the photograph
        raise ValueError(f"box {text(numbers)}: {shares}")
    return numbers


def in_shares(boxes: np.ndarray) -> str | None:
    """Says of boxes [..., 4], NaN where unknown, whether they are shares of sides, not pixels."""
    known = boxes[~np.isnan(boxes)]
    if known.size and known.min() >= 0 and known.max() <= 1:
        return "every number lies in 0 to 1: expected pixels of the photograph"
    return None


def text(box: Sequence[float]) -> str:
    """A box as tables have it: "x1 y1 x2 y2"."""
    return " ".join(f"{side:g}" for side in box)


def _outside(side: str, value: float, out: float) -> str:
    return f"{side} {value:g} lies {out:g} pixels outside of the photograph"


def _number(side: str, value: object) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"expected a number of pixels as {side}, got {value!r}")
    return number

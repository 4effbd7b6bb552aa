"""From the garment's own coordinates to pixels, and a brush that paints in them.

A garment is described in design units: x to the right from the body's middle line, y down from
the base of the neck, 1 about the length from there to the ankles.
"""

import dataclasses

import numpy as np
from PIL import Image, ImageDraw

from asen_tf.data.synthetic.colors import Color


@dataclasses.dataclass(frozen=True)
class Frame:
    """Stretch, turn, scale and shift that take design units to pixels.

    Attributes:
      origin: where (0, 0) lies, (x, y) in pixels.
      scale: pixels of one design unit along the body.
      width: stretch across the body.
      angle: turn in radians, clockwise in the picture.
    """

    origin: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    width: float = 1.0
    angle: float = 0.0

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """[N, 2] design units -> [N, 2] pixels."""
        x, y = (np.asarray(points, np.float64) * [self.scale * self.width, self.scale]).T
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return np.stack([cos * x - sin * y, sin * x + cos * y], 1) + self.origin

    def magnified(self, factor: float) -> "Frame":
        """The same place in a picture `factor` times as large."""
        x, y = self.origin
        return dataclasses.replace(self, origin=(x * factor, y * factor), scale=self.scale * factor)


class Brush:
    """Paints shapes given in a frame's units onto a picture."""

    def __init__(self, image: Image.Image, frame: Frame):
        self.image = image
        self.frame = frame
        self._draw = ImageDraw.Draw(image)

    def fill(self, points: np.ndarray, color: Color | int) -> None:
        """A closed polygon, points [N, 2]."""
        self._draw.polygon(self.frame(points).ravel().tolist(), fill=color)

    def veil(self, points: np.ndarray, color: Color, opacity: float) -> None:
        """A closed polygon through which what lies below still shows."""
        mask = Image.new("L", self.image.size, 0)
        Brush(mask, self.frame).fill(points, round(255 * opacity))
        self.image.paste(color, mask=mask)

    def stroke(self, points: np.ndarray, width: float, color: Color | int) -> None:
        """An open line of a width in design units, points [N, 2]."""
        pixels = max(1, round(width * self.frame.scale))
        self._draw.line(
            self.frame(points).ravel().tolist(), fill=color, width=pixels, joint="curve"
        )

    def discs(self, centres: np.ndarray, radius: float, color: Color | int) -> None:
        """Discs of one radius, centres [N, 2]."""
        r = radius * self.frame.scale
        for x, y in self.frame(centres).tolist():
            self._draw.ellipse((x - r, y - r, x + r, y + r), fill=color)

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Color | int) -> None:
        self.fill(ellipse(x, y, rx, ry), color)

    def rectangle(
        self, left: float, top: float, right: float, bottom: float, color: Color | int
    ) -> None:
        self.fill(rectangle(left, top, right, bottom), color)


def rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """[4, 2] corners."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def ellipse(
    x: float, y: float, rx: float, ry: float, start: float = 0.0, end: float = 2 * np.pi
) -> np.ndarray:
    """[40, 2] points of an arc, angles in radians, clockwise from the right in the picture."""
    t = np.linspace(start, end, 40)
    return np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], 1)


def shifted(points: np.ndarray, x: float, y: float) -> np.ndarray:
    """The same points moved by (x, y)."""
    return points + np.array((x, y))


def mirrored(points: np.ndarray) -> np.ndarray:
    """The same points on the other side of the body's middle line."""
    return points * [-1, 1]


def both_sides(half: np.ndarray) -> np.ndarray:
    """The right half's points, then the left half's back: from [N, 2] to [2 N, 2]."""
    return np.concatenate([half, mirrored(half)[::-1]])


def normals(path: np.ndarray, window: int = 5) -> np.ndarray:
    """[N, 2] unit normals to the left of travel (seen in the picture), averaged over `window`."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    padded = np.pad(tangent, ((window // 2, window // 2), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(c, np.ones(window), "valid") for c in padded.T], 1)
    smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-9)
    return np.stack([smooth[:, 1], -smooth[:, 0]], 1)


def ribbon(path: np.ndarray, half_widths: np.ndarray) -> np.ndarray:
    """The outline [2 N, 2] of a band of varying half width [N] along a path [N, 2]."""
    offset = normals(path) * np.asarray(half_widths)[:, None]
    return np.concatenate([path + offset, (path - offset)[::-1]])


def resampled(path: np.ndarray, count: int) -> np.ndarray:
    """`count` points evenly spaced along a polyline."""
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], 1)

"""Necklines and collars. The collar is a band along the neckline's edge, so that every collar
can go with every neckline and both can be seen."""

import numpy as np

from asen_tf.data.synthetic.colors import Color, darker, mix, seam_color
from asen_tf.data.synthetic.frame import (
    Brush,
    both_sides,
    ellipse,
    mirrored,
    normals,
    resampled,
    shifted,
)

NECK = 0.046  # half width of the neck


def shoulder_height(x: float) -> float:
    """Height of the shoulder line at distance x from the middle."""
    return -0.014 + 0.48 * max(0.0, x - NECK)


def _arc(half_width: float, depth: float, power: float = 2.0) -> np.ndarray:
    """From the shoulder line down to the middle, along a superellipse."""
    t = np.linspace(0, np.pi / 2, 30)
    top = shoulder_height(half_width)
    x = half_width * np.cos(t) ** (2 / power)
    return np.stack([x, top + (depth - top) * np.sin(t) ** (2 / power)], 1)


def _corners(*points: tuple[float, float]) -> np.ndarray:
    return np.array([(x, shoulder_height(x) if y is None else y) for x, y in points])


_EDGES = {
    "round": _arc(0.090, 0.115),
    "v": _corners((0.086, None), (0.068, 0.045), (0.0, 0.190)),
    "square": _corners((0.104, None), (0.096, 0.125), (0.0, 0.125)),
    "boat": _arc(0.128, 0.056, 1.8),
    "keyhole": _arc(0.072, 0.030),
}
_KEYHOLE = ellipse(0.0, 0.132, 0.037, 0.047)


def edge(neckline: str) -> np.ndarray:
    """[60, 2] the right half of the neckline's edge, shoulder to middle."""
    return resampled(_EDGES[neckline], 60)


def opening(neckline: str) -> list[np.ndarray]:
    """The polygons that the neckline cuts out of the cloth."""
    half = edge(neckline)
    above = np.array([(0.0, half[0, 1] - 0.06), (half[0, 0], half[0, 1] - 0.05)])
    hole = [np.concatenate([both_sides(half), mirrored(above)[::-1], above])]
    return [*hole, _KEYHOLE] if neckline == "keyhole" else hole


def bottom(neckline: str) -> float:
    """Height of the lowest point of the opening in the middle: where a fastening begins."""
    return 0.184 if neckline == "keyhole" else float(edge(neckline)[-1, 1])


def paint_edge(brush: Brush, neckline: str, cloth: Color) -> None:
    """The seam along the opening."""
    seam = seam_color(cloth)
    brush.stroke(both_sides(edge(neckline)), 0.010, seam)
    if neckline == "keyhole":
        brush.stroke(_KEYHOLE, 0.010, seam)


def paint_collar(brush: Brush, collar: str, neckline: str, color: Color, cloth: Color) -> None:
    """The collar in its own colour, with a shadow on the cloth below."""
    if collar == "none":
        return
    half = edge(neckline)
    inner, outer = _PROFILES[collar](np.linspace(0, 1, len(half)))
    out = normals(half, 15)
    flap = np.concatenate([half + out * outer[:, None], (half - out * inner[:, None])[::-1]])
    line = seam_color(color)
    for side in (flap, mirrored(flap)):
        brush.fill(shifted(side, 0.004, 0.009), darker(cloth, 0.45))
    for side in (flap, mirrored(flap)):
        brush.fill(side, color)
        brush.stroke(np.concatenate([side, side[:1]]), 0.007, line)
    if collar == "ruffle":
        _pleats(brush, half, out * outer[:, None], mix(color, line, 0.55))


def _pleats(brush: Brush, half: np.ndarray, reach: np.ndarray, shade: Color) -> None:
    """Every second pleat of a ruffle lies in shade."""
    for start in range(2, len(half) - 4, 8):
        near, far = half[start : start + 5], (half + 0.92 * reach)[start : start + 5]
        pleat = np.concatenate([near, far[::-1]])
        brush.fill(pleat, shade)
        brush.fill(mirrored(pleat), shade)


# Collar -> how far it reaches to the inner and to the outer side of the edge, for t from 0 at the
# shoulder to 1 in the middle.
_PROFILES = {
    "pointed": lambda t: (
        np.full_like(t, 0.004),
        np.interp(t, [0, 0.70, 1], [0.018, 0.120, 0.0]),
    ),
    "mandarin": lambda t: (
        0.020 * np.where(t < 0.93, 1.0, 0.2),
        0.016 * np.where(t < 0.93, 1.0, 0.2),
    ),
    "peter_pan": lambda t: (
        np.full_like(t, 0.004),
        0.066 * np.clip(1 - np.abs(2 * t - 1) ** 5, 0, 1) ** 0.5,
    ),
    "ruffle": lambda t: (
        np.full_like(t, 0.008),
        (0.040 + 0.026 * np.abs(np.sin(t * 4 * np.pi))) * (1 - 0.35 * t**3),
    ),
}

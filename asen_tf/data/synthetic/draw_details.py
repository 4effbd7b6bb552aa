"""Pockets and fastenings."""

import numpy as np

from asen_tf.data.synthetic.colors import Color, darker, detail_color, lighter
from asen_tf.data.synthetic.draw_neck import bottom
from asen_tf.data.synthetic.frame import Brush, mirrored, rectangle, shifted
from asen_tf.data.synthetic.garment import HEM, Garment

_STEEL = (176, 182, 190)
_FIRST_BUTTON = 0.214  # below every neckline


def _line(color: Color) -> Color:
    """A colour for seams on cloth of this colour."""
    return darker(color, 0.5) if sum(color) > 180 else lighter(color, 0.35)


def _placket(cloth: Color) -> Color:
    """The plain cloth under buttons, a little lighter than the rest."""
    return lighter(cloth, 0.25) if sum(cloth) > 180 else lighter(cloth, 0.15)


def _panel(brush: Brush, shape: np.ndarray, color: Color, cloth: Color) -> None:
    """A piece of cloth sewn on: shadow, face, seam."""
    brush.fill(shifted(shape, 0.004, 0.007), darker(cloth, 0.45))
    brush.fill(shape, color)
    brush.stroke(np.concatenate([shape, shape[:1]]), 0.007, _line(color))


def paint_pocket(
    brush: Brush, name: str, garment: Garment, cloth: Color, rng: np.random.Generator
) -> None:
    """Patch pockets in a colour that stands out against the cloth."""
    color = detail_color(cloth, rng)
    if name == "chest":
        x = garment.pocket_side * 0.088
        _patch(brush, x, 0.182, 0.050, 0.102, color, cloth)
    elif name == "two_hip":
        for x in (-0.090, 0.090):
            _patch(brush, x, 0.312, 0.048, 0.094, color, cloth)
    elif name == "kangaroo":
        half = np.array([(0.066, 0.305), (0.122, 0.362), (0.122, 0.404)])
        _panel(brush, np.concatenate([half, mirrored(half)[::-1]]), color, cloth)
        slit = shifted(half[:2], -0.014, 0.004)
        brush.stroke(slit, 0.006, _line(color))
        brush.stroke(mirrored(slit), 0.006, _line(color))


def _patch(
    brush: Brush, x: float, top: float, half: float, height: float, color: Color, cloth: Color
) -> None:
    low = top + height
    shape = np.array(
        [(x - half, top), (x + half, top), (x + half, low - 0.02), (x, low), (x - half, low - 0.02)]
    )
    _panel(brush, shape, color, cloth)
    brush.stroke(np.array([(x - half, top + 0.024), (x + half, top + 0.024)]), 0.007, _line(color))


def paint_fastening(
    brush: Brush,
    name: str,
    garment: Garment,
    hem: str,
    neckline: str,
    cloth: Color,
    rng: np.random.Generator,
) -> None:
    """What closes the garment, from the neckline down the middle of the torso."""
    top, low = bottom(neckline) + 0.004, min(HEM[hem], 0.48)
    color = detail_color(cloth, rng)
    spacing = rng.uniform(0.050, 0.062)
    if name in _CLOSURES:
        _CLOSURES[name](brush, garment, top, low, spacing, color, cloth)


def _buttons(brush, garment, top, low, spacing, color, cloth) -> None:
    _panel(brush, rectangle(-0.028, top, 0.028, low), _placket(cloth), cloth)
    _column(brush, 0.0, low, spacing, color)


def _zipper(brush, garment, top, low, spacing, color, cloth) -> None:
    tape = darker(cloth, 0.55) if sum(cloth) > 330 else lighter(cloth, 0.45)
    brush.rectangle(-0.024, top, 0.024, low, tape)
    brush.rectangle(-0.011, top, 0.011, low, _STEEL)
    for y in np.arange(low - 0.006, top, -0.012):
        brush.rectangle(-0.011, y, 0.011, y + 0.005, darker(_STEEL, 0.6))
    pull = _FIRST_BUTTON
    brush.rectangle(-0.015, pull, 0.015, pull + 0.022, darker(_STEEL, 0.35))
    brush.rectangle(-0.009, pull + 0.022, 0.009, pull + 0.060, _STEEL)
    brush.rectangle(-0.004, pull + 0.044, 0.004, pull + 0.054, darker(_STEEL, 0.7))


def _double_breasted(brush, garment, top, low, spacing, color, cloth) -> None:
    front = np.array([(0.0, top), (0.092, max(0.17, top)), (0.092, low)])
    brush.veil(np.concatenate([front, mirrored(front)[::-1]]), _placket(cloth), 0.65)
    brush.stroke(shifted(front, 0.005, 0.004), 0.010, darker(cloth, 0.4))
    brush.stroke(front, 0.008, _line(cloth))
    for x in (-0.056, 0.056):
        _column(brush, x, low, 1.6 * spacing, color)


def _belt(brush, garment, top, low, spacing, color, cloth) -> None:
    y = np.array([0.262, 0.310])
    half = garment.half_width(y) + 0.004
    band = np.array([(half[0], y[0]), (half[1], y[1]), (-half[1], y[1]), (-half[0], y[0])])
    _panel(brush, band, color, cloth)
    metal = (226, 190, 92) if sum(color) < 500 else (96, 92, 100)
    brush.rectangle(-0.036, 0.252, 0.036, 0.320, metal)
    brush.rectangle(-0.022, 0.266, 0.022, 0.306, color)
    brush.rectangle(-0.004, 0.280, 0.036, 0.292, metal)


def _column(brush: Brush, x: float, low: float, spacing: float, color: Color) -> None:
    """Buttons below one another, the first always at the same height."""
    y = np.arange(_FIRST_BUTTON, low - 0.02, spacing)
    centres = np.stack([np.full(len(y), x), y], 1)
    brush.discs(shifted(centres, 0.003, 0.005), 0.0215, (40, 36, 44))
    brush.discs(centres, 0.0205, color)
    brush.discs(centres, 0.0065, _line(color))


_CLOSURES = {
    "buttons": _buttons,
    "zipper": _zipper,
    "double_breasted": _double_breasted,
    "belt": _belt,
}

"""Pockets and fastenings."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from asen_tf.data.synthetic.colors import (
    Color,
    darker,
    detail_color,
    leather_color,
    lighter,
    seam_color,
)
from asen_tf.data.synthetic.draw_neck import bottom
from asen_tf.data.synthetic.frame import Brush, both_sides, mirrored, rectangle, shifted
from asen_tf.data.synthetic.garment import HEM, Garment

_STEEL = (206, 211, 218)
_FIRST_BUTTON = 0.214  # below every neckline


def _placket(cloth: Color) -> Color:
    """The plain cloth under buttons, a little lighter than the rest."""
    return lighter(cloth, 0.30) if sum(cloth) > 180 else lighter(cloth, 0.20)


def _panel(brush: Brush, shape: np.ndarray, color: Color, cloth: Color) -> None:
    """A piece of cloth sewn on: shadow, face, seam."""
    brush.fill(shifted(shape, 0.004, 0.007), darker(cloth, 0.45))
    brush.fill(shape, color)
    brush.stroke(np.concatenate([shape, shape[:1]]), 0.007, seam_color(color))


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
        brush.stroke(slit, 0.006, seam_color(color))
        brush.stroke(mirrored(slit), 0.006, seam_color(color))


def _patch(
    brush: Brush, x: float, top: float, half: float, height: float, color: Color, cloth: Color
) -> None:
    low = top + height
    shape = np.array(
        [(x - half, top), (x + half, top), (x + half, low - 0.02), (x, low), (x - half, low - 0.02)]
    )
    _panel(brush, shape, color, cloth)
    brush.stroke(
        np.array([(x - half, top + 0.024), (x + half, top + 0.024)]), 0.007, seam_color(color)
    )


@dataclasses.dataclass(frozen=True)
class _Front:
    """Where and in what colours a garment closes; heights and lengths in design units."""

    garment: Garment
    top: float
    low: float
    spacing: float
    color: Color
    leather: Color
    cloth: Color


def paint_fastening(
    brush: Brush,
    garment: Garment,
    labels: Mapping[str, str],
    cloth: Color,
    rng: np.random.Generator,
) -> None:
    """What closes the garment, from the neckline down the middle of the torso."""
    if labels["fastening"] == "none":
        return
    front = _Front(
        garment=garment,
        top=bottom(labels["neckline"]) + 0.004,
        low=min(HEM[labels["hem_length"]], 0.48),
        spacing=rng.uniform(0.056, 0.064),
        color=detail_color(cloth, rng),
        leather=leather_color(cloth, rng),
        cloth=cloth,
    )
    _FASTENINGS[labels["fastening"]](brush, front)


def _buttons(brush: Brush, front: _Front) -> None:
    strip = rectangle(-0.034, front.top, 0.034, front.low)
    _panel(brush, strip, _placket(front.cloth), front.cloth)
    _column(brush, 0.0, front.spacing, front)


def _zipper(brush: Brush, front: _Front) -> None:
    brush.rectangle(-0.032, front.top, 0.032, front.low, darker(front.cloth, 0.75))
    brush.rectangle(-0.014, front.top, 0.014, front.low, _STEEL)
    for y in np.arange(front.low - 0.006, front.top, -0.012):
        brush.rectangle(-0.014, y, 0.014, y + 0.004, darker(_STEEL, 0.5))
    pull = _FIRST_BUTTON
    brush.rectangle(-0.019, pull, 0.019, pull + 0.022, darker(_STEEL, 0.35))
    brush.rectangle(-0.011, pull + 0.022, 0.011, pull + 0.060, _STEEL)
    brush.rectangle(-0.004, pull + 0.044, 0.004, pull + 0.054, darker(_STEEL, 0.7))


def _double_breasted(brush: Brush, front: _Front) -> None:
    flap = np.array([(0.0, front.top), (0.092, max(0.17, front.top)), (0.092, front.low)])
    # The pattern shows through a little, so that buttons stand out and the cloth can be seen.
    brush.veil(np.concatenate([flap, mirrored(flap)[::-1]]), _placket(front.cloth), 0.75)
    brush.stroke(shifted(flap, 0.005, 0.004), 0.010, darker(front.cloth, 0.4))
    brush.stroke(flap, 0.008, seam_color(front.cloth))
    for x in (-0.058, 0.058):
        _column(brush, x, 1.6 * front.spacing, front)


def _belt(brush: Brush, front: _Front) -> None:
    y = np.array([0.258, 0.312])
    half = np.stack([front.garment.half_width(y) + 0.004, y], 1)
    _panel(brush, both_sides(half), front.leather, front.cloth)
    metal = (226, 190, 92) if sum(front.leather) < 500 else (96, 92, 100)
    brush.rectangle(-0.036, 0.250, 0.036, 0.320, metal)
    brush.rectangle(-0.022, 0.266, 0.022, 0.304, front.leather)
    brush.rectangle(-0.004, 0.279, 0.036, 0.291, metal)


def _column(brush: Brush, x: float, spacing: float, front: _Front) -> None:
    """Buttons below one another, the first always at the same height."""
    y = np.arange(_FIRST_BUTTON, front.low - 0.02, spacing)
    centres = np.stack([np.full(len(y), x), y], 1)
    brush.discs(shifted(centres, 0.003, 0.005), 0.0235, (40, 36, 44))
    brush.discs(centres, 0.0225, front.color)
    brush.discs(centres, 0.0075, seam_color(front.color))


_FASTENINGS = {
    "buttons": _buttons,
    "zipper": _zipper,
    "double_breasted": _double_breasted,
    "belt": _belt,
}

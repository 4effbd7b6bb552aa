"""Cloth, skin and wall colours."""

import colorsys

import numpy as np

Color = tuple[int, int, int]

# Middle and half range of hue, saturation and value: no two colours come near each other.
_CLOTH = {
    "red": ((0.995, 0.84, 0.80), (0.012, 0.10, 0.08)),
    "yellow": ((0.135, 0.78, 0.95), (0.012, 0.12, 0.05)),
    "green": ((0.375, 0.62, 0.58), (0.035, 0.12, 0.10)),
    "blue": ((0.600, 0.72, 0.76), (0.025, 0.12, 0.10)),
    "purple": ((0.765, 0.58, 0.60), (0.020, 0.10, 0.08)),
    "pink": ((0.935, 0.38, 0.96), (0.015, 0.07, 0.03)),
    "black": ((0.640, 0.15, 0.16), (0.100, 0.12, 0.04)),
    "white": ((0.110, 0.02, 0.96), (0.050, 0.02, 0.02)),
}
_INKS = (
    (250, 248, 242), (238, 224, 196), (28, 28, 34), (36, 48, 92), (122, 78, 48), (216, 64, 56),
    (240, 190, 60), (52, 128, 96), (82, 142, 208), (128, 84, 158), (238, 150, 172), (150, 154, 160),
)  # fmt: skip
_DETAILS = ((250, 248, 242), (212, 226, 240), (28, 28, 34), (36, 48, 92))
_LEATHERS = ((112, 66, 38), (188, 128, 74), (24, 22, 24), (236, 222, 196))
SKINS = (
    (250, 224, 204), (241, 206, 178), (226, 182, 148), (196, 146, 110), (152, 104, 74),
    (112, 74, 54),
)  # fmt: skip
MANNEQUINS = ((222, 214, 202), (216, 196, 176), (196, 174, 146))
HAIRS = ((34, 26, 26), (74, 46, 34), (134, 84, 48), (204, 164, 98), (150, 62, 38), (120, 120, 128))


def cloth_color(name: str, rng: np.random.Generator) -> Color:
    """One tint of a colour that garments are labelled with."""
    middle, spread = _CLOTH[name]
    hue, saturation, value = np.array(middle) + np.array(spread) * rng.uniform(-1, 1, 3)
    return from_hsv(hue, np.clip(saturation, 0, 1), np.clip(value, 0, 1))


def from_hsv(hue: float, saturation: float, value: float) -> Color:
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(r * 255), round(g * 255), round(b * 255)


def mix(a: Color, b: Color, share: float) -> Color:
    """`share` of b, the rest of a."""
    r, g, b = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return r, g, b


def darker(color: Color, share: float) -> Color:
    return mix(color, (12, 10, 20), share)


def lighter(color: Color, share: float) -> Color:
    return mix(color, (255, 255, 255), share)


def contrast(a: Color, b: Color) -> float:
    """How well two colours can be told apart: mostly lightness, some hue (0 to about 255)."""
    d = np.subtract(a, b).astype(float)
    lightness = d @ [0.3, 0.59, 0.11]
    return float(np.hypot(lightness, 0.5 * np.abs(d).max()))


def ink_color(against: Color, rng: np.random.Generator) -> Color:
    """A second colour for a pattern."""
    return _clear((*_INKS, darker(against, 0.5), lighter(against, 0.6)), against, rng)


def detail_color(against: Color, rng: np.random.Generator) -> Color:
    """A light or a dark neutral for collar, pockets and buttons."""
    return _clear(_DETAILS, against, rng)


def leather_color(against: Color, rng: np.random.Generator) -> Color:
    """A colour for a belt."""
    return _clear(_LEATHERS, against, rng, least=60)


def _clear(colors, against, rng, least=75):
    """One of those that stand out against the cloth."""
    clear = [color for color in colors if contrast(color, against) > least]
    return clear[rng.integers(len(clear))]


def seam_color(color: Color) -> Color:
    """A line that shows on a piece of this colour."""
    return darker(color, 0.45) if sum(color) > 180 else lighter(color, 0.30)


def any_color(rng: np.random.Generator, saturation: tuple[float, float] = (0.1, 0.8)) -> Color:
    """A colour for things that are no garment."""
    return from_hsv(rng.uniform(), rng.uniform(*saturation), rng.uniform(0.3, 0.95))

"""The figure that wears the garment: nuisance, drawn from its own random numbers."""

import dataclasses

import numpy as np

from asen_tf.data.synthetic.colors import (
    HAIRS,
    MANNEQUINS,
    SKINS,
    Color,
    any_color,
    darker,
    lighter,
    mix,
)
from asen_tf.data.synthetic.draw_neck import NECK, shoulder_height
from asen_tf.data.synthetic.frame import Brush, both_sides, ellipse, mirrored, ribbon
from asen_tf.data.synthetic.garment import Garment


@dataclasses.dataclass(frozen=True)
class Figure:
    """Looks of the wearer; `hair` None is a mannequin."""

    skin: Color
    hair: Color | None
    hair_style: str
    lower: str
    lower_color: Color
    shoes: Color

    @classmethod
    def drawn(cls, rng: np.random.Generator, mannequin_share: float = 0.2) -> "Figure":
        mannequin = rng.uniform() < mannequin_share
        skins = MANNEQUINS if mannequin else SKINS
        return cls(
            skin=skins[rng.integers(len(skins))],
            hair=None if mannequin else HAIRS[rng.integers(len(HAIRS))],
            hair_style=str(rng.choice(["bob", "long", "bun", "short"])),
            lower=str(rng.choice(["trousers", "leggings", "shorts", "skirt"])),
            lower_color=any_color(rng, (0.05, 0.35)),
            shoes=any_color(rng),
        )


def paint_behind(brush: Brush, figure: Figure, garment: Garment) -> None:
    """All that lies behind the garment: hair, legs, lower wear, arms, torso and neck."""
    if figure.hair and figure.hair_style in ("long", "bob"):
        low = 0.06 if figure.hair_style == "long" else -0.05
        _back_hair(brush, figure.hair, low)
    _legs(brush, figure)
    _lower(brush, figure, garment)
    _arms(brush, figure, garment)
    _torso(brush, figure, garment)


def paint_head(brush: Brush, figure: Figure) -> None:
    """Head, face and hair; the chin lies above the collar."""
    line = darker(figure.skin, 0.35)
    face = ellipse(0, -0.150, 0.072, 0.088)
    brush.fill(face, figure.skin)
    brush.stroke(face, 0.005, line)
    if figure.hair is None:
        brush.stroke(np.array([(0, -0.236), (0, -0.064)]), 0.003, mix(figure.skin, line, 0.5))
        return
    _face(brush, figure.skin)
    _front_hair(brush, figure.hair, figure.hair_style)


def _face(brush: Brush, skin: Color) -> None:
    ink = (52, 36, 36)
    for x in (-0.030, 0.030):
        brush.ellipse(x, -0.142, 0.0065, 0.0095, ink)
        brush.stroke(ellipse(x, -0.160, 0.014, 0.007, np.pi * 1.15, np.pi * 1.85), 0.004, ink)
        brush.ellipse(x * 1.45, -0.118, 0.013, 0.009, mix(skin, (238, 104, 104), 0.30))
    brush.stroke(ellipse(0, -0.106, 0.016, 0.010, 0.15 * np.pi, 0.85 * np.pi), 0.006, (176, 52, 60))


def _back_hair(brush: Brush, hair: Color, low: float) -> None:
    half = np.array([(0.0, -0.262), (0.07, -0.240), (0.098, -0.170), (0.100, -0.08), (0.092, low)])
    brush.fill(both_sides(half), darker(hair, 0.15))


def _front_hair(brush: Brush, hair: Color, style: str) -> None:
    if style == "bun":
        brush.ellipse(0, -0.268, 0.040, 0.036, hair)
    cap = ellipse(0, -0.158, 0.083, 0.096, np.pi, 2 * np.pi)
    fringe = np.array(
        [(0.066, -0.150), (0.052, -0.196), (-0.012, -0.204), (-0.058, -0.178), (-0.066, -0.150)]
    )
    brush.fill(np.concatenate([cap, fringe]), hair)
    brush.stroke(
        ellipse(0, -0.165, 0.060, 0.070, 1.2 * np.pi, 1.5 * np.pi), 0.006, lighter(hair, 0.18)
    )
    if style in ("bob", "long"):
        lock = np.array(
            [(0.060, -0.19), (0.085, -0.16), (0.094, -0.07), (0.070, -0.07), (0.068, -0.12)]
        )
        brush.fill(lock, hair)
        brush.fill(mirrored(lock), hair)


def _limb(brush: Brush, path: np.ndarray, start: float, end: float, color: Color) -> None:
    outline = ribbon(path, np.linspace(start, end, len(path)))
    brush.fill(outline, color)
    brush.stroke(outline, 0.005, darker(color, 0.30))


def _leg(side: int, low: float = 0.93) -> np.ndarray:
    y = np.linspace(0.46, low, 12)
    return np.stack([side * (0.080 - 0.030 * (y - 0.46)), y], 1)


def _legs(brush: Brush, figure: Figure) -> None:
    for side in (-1, 1):
        _limb(brush, _leg(side), 0.060, 0.022, figure.skin)
        brush.ellipse(side * 0.074, 0.942, 0.036, 0.024, figure.shoes)


def _lower(brush: Brush, figure: Figure, garment: Garment) -> None:
    color = figure.lower_color
    hips = garment.hip - 0.006
    if figure.lower == "skirt":
        half = np.array([(hips - 0.02, 0.465), (hips + 0.025, 0.64)])
        brush.fill(both_sides(half), color)
        brush.stroke(both_sides(half), 0.005, darker(color, 0.35))
        return
    low, width = {"trousers": (0.915, 0.040), "leggings": (0.90, 0.026), "shorts": (0.62, 0.068)}[
        figure.lower
    ]
    brush.fill(
        both_sides(np.array([(hips - 0.02, 0.465), (hips, 0.50), (hips - 0.01, 0.56)])), color
    )
    for side in (-1, 1):
        _limb(brush, _leg(side, low), 0.080, width, color)
    brush.rectangle(-hips + 0.02, 0.465, hips - 0.02, 0.480, darker(color, 0.25))


_HAND = 0.027 * np.sqrt(np.clip(1 - np.linspace(-0.6, 1, 10) ** 2, 0.05, 1))


def _arms(brush: Brush, figure: Figure, garment: Garment) -> None:
    for side in (0, 1):
        path = garment.arm(side)
        brush.discs(path[:1], 0.042, figure.skin)
        widths = np.concatenate([np.linspace(0.041, 0.023, len(path)), _HAND])
        limb = ribbon(np.concatenate([path, garment.hand(side)]), widths)
        brush.fill(limb, figure.skin)
        brush.stroke(limb, 0.005, darker(figure.skin, 0.30))


def _torso(brush: Brush, figure: Figure, garment: Garment) -> None:
    y = np.linspace(0.15, 0.47, 20)
    side = np.stack([garment.half_width(y) - 0.014, y], 1)
    shoulder = np.array(
        [(NECK, -0.09), (NECK, -0.02), (0.14, shoulder_height(0.14)), (0.150, 0.10)]
    )
    brush.fill(both_sides(np.concatenate([shoulder, side])), figure.skin)
    shadow = np.array([(NECK, -0.075), (NECK, -0.055), (0.0, -0.030)])
    brush.fill(both_sides(shadow), darker(figure.skin, 0.18))
    line = darker(figure.skin, 0.28)
    for path in (shoulder[:3], mirrored(shoulder[:3])):
        brush.stroke(path, 0.005, line)
    bone = np.array([(0.018, 0.012), (0.075, 0.004)])
    brush.stroke(bone, 0.004, mix(figure.skin, line, 0.6))
    brush.stroke(mirrored(bone), 0.004, mix(figure.skin, line, 0.6))

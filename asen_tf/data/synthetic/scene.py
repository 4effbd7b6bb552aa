"""What stands around the garment: a studio wall, or a room full of other coloured things."""

import dataclasses

import numpy as np
from PIL import Image

from asen_tf.data.synthetic.attributes import SPACE
from asen_tf.data.synthetic.colors import any_color, darker, from_hsv, lighter
from asen_tf.data.synthetic.frame import Brush, Frame, both_sides, shifted
from asen_tf.data.synthetic.pattern import paint_pattern


@dataclasses.dataclass(frozen=True)
class _Room:
    """Where a room ends, and the height at which its wall meets the floor."""

    width: float
    floor: float
    height: float


def paint_scene(size: tuple[int, int], look: str, rng: np.random.Generator) -> Image.Image:
    """A background of `size` (width, height) pixels; its units are the shorter side."""
    image = Image.new("RGB", size)
    brush = Brush(image, Frame(scale=float(min(size))))
    width, height = np.array(size) / min(size)
    _SCENES[look](brush, width, height, rng)
    return image


def _plain(brush: Brush, width: float, height: float, rng: np.random.Generator) -> None:
    wall = from_hsv(rng.uniform(), rng.uniform(0, 0.03), rng.uniform(0.91, 0.96))
    brush.rectangle(0, 0, width, height, wall)
    floor = height * rng.uniform(0.80, 0.90)
    for share in np.linspace(0, 1, 8):
        top = floor + share * 0.06
        brush.rectangle(0, top, width, height, darker(wall, 0.05 * share))


def _cluttered(brush: Brush, width: float, height: float, rng: np.random.Generator) -> None:
    floor = height * rng.uniform(0.66, 0.9)
    _wall(brush, width, floor, rng)
    _floor(brush, width, floor, height, rng)
    room = _Room(width, floor, height)
    for _ in range(rng.integers(4, 8)):
        _THINGS[rng.integers(len(_THINGS))](brush, room, rng)


def _wall(brush: Brush, width: float, floor: float, rng: np.random.Generator) -> None:
    color = any_color(rng, (0.05, 0.45))
    brush.rectangle(0, 0, width, floor, color)
    other = darker(color, 0.15) if rng.uniform() < 0.5 else lighter(color, 0.25)
    kind = rng.integers(4)
    step = rng.uniform(0.08, 0.22)
    if kind == 1:
        for x in np.arange(0, width, step):
            brush.rectangle(x, 0, x + step / 2, floor, other)
    elif kind == 2:
        for row, y in enumerate(np.arange(0, floor, step * 0.6)):
            brush.stroke(np.array([(0, y), (width, y)]), 0.006, other)
            for x in np.arange((row % 2) * step / 2, width, step):
                brush.stroke(np.array([(x, y), (x, min(floor, y + step * 0.6))]), 0.006, other)
    elif kind == 3:
        brush.rectangle(0, floor * 0.55, width, floor, other)


def _floor(
    brush: Brush, width: float, floor: float, height: float, rng: np.random.Generator
) -> None:
    color = any_color(rng, (0.1, 0.6))
    brush.rectangle(0, floor, width, height, color)
    brush.rectangle(0, floor - 0.02, width, floor, lighter(color, 0.5))
    if rng.uniform() < 0.5:
        for x in np.arange(-1, 2, 0.17):
            brush.stroke(
                np.array([(x, height), (0.5 + (x - 0.5) * 0.6, floor)]), 0.005, darker(color, 0.25)
            )
    if rng.uniform() < 0.5:
        y = (floor + height) / 2
        brush.ellipse(rng.uniform(0, width), y, 0.5, (height - floor) / 3, any_color(rng))


def _swatch(
    brush: Brush, left: float, top: float, right: float, bottom: float, rng: np.random.Generator
) -> None:
    """A rectangle of some patterned cloth."""
    scale = brush.frame.scale
    size = max(2, round((right - left) * scale)), max(2, round((bottom - top) * scale))
    ground = any_color(rng)
    cloth = Image.new("RGB", size, ground)
    names = SPACE["pattern"].values
    paint_pattern(
        Brush(cloth, Frame(scale=scale)),
        names[rng.integers(len(names))],
        (0.0, 0.0, right - left, bottom - top),
        rng.uniform(0.05, 0.10),
        ground,
        rng,
    )
    brush.image.paste(cloth, (round(left * scale), round(top * scale)))


def _curtain(brush: Brush, room: _Room, rng: np.random.Generator) -> None:
    wide = rng.uniform(0.12, 0.24)
    left = rng.choice([0.0, room.width - wide])
    _swatch(brush, left, 0.0, left + wide, room.floor + rng.uniform(-0.1, 0.05), rng)


def _picture(brush: Brush, room: _Room, rng: np.random.Generator) -> None:
    x, y = rng.uniform(0, room.width - 0.2), rng.uniform(0.02, 0.4)
    w, h = rng.uniform(0.14, 0.30, 2)
    brush.rectangle(x, y, x + w, y + h, any_color(rng))
    if rng.uniform() < 0.5:
        _swatch(brush, x + 0.02, y + 0.02, x + w - 0.02, y + h - 0.02, rng)
        return
    brush.rectangle(x + 0.02, y + 0.02, x + w - 0.02, y + h - 0.02, any_color(rng, (0.0, 0.3)))
    brush.ellipse(x + w / 2, y + h / 2, w / 4, h / 4, any_color(rng))


def _window(brush: Brush, room: _Room, rng: np.random.Generator) -> None:
    x, y = rng.uniform(-0.1, room.width - 0.2), rng.uniform(0.0, 0.25)
    w, h = rng.uniform(0.25, 0.4), rng.uniform(0.35, 0.55)
    brush.rectangle(x, y, x + w, y + h, (240, 240, 236))
    pane = lighter(any_color(rng, (0.1, 0.4)), 0.4)
    for column in (0, 1):
        for row in (0, 1):
            left, top = x + 0.02 + column * w / 2, y + 0.02 + row * h / 2
            brush.rectangle(left, top, left + w / 2 - 0.03, top + h / 2 - 0.03, pane)


def _shelf(brush: Brush, room: _Room, rng: np.random.Generator) -> None:
    wide, rows = rng.uniform(0.22, 0.34), int(rng.integers(2, 6))
    tall = 0.16 * rows
    x = rng.choice([rng.uniform(-0.1, 0.05), room.width - wide + rng.uniform(-0.05, 0.1)])
    wood = from_hsv(rng.uniform(0.05, 0.12), rng.uniform(0.3, 0.6), rng.uniform(0.35, 0.8))
    brush.rectangle(x, room.floor - tall, x + wide, room.floor + 0.03, darker(wood, 0.45))
    for y in room.floor - 0.16 * np.arange(1, rows + 1):
        at = x + 0.015
        while at < x + wide - 0.06:
            book = rng.uniform(0.02, 0.045)
            brush.rectangle(at, y + rng.uniform(0.02, 0.07), at + book, y + 0.16, any_color(rng))
            at += book + (0.05 if rng.uniform() < 0.2 else 0.003)
        brush.rectangle(x, y - 0.008, x + wide, y + 0.012, wood)
    for side in (x, x + wide):
        brush.rectangle(side - 0.008, room.floor - tall, side + 0.008, room.floor + 0.03, wood)


def _plant(brush: Brush, room: _Room, rng: np.random.Generator) -> None:
    x, y = rng.uniform(0, room.width), room.floor + rng.uniform(0, 0.08)
    green = from_hsv(rng.uniform(0.22, 0.42), rng.uniform(0.4, 0.8), rng.uniform(0.25, 0.65))
    for angle in rng.uniform(-1.1, 1.1, 9):
        length = rng.uniform(0.18, 0.34)
        t = np.linspace(0, 1, 8)
        spine = np.stack([x + np.sin(angle * t) * length * t, y - 0.14 - length * t], 1)
        leaf = 0.024 * np.sin(np.pi * t)[:, None] * [np.cos(angle), np.sin(angle)]
        outline = np.concatenate([spine + leaf, (spine - leaf)[::-1]])
        brush.fill(outline, lighter(green, rng.uniform(0, 0.25)))
    pot = any_color(rng)
    brush.fill(shifted(both_sides(np.array([(0.075, y - 0.15), (0.055, y)])), x, 0.0), pot)
    brush.rectangle(x - 0.082, y - 0.16, x + 0.082, y - 0.13, darker(pot, 0.2))


def _lamp(brush: Brush, room: _Room, rng: np.random.Generator) -> None:
    x, tall = rng.uniform(0, room.width), rng.uniform(0.55, 0.85)
    brush.rectangle(x - 0.007, room.floor - tall, x + 0.007, room.floor + 0.03, (64, 58, 56))
    brush.ellipse(x, room.floor + 0.03, 0.07, 0.018, (64, 58, 56))
    shade = np.array([(0.05, room.floor - tall - 0.12), (0.10, room.floor - tall + 0.03)])
    brush.fill(shifted(both_sides(shade), x, 0.0), any_color(rng))


def _sofa(brush: Brush, room: _Room, rng: np.random.Generator) -> None:
    x, wide = rng.uniform(-0.2, room.width - 0.3), rng.uniform(0.4, 0.7)
    color, low = any_color(rng), room.floor + 0.06
    brush.rectangle(x, low - 0.30, x + wide, low - 0.03, darker(color, 0.12))
    brush.rectangle(x + 0.02, low - 0.16, x + wide - 0.02, low - 0.02, color)
    for side in (x, x + wide):
        brush.ellipse(side, low - 0.18, 0.05, 0.04, color)
        brush.rectangle(side - 0.05, low - 0.18, side + 0.05, low - 0.01, color)
    _swatch(brush, x + 0.08, low - 0.28, x + 0.22, low - 0.15, rng)


def _rack(brush: Brush, room: _Room, rng: np.random.Generator) -> None:
    """Other garments on a rail: cloth of other colours and patterns."""
    x, top = rng.uniform(-0.2, room.width - 0.25), rng.uniform(0.05, 0.4)
    for place in range(rng.integers(2, 5)):
        left = x + place * 0.13
        _swatch(brush, left, top + 0.05, left + 0.10, top + rng.uniform(0.3, 0.6), rng)
        hook = np.array([(left + 0.05, top), (left + 0.05, top + 0.03), (left, top + 0.055)])
        brush.stroke(hook, 0.007, (70, 66, 70))
    brush.stroke(np.array([(x - 0.05, top), (x + 0.6, top)]), 0.012, (88, 84, 88))


def _shapes(brush: Brush, room: _Room, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(2, 5)):
        x, y, r = rng.uniform(0, room.width), rng.uniform(0, room.height), rng.uniform(0.03, 0.12)
        corners = int(rng.choice([3, 4, 40]))
        turn = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, corners, endpoint=False)
        brush.fill(np.stack([x + r * np.cos(turn), y + r * np.sin(turn)], 1), any_color(rng))


_SCENES = {"plain": _plain, "cluttered": _cluttered}
_THINGS = (_curtain, _picture, _window, _shelf, _plant, _lamp, _sofa, _rack, _shapes)

"""Cloth patterns: painted over a ground, in any frame."""

import numpy as np

from asen_tf.data.synthetic.colors import Color, lighter, mix, trim_color
from asen_tf.data.synthetic.frame import Brush

Region = tuple[float, float, float, float]


def paint_pattern(
    brush: Brush, name: str, region: Region, cell: float, ground: Color, rng: np.random.Generator
) -> None:
    """Covers `region` (left, top, right, bottom) with a pattern, about a third of it in ink.

    Args:
      brush: paints on a picture already filled with `ground`.
      name: a value of the attribute `pattern`.
      cell: length after which the pattern repeats, in the brush's units.
      ground: colour of the cloth; the ink is drawn among colours that stand out against it.
    """
    ink = trim_color(ground, rng)
    left, top, right, bottom = region
    x, y = rng.uniform(0, cell, 2)
    columns = np.arange(left - x, right + cell, cell)
    rows = np.arange(top - y, bottom + cell, cell)
    _PAINTERS[name](brush, columns, rows, cell, ground, ink)


def _solid(brush, columns, rows, cell, ground, ink) -> None:
    """The ground is all there is."""


def _stripes(brush, columns, rows, cell, ground, ink) -> None:
    for y in rows:
        brush.rectangle(columns[0], y, columns[-1], y + 0.36 * cell, ink)


def _checks(brush, columns, rows, cell, ground, ink) -> None:
    half = mix(ground, ink, 0.5)
    band = 0.42 * cell
    for x in columns:
        brush.rectangle(x, rows[0], x + band, rows[-1], half)
    for y in rows:
        brush.rectangle(columns[0], y, columns[-1], y + band, half)
    for x in columns:
        for y in rows:
            brush.rectangle(x, y, x + band, y + band, ink)


def _dots(brush, columns, rows, cell, ground, ink) -> None:
    brush.discs(_staggered(columns, rows, cell), 0.27 * cell, ink)


def _floral(brush, columns, rows, cell, ground, ink) -> None:
    centres = _staggered(columns, rows, cell)
    turn = np.linspace(0, 2 * np.pi, 5, endpoint=False)
    petals = 0.24 * cell * np.stack([np.sin(turn), -np.cos(turn)], 1)
    brush.discs((centres[:, None] + petals).reshape(-1, 2), 0.175 * cell, ink)
    brush.discs(centres, 0.13 * cell, lighter(mix(ink, (250, 190, 40), 0.8), 0.1))


def _zigzag(brush, columns, rows, cell, ground, ink) -> None:
    x = np.arange(columns[0], columns[-1], cell / 2)
    up = np.where(np.arange(len(x)) % 2, -0.25, 0.25) * cell
    for y in rows:
        brush.stroke(np.stack([x, y + up], 1), 0.24 * cell, ink)


def _staggered(columns, rows, cell) -> np.ndarray:
    """[N, 2] grid points, every second row shifted by half a cell."""
    x, y = np.meshgrid(columns, rows)
    x = x + np.where(np.arange(len(rows)) % 2, cell / 2, 0)[:, None]
    return np.stack([x.ravel(), y.ravel()], 1)


_PAINTERS = {
    "solid": _solid,
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "floral": _floral,
    "zigzag": _zigzag,
}

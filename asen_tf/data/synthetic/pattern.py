"""Cloth patterns: painted over a ground, in any frame."""

import dataclasses

import numpy as np

from asen_tf.data.synthetic.colors import Color, ink_color, lighter, mix
from asen_tf.data.synthetic.frame import Brush

Region = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class _Sheet:
    """Where a pattern repeats (x of the columns, y of the rows) and its two colours."""

    columns: np.ndarray
    rows: np.ndarray
    cell: float
    ground: Color
    ink: Color


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
    ink = ink_color(ground, rng)
    left, top, right, bottom = region
    x, y = rng.uniform(0, cell, 2)
    columns = np.arange(left - x, right + cell, cell)
    rows = np.arange(top - y, bottom + cell, cell)
    _PAINTERS[name](brush, _Sheet(columns, rows, cell, ground, ink))


def _solid(brush: Brush, sheet: _Sheet) -> None:
    """The ground is all there is."""


def _stripes(brush: Brush, sheet: _Sheet) -> None:
    for y in sheet.rows:
        brush.rectangle(sheet.columns[0], y, sheet.columns[-1], y + 0.36 * sheet.cell, sheet.ink)


def _checks(brush: Brush, sheet: _Sheet) -> None:
    half = mix(sheet.ground, sheet.ink, 0.5)
    band = 0.42 * sheet.cell
    for x in sheet.columns:
        brush.rectangle(x, sheet.rows[0], x + band, sheet.rows[-1], half)
    for y in sheet.rows:
        brush.rectangle(sheet.columns[0], y, sheet.columns[-1], y + band, half)
    for x in sheet.columns:
        for y in sheet.rows:
            brush.rectangle(x, y, x + band, y + band, sheet.ink)


def _dots(brush: Brush, sheet: _Sheet) -> None:
    brush.discs(_staggered(sheet), 0.27 * sheet.cell, sheet.ink)


def _floral(brush: Brush, sheet: _Sheet) -> None:
    centres = _staggered(sheet)
    turn = np.linspace(0, 2 * np.pi, 5, endpoint=False)
    petals = 0.24 * sheet.cell * np.stack([np.sin(turn), -np.cos(turn)], 1)
    brush.discs((centres[:, None] + petals).reshape(-1, 2), 0.175 * sheet.cell, sheet.ink)
    brush.discs(centres, 0.13 * sheet.cell, lighter(mix(sheet.ink, (250, 190, 40), 0.8), 0.1))


def _zigzag(brush: Brush, sheet: _Sheet) -> None:
    x = np.arange(sheet.columns[0], sheet.columns[-1], sheet.cell / 2)
    up = np.where(np.arange(len(x)) % 2, -0.25, 0.25) * sheet.cell
    for y in sheet.rows:
        brush.stroke(np.stack([x, y + up], 1), 0.24 * sheet.cell, sheet.ink)


def _staggered(sheet: _Sheet) -> np.ndarray:
    """[N, 2] grid points, every second row shifted by half a cell."""
    x, y = np.meshgrid(sheet.columns, sheet.rows)
    x = x + np.where(np.arange(len(sheet.rows)) % 2, sheet.cell / 2, 0)[:, None]
    return np.stack([x.ravel(), y.ravel()], 1)


_PAINTERS = {
    "solid": _solid,
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "floral": _floral,
    "zigzag": _zigzag,
}

"""Photographs of a search in cells: a frame and a badge say which are right."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from asen_tf.figures import style

RIGHT = style.Line(style.GREEN, 2.2)
WRONG = style.Line(style.VERMILLION, 2.2, (3, 1.5))
# Strokes of the marks, x and y in radii of the badge, which is in inches.
TICK = (((-0.45, 0.05), (-0.12, 0.38), (0.46, -0.34)),)
CROSS = (((-0.34, -0.34), (0.34, 0.34)), ((0.34, -0.34), (-0.34, 0.34)))
BADGE = 0.095
# Inches, beside a row and between its cells.
MARGIN, GAP = 0.14, 0.1


class Cell(NamedTuple):
    """A photograph among others, and what is said about it.

    Attributes:
      image: uint8 [H, W, 3].
      caption: under it, usually its value; None or "": nothing.
      correct: whether it has the query's value; None, of the query itself: no verdict.
      note: small, at the right of the caption.
    """

    image: np.ndarray
    caption: str | None
    correct: bool | None = None
    note: str = ""


def layout(
    images: Sequence[np.ndarray], columns: int, widths: tuple[float, float], query_gap: float
) -> tuple[list[float], float, float]:
    """Where the cells of a row lie: a query, `query_gap` inches, results; all as most images are.

    `widths`: the least and the most of a cell. Gives the left sides, width and height of a cell.
    """
    width = float(np.clip(10.0 / columns, *widths))
    proportion = np.median([image.shape[0] / image.shape[1] for image in images])
    lefts = [MARGIN + n * (width + GAP) + (n > 0) * query_gap for n in range(columns)]
    return lefts, width, width * float(np.clip(proportion, 3 / 4, 4 / 3))


def draw(axes: Axes, cell: Cell, area: style.Area) -> None:
    """A photograph, a frame and a badge that say whether it is right, a caption.

    Its ends are cut off towards the area's proportion, but never into the centred square that a
    model sees.
    """
    image = style.check_image(cell.image)
    proportion = area.height / area.width
    shown = np.clip(image.shape[0] / image.shape[1], min(proportion, 1), max(proportion, 1))
    style.fill(axes, area, style.MAT)
    style.picture(axes, style.thumbnail(image), area.contain(float(shown)))
    if cell.correct is not None:
        _draw_verdict(axes, area, cell.correct)
    y, weight = area.bottom + 0.17, "bold" if cell.correct is None else "normal"
    noted = style.text_width(cell.note, style.SMALL_SIZE) + 0.06 if cell.note else 0.0
    style.text(axes, area.left, y, cell.caption, width=area.width - noted, weight=weight)
    note = {"size": style.SMALL_SIZE, "color": style.QUIET, "align": "right"}
    style.text(axes, area.right, y, cell.note, **note)


def _draw_verdict(axes: Axes, area: style.Area, right: bool) -> None:
    line, strokes = (RIGHT, TICK) if right else (WRONG, CROSS)
    style.outline(axes, area, line)
    x, y = area.right - 1.5 * BADGE, area.top + 1.5 * BADGE
    badge = Circle((x, y), BADGE, facecolor=line.color, edgecolor="white", linewidth=0.8, zorder=4)
    axes.add_patch(badge)
    for stroke in strokes:
        dx, dy = BADGE * np.transpose(stroke)
        axes.plot(x + dx, y + dy, color="white", linewidth=1.4, solid_capstyle="round", zorder=5)

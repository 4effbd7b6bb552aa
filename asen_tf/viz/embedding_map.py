"""The space of an attribute, laid out in a plane."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asen_tf.viz import style

# Inches.
MARGIN, TITLE = 0.16, 0.26
SIDE, FRAME = 7.6, 0.028
CELL, CELL_GAP, MOST_COLUMNS, MOST_WORDS = 2.3, 0.24, 4, 10
# Tiles along either side of the large plot, and how many of them a photograph may be moved.
TILES, TILE_PX, FARTHEST = 17, 140, 3.0


class EmbeddingMap(NamedTuple):
    """Points of one attribute's space.

    Attributes:
      points: float [N, 2], in any unit.
      values: int [N], the value of each, a position in `names`.
      names: the attribute's values.
    """

    points: np.ndarray
    values: np.ndarray
    names: Sequence[str]


def embedding_map(
    attribute: str, shown: EmbeddingMap, images: Sequence[np.ndarray] | None = None
) -> Figure:
    """One attribute's space, large: photographs framed in the colours of their values.

    Photographs lie on a grid, each in the free cell that is nearest to its point. Where none is
    near, because the crowd is too dense, it is left out.

    Args:
      attribute: its name, the title; underscores become spaces.
      shown: the points.
      images: [N] photographs, uint8 [H, W, 3], of which the centred square is shown; None: dots.

    Returns:
      A figure; `asen_tf.viz.save` writes it.

    Raises:
      ValueError: no point, lengths that disagree, or no photograph.
    """
    points, values = _checked(attribute, shown)
    if images is not None and len(images) != len(points):
        raise ValueError(f"expected images of length {len(points)}, got {len(images)}")
    colors = style.value_colors(shown.names)
    entries = _entries(values, shown.names)
    box = style.Area(MARGIN, MARGIN + TITLE, SIDE, SIDE)
    height = box.bottom + MARGIN + style.KEY_LINE * _lines(entries, SIDE)
    axes = style.page(box.right + MARGIN, height)
    style.text(axes, box.left, box.top - 0.1, _words(attribute), size=11, weight="bold")
    style.fill(axes, box, style.MAT)
    if images is None:
        _dots(axes, _placed(points, box.shrink(0.1)), [colors[value] for value in values], 18)
    else:
        tile = SIDE / TILES
        for n, (column, row) in _tiled(points).items():
            cell = style.Area(box.left + column * tile, box.top + row * tile, tile, tile)
            style.fill(axes, cell.shrink(0.015), colors[values[n]])
            small = style.thumbnail(style.check_image(images[n]), TILE_PX)
            style.picture(axes, small, cell.shrink(0.015 + FRAME))
    style.key(axes, box.left, box.bottom + 0.16, entries, SIDE)
    return axes.figure


def embedding_maps(maps: Mapping[str, EmbeddingMap]) -> Figure:
    """The spaces of several attributes side by side, as dots coloured by value.

    Args:
      maps: attribute -> its points.

    Returns:
      A figure; `asen_tf.viz.save` writes it.

    Raises:
      ValueError: no attribute, or what `embedding_map` refuses.
    """
    if not maps:
        raise ValueError("expected at least one attribute, received none")
    checked = {name: _checked(name, shown) for name, shown in maps.items()}
    keys = {
        name: _entries(values, maps[name].names, MOST_WORDS)
        for name, (_, values) in checked.items()
    }
    columns = min(len(maps), MOST_COLUMNS)
    below = 0.14 + style.KEY_LINE * max(_lines(key, CELL) for key in keys.values())
    row = TITLE + CELL + below + 0.1
    rows = -(-len(maps) // columns)
    axes = style.page(
        2 * MARGIN + columns * (CELL + CELL_GAP) - CELL_GAP, MARGIN + rows * row + 0.02
    )
    for n, (name, (points, values)) in enumerate(checked.items()):
        left = MARGIN + n % columns * (CELL + CELL_GAP)
        box = style.Area(left, MARGIN + TITLE + n // columns * row, CELL, CELL)
        style.text(axes, left, box.top - 0.09, _words(name), width=CELL, weight="bold")
        style.fill(axes, box, style.MAT)
        own = style.value_colors(maps[name].names)
        size = 9 if len(points) < 500 else 4
        _dots(axes, _placed(points, box.shrink(0.1)), [own[value] for value in values], size)
        style.key(axes, left, box.bottom + 0.13, keys[name], CELL)
    return axes.figure


def _checked(name: str, shown: EmbeddingMap) -> tuple[np.ndarray, np.ndarray]:
    points, values = np.asarray(shown.points, np.float64), np.asarray(shown.values)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"expected points of {name} as [N, 2], received {list(points.shape)}")
    if values.shape != points.shape[:1] or values.dtype.kind not in "iu":
        raise ValueError(
            f"expected values of {name} as {len(points)} whole numbers, "
            f"received {values.dtype} {list(values.shape)}"
        )
    if not np.isfinite(points).all():
        raise ValueError(f"expected finite points of {name}, received NaN or infinity")
    return points, values


def _placed(points: np.ndarray, area: style.Area) -> np.ndarray:
    """The points in inches, so that they fill the area; each axis has its own scale."""
    low, high = points.min(0), points.max(0)
    span = np.where(high > low, high - low, 1)
    scaled = (points - (low + high) / 2) / span
    centre = (area.left + area.width / 2, area.top + area.height / 2)
    return scaled * (area.width, -area.height) + centre


def _tiled(points: np.ndarray) -> dict[int, tuple[int, int]]:
    """Point -> column and row of its cell, for those that find one."""
    at = _placed(points, style.Area(0.5, 0.5, TILES - 1, TILES - 1))
    cells = np.stack(np.meshgrid(*[np.arange(TILES)] * 2), -1).reshape(-1, 2)
    taken = np.zeros(len(cells), bool)
    found = {}
    for n, point in enumerate(at):
        distances = np.where(taken, np.inf, np.linalg.norm(cells + 0.5 - point, axis=1))
        nearest = distances.argmin()
        if distances[nearest] <= FARTHEST:
            taken[nearest] = True
            found[n] = tuple(cells[nearest])
    return found


def _dots(axes: Axes, at: np.ndarray, colors: Sequence[str], size: float) -> None:
    axes.scatter(*at.T, s=size, c=colors, edgecolors=style.SHADE, linewidths=0.25, zorder=2)


def _entries(
    values: np.ndarray, names: Sequence[str], most: int | None = None
) -> list[tuple[str, str]]:
    """Colour and name of the values that occur, the most frequent where there are too many."""
    found, counts = np.unique(values, return_counts=True)
    shown = np.sort(found[np.argsort(-counts, kind="stable")[:most]])
    colors = style.value_colors(names)
    entries = [(colors[value], _words(names[value])) for value in shown]
    hidden = len(found) - len(shown)
    return [*entries, ("none", f"and {hidden} more")] if hidden else entries


def _lines(entries: Sequence[tuple[str, str]], width: float) -> int:
    """How many lines of a key they need."""
    blank = style.page(1, 1)
    return round(style.key(blank, 0, 0, entries, width) / style.KEY_LINE)


def _words(name: str) -> str:
    return name.replace("_", " ")

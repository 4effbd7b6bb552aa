"""What a search finds."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from asen_tf.viz import style

RIGHT = style.Line(style.GREEN, 2.2)
WRONG = style.Line(style.VERMILLION, 2.2, (3, 1.5))
# Strokes of the marks, x and y in radii of the badge.
TICK = (((-0.45, 0.05), (-0.12, 0.38), (0.46, -0.34)),)
CROSS = (((-0.34, -0.34), (0.34, 0.34)), ((0.34, -0.34), (-0.34, 0.34)))

# Inches.
PAGE_WIDTH, NARROWEST, WIDEST = 10.0, 1.0, 1.5
MARGIN, GAP, QUERY_GAP, TITLE, CAPTION, BADGE = 0.14, 0.1, 0.24, 0.24, 0.33, 0.095
# Height by width of a cell.
FLATTEST, TALLEST = 3 / 4, 4 / 3


def retrieval_grid(
    query_images: Sequence[np.ndarray],
    result_images: Sequence[Sequence[np.ndarray]],
    correct: np.ndarray,
    attribute: str,
    query_values: Sequence[str | None] | None = None,
    result_values: Sequence[Sequence[str | None]] | None = None,
    scores: np.ndarray | None = None,
) -> Figure:
    """A row a query: the query at the left, then its results, best first.

    Right results have a solid frame and a tick, wrong ones a dashed frame of another colour and a
    cross. Photographs may lose their ends, but nothing of the centred square that a model sees.

    Args:
      query_images: Q photographs, uint8 [H, W, 3], of any sizes.
      result_images: [Q, k] photographs.
      correct: bool [Q, k], whether a result has the query's value.
      attribute: name of the attribute searched by; underscores become spaces.
      query_values: Q captions under the queries, None where unknown.
      result_values: [Q, k] captions under the results, None where unknown.
      scores: float [Q, k], written beside the values.

    Returns:
      A figure; `asen_tf.viz.save` writes it.

    Raises:
      ValueError: no query or no result, lengths that disagree, or an image of another kind.
    """
    correct = np.asarray(correct)
    if correct.dtype != bool or correct.ndim != 2 or not correct.size:
        raise ValueError(
            "expected correct as bool [queries, results], "
            f"received {correct.dtype} {list(correct.shape)}"
        )
    queries, k = correct.shape
    _check_length("query_images", query_images, queries)
    _check_length("query_values", query_values, queries)
    for name, table in (
        ("result_images", result_images),
        ("result_values", result_values),
        ("scores", scores),
    ):
        _check_length(name, table, queries)
        for row in () if table is None else table:
            _check_length(f"each row of {name}", row, k)
    rows = [
        [style.check_image(image) for image in (query, *results)]
        for query, results in zip(query_images, result_images, strict=True)
    ]

    below = CAPTION if any(x is not None for x in (query_values, result_values, scores)) else GAP
    areas = _layout(rows, below)
    axes = style.page(areas[0][-1].right + MARGIN, areas[-1][0].bottom + below + MARGIN / 2)
    _draw_header(axes, attribute, areas[0])
    for q, (row, cells) in enumerate(zip(rows, areas, strict=True)):
        draw_photograph(axes, row[0], cells[0])
        if query_values is not None:
            draw_caption(axes, cells[0], query_values[q], "", weight="bold")
        for r, (image, cell) in enumerate(zip(row[1:], cells[1:], strict=True)):
            draw_photograph(axes, image, cell)
            draw_verdict(axes, cell, correct[q, r])
            value = None if result_values is None else result_values[q][r]
            score = "" if scores is None else f"{scores[q][r]:.2f}"
            draw_caption(axes, cell, value, score)
    return axes.figure


def _check_length(name: str, given: Sequence | None, expected: int) -> None:
    if given is not None and len(given) != expected:
        raise ValueError(f"expected {name} of length {expected} (as in correct), got {len(given)}")


def _layout(rows: list[list[np.ndarray]], below: float) -> list[list[style.Area]]:
    """Cells of one size, of the proportions that most photographs have."""
    columns = len(rows[0])
    width = float(np.clip(PAGE_WIDTH / columns, NARROWEST, WIDEST))
    proportions = [image.shape[0] / image.shape[1] for row in rows for image in row]
    height = width * float(np.clip(np.median(proportions), FLATTEST, TALLEST))
    lefts = [MARGIN + c * (width + GAP) + (c > 0) * QUERY_GAP for c in range(columns)]
    tops = [MARGIN + TITLE + r * (height + below) for r in range(len(rows))]
    return [[style.Area(left, top, width, height) for left in lefts] for top in tops]


def _draw_header(axes: Axes, attribute: str, cells: list[style.Area]) -> None:
    """The attribute over the queries, the ranks over the results."""
    y = cells[0].top - 0.1
    title = attribute.replace("_", " ")
    style.text(axes, cells[0].left, y, title, width=cells[0].width + QUERY_GAP, weight="bold")
    for rank, cell in enumerate(cells[1:], 1):
        style.text(axes, cell.left, y, str(rank), color=style.QUIET)


def draw_photograph(axes: Axes, image: np.ndarray, cell: style.Area) -> None:
    """Cuts the ends off towards the cell's proportion, but never into the centred square."""
    proportion = cell.height / cell.width
    shown = np.clip(image.shape[0] / image.shape[1], min(proportion, 1), max(proportion, 1))
    style.fill(axes, cell, style.MAT)
    style.picture(axes, style.thumbnail(image), cell.contain(float(shown)))


def draw_verdict(axes: Axes, cell: style.Area, right: bool) -> None:
    """The frame, and a badge with a tick or a cross in the upper right corner."""
    line, strokes = (RIGHT, TICK) if right else (WRONG, CROSS)
    style.outline(axes, cell, line)
    x, y = cell.right - 1.5 * BADGE, cell.top + 1.5 * BADGE
    badge = Circle((x, y), BADGE, facecolor=line.color, edgecolor="white", linewidth=0.8, zorder=4)
    axes.add_patch(badge)
    for stroke in strokes:
        dx, dy = BADGE * np.transpose(stroke)
        axes.plot(x + dx, y + dy, color="white", linewidth=1.4, solid_capstyle="round", zorder=5)


def draw_caption(
    axes: Axes, cell: style.Area, value: str | None, score: str, weight: str = "normal"
) -> None:
    y = cell.bottom + 0.17
    score_width = style.text_width(score, style.SMALL_SIZE) + 0.06 if score else 0.0
    style.text(axes, cell.left, y, value, width=cell.width - score_width, weight=weight)
    style.text(axes, cell.right, y, score, size=style.SMALL_SIZE, color=style.QUIET, align="right")

"""A ranking before and after it is ordered by one attribute."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from asen_tf.viz import style
from asen_tf.viz.retrieval import draw_caption, draw_photograph, draw_verdict

MOVED = style.Line(style.SHADE, 1.1)
# Inches.
MARGIN, GAP, QUERY_GAP, TITLE, CAPTION, BETWEEN, AFTER = 0.14, 0.1, 0.3, 0.24, 0.24, 0.4, 0.24
PAGE_WIDTH, NARROWEST, WIDEST = 10.0, 0.8, 1.3
# Height by width of a cell.
FLATTEST, TALLEST = 3 / 4, 4 / 3


class Reranking(NamedTuple):
    """One query, and what was found.

    Attributes:
      query: its photograph, uint8 [H, W, 3].
      query_value: its value of the attribute, None where unknown.
      images: [R] the photographs found, in their order before, R >= 1.
      values: [R] their values, None where unknown.
      correct: bool [R], whether a photograph has the query's value.
      after: int [R], the numbers 0..R-1 in the new order.
    """

    query: np.ndarray
    query_value: str | None
    images: Sequence[np.ndarray]
    values: Sequence[str | None]
    correct: np.ndarray
    after: np.ndarray


def reranking_grid(
    rankings: Sequence[Reranking],
    attribute: str,
    before: str = "before",
    shown: int = 8,
) -> Figure:
    """The first places before and after; lines lead photographs from the one to the other.

    Where a photograph comes from further below, its old rank stands under it. Frames and marks are
    those of `retrieval_grid`.

    Args:
      rankings: one or more queries.
      attribute: what the new order goes by; underscores become spaces.
      before: what the old order goes by.
      shown: places of a row; fewer are shown where less was found.

    Returns:
      A figure; `asen_tf.viz.save` writes it.

    Raises:
      ValueError: no query, lengths that disagree, or an order that is none.
    """
    if not rankings:
        raise ValueError("expected at least one query, received none")
    for ranking in rankings:
        _check(ranking)
    shown = min(shown, max(len(ranking.images) for ranking in rankings))
    width = float(np.clip(PAGE_WIDTH / (1 + shown), NARROWEST, WIDEST))
    proportions = [image.shape[0] / image.shape[1] for r in rankings for image in r.images]
    height = width * float(np.clip(np.median(proportions), FLATTEST, TALLEST))
    block = TITLE + 2 * (height + CAPTION) + BETWEEN + AFTER
    lefts = [MARGIN + n * (width + GAP) + (n > 0) * QUERY_GAP for n in range(1 + shown)]
    axes = style.page(lefts[-1] + width + MARGIN, MARGIN + len(rankings) * block - AFTER)
    for n, ranking in enumerate(rankings):
        top = MARGIN + TITLE + n * block
        first = [style.Area(left, top, width, height) for left in lefts]
        second = [cell._replace(top=top + height + CAPTION + BETWEEN) for cell in first]
        _query(axes, ranking, first[0], attribute)
        style.text(axes, first[1].left, top - 0.1, before, color=style.QUIET)
        _label(axes, second[0], ("then by", attribute.replace("_", " ")))
        _row(axes, ranking, np.arange(len(ranking.images)), first[1:])
        _row(axes, ranking, ranking.after, second[1:])
        _moves(axes, ranking.after, first[1:], second[1:])
    return axes.figure


def _check(ranking: Reranking) -> None:
    count = len(ranking.images)
    if not count or sorted(np.asarray(ranking.after).tolist()) != list(range(count)):
        raise ValueError(f"expected after to hold the numbers 0 to {count - 1}, each once")
    for name in ("values", "correct"):
        if len(getattr(ranking, name)) != count:
            given = len(getattr(ranking, name))
            raise ValueError(f"expected {name} of length {count} (as images), got {given}")


def _query(axes: Axes, ranking: Reranking, cell: style.Area, attribute: str) -> None:
    title = attribute.replace("_", " ")
    style.text(axes, cell.left, cell.top - 0.1, title, width=cell.width + 0.1, weight="bold")
    draw_photograph(axes, style.check_image(ranking.query), cell)
    draw_caption(axes, cell, ranking.query_value, "", weight="bold")


def _label(axes: Axes, cell: style.Area, lines: Sequence[str]) -> None:
    """Lines in the middle of a cell, at its right."""
    y = cell.top + cell.height / 2
    for n, line in enumerate(lines):
        style.text(axes, cell.right, y + 0.18 * n, line, width=cell.width, align="right")


def _row(axes: Axes, ranking: Reranking, order: np.ndarray, cells: Sequence[style.Area]) -> None:
    """The first photographs of an order; those that come from beyond the row with their rank."""
    for n, cell in zip(order, cells, strict=False):
        draw_photograph(axes, style.check_image(ranking.images[n]), cell)
        draw_verdict(axes, cell, bool(ranking.correct[n]))
        draw_caption(axes, cell, ranking.values[n], f"from {n + 1}" if n >= len(cells) else "")


def _moves(
    axes: Axes, after: np.ndarray, first: Sequence[style.Area], second: Sequence[style.Area]
) -> None:
    """A line for each photograph that is shown twice."""
    for old, cell in zip(after, second, strict=False):
        if old >= len(first):
            continue
        above = first[old]
        start = above.left + above.width / 2, above.bottom + CAPTION + 0.03
        end = cell.left + cell.width / 2, cell.top - 0.05
        bend = (start[1] + end[1]) / 2
        curve = Path(
            [start, (start[0], bend), (end[0], bend), end],
            [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
        )
        line = {"edgecolor": MOVED.color, "linewidth": MOVED.width, "zorder": 0}
        axes.add_patch(PathPatch(curve, fill=False, **line))
        axes.plot(*end, "o", color=MOVED.color, markersize=3)

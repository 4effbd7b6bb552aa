"""A ranking by general similarity, and what one attribute makes of it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from asen_tf.figures import cells, style
from asen_tf.figures.cells import MARGIN, Cell
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import Source, spread

DEPTH, SHOWN, QUERIES = 100, 8, 3
# Longer side of the photographs: more than a cell of the picture shows.
SMALL_PX = 320
MOVED = style.Line(style.SHADE, 1.1)
# Inches.
QUERY_GAP, TITLE, CAPTION, BETWEEN, AFTER = 0.3, 0.24, 0.24, 0.4, 0.24
WIDTHS = (0.8, 1.3)


class Reranking(NamedTuple):
    """One query, and what was found.

    Attributes:
      query: its cell.
      found: [R] cells in their order before, R >= 1.
      after: int [R], the numbers 0..R-1 in the new order.
    """

    query: Cell
    found: Sequence[Cell]
    after: np.ndarray


@figure(
    "reranking",
    title="Reranking by one attribute",
    text="A hundred photographs found by similarity over all attributes together, then ordered by "
    "one attribute alone. Lines lead photographs to their new places; the others come from "
    "further below.",
)
def draw(source: Source) -> Iterator[Picture]:
    """One picture: the first 100 by the mean of all cosines, ordered by the large attribute."""
    name = source.attribute
    queries, candidates = source.searched(name)
    rankings = [_ranking(source, name, query, candidates) for query in spread(queries, QUERIES)]
    verdicts = [np.array([cell.correct for cell in ranking.found]) for ranking in rankings]
    first = np.mean([v[:SHOWN].mean() for v in verdicts])
    then = np.mean([v[r.after[:SHOWN]].mean() for v, r in zip(verdicts, rankings, strict=True)])
    yield Picture(
        f"reranking_{name}",
        reranking_grid(rankings, name),
        f"Results for {len(rankings)} of the queries in two orders: of the first {SHOWN} by "
        f"general similarity {100 * first:.0f} % have the query's {style.words(name)}, after "
        f"reranking {100 * then:.0f} %",
    )


def _ranking(source: Source, name: str, query: int, candidates: np.ndarray) -> Reranking:
    cosines = np.einsum("rad,ad->ra", source.vectors[candidates], source.vectors[query])
    before = np.argsort(-cosines.mean(1), kind="stable")[:DEPTH]
    after = np.argsort(-cosines[before, source.index(name)], kind="stable")

    def cell(position, correct=None):
        row = source.rows[position]
        return Cell(source.pixels(row, SMALL_PX), source.values(row, name), correct)

    found = candidates[before]
    return Reranking(cell(query), list(map(cell, found, source.alike(name, query, found))), after)


def reranking_grid(
    rankings: Sequence[Reranking], attribute: str, shown: int = SHOWN
) -> matplotlib.figure.Figure:
    """The first `shown` places before and after; lines lead photographs to their new ones.

    Where a photograph comes from further below, its old rank stands under it. Frames and marks are
    those of `retrieval_grid`.
    """
    columns = 1 + min(shown, max(len(ranking.found) for ranking in rankings))
    images = [cell.image for ranking in rankings for cell in ranking.found]
    lefts, width, height = cells.layout(images, columns, WIDTHS, QUERY_GAP)
    block = TITLE + 2 * (height + CAPTION) + BETWEEN + AFTER
    axes = style.page(lefts[-1] + width + MARGIN, MARGIN + len(rankings) * block - AFTER)
    for n, ranking in enumerate(rankings):
        top = MARGIN + TITLE + n * block
        first = [style.Area(left, top, width, height) for left in lefts]
        second = [area._replace(top=first[0].bottom + CAPTION + BETWEEN) for area in first]
        title, y = style.words(attribute), top - 0.1
        style.text(axes, lefts[0], y, title, width=width + 0.1, weight="bold")
        cells.draw(axes, ranking.query, first[0])
        style.text(axes, lefts[1], y, "most alike over all attributes", color=style.QUIET)
        for line, word in enumerate(("then by", title)):
            y = second[0].top + height / 2 + 0.18 * line
            style.text(axes, second[0].right, y, word, width=width, align="right")
        _draw_row(axes, ranking.found, range(len(ranking.found)), first[1:])
        _draw_row(axes, ranking.found, ranking.after, second[1:])
        _draw_moves(axes, ranking.after, first[1:], second[1:])
    return axes.figure


def _draw_row(
    axes: Axes, found: Sequence[Cell], order: Sequence[int], areas: Sequence[style.Area]
) -> None:
    """The first photographs of an order; those that come from beyond the row with their rank."""
    for n, area in zip(order, areas, strict=False):
        note = f"from {n + 1}" if n >= len(areas) else ""
        cells.draw(axes, found[n]._replace(note=note), area)


def _draw_moves(
    axes: Axes, after: np.ndarray, first: Sequence[style.Area], second: Sequence[style.Area]
) -> None:
    """A line for each photograph that is shown twice."""
    for old, area in zip(after, second, strict=False):
        if old >= len(first):
            continue
        above = first[old]
        start = above.left + above.width / 2, above.bottom + CAPTION + 0.03
        end = area.left + area.width / 2, area.top - 0.05
        bend = (start[1] + end[1]) / 2
        curve = Path(
            [start, (start[0], bend), (end[0], bend), end],
            [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
        )
        line = PathPatch(curve, ec=MOVED.color, lw=MOVED.width, fill=False, zorder=0)
        axes.add_patch(line)
        axes.plot(*end, "o", color=MOVED.color, markersize=3)

"""What is found by each attribute."""

from collections.abc import Iterator, Sequence

import matplotlib.figure
import numpy as np

from asen_tf.figures import cells, style
from asen_tf.figures.cells import MARGIN, Cell
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import Source

# Inches.
QUERY_GAP, TITLE, CAPTION = 0.24, 0.24, 0.33
WIDTHS = (1.0, 1.5)


@figure(
    "retrieval",
    title="What it finds",
    text="At the left a query, then the candidates most alike in one attribute, best first, with "
    "their cosines. A solid frame and a tick: the same value as the query.",
)
def draw(source: Source) -> Iterator[Picture]:
    """A picture an attribute that has queries and candidates."""
    for name in source.searchable():
        rows = list(_rows(source, name))
        verdicts = [cell.correct for _, *results in rows for cell in results]
        yield Picture(
            f"retrieval_{name}",
            retrieval_grid(name, rows),
            f"{len(rows)} photographs and what is most alike in {style.words(name)}: "
            f"{sum(verdicts)} of {len(verdicts)} results have the same value",
        )


def _rows(source: Source, name: str) -> Iterator[list[Cell]]:
    """The cells of each query: its own, then those of its results."""
    queries, candidates = source.searched(name)
    vectors = source.vectors[:, source.index(name)]
    for query in queries:
        scores = vectors[candidates] @ vectors[query]
        best = np.argsort(-scores, kind="stable")[: source.results]
        found = candidates[best]
        row = [_cell(source, name, query)]
        shares = source.alike(name, query, found)
        for position, same, score in zip(found, shares, scores[best], strict=True):
            row.append(_cell(source, name, position, bool(same), f"{score:.2f}"))
        yield row


def _cell(source, name, position, *said):
    row = source.rows[position]
    return Cell(source.pixels(row), source.values(row, name), *said)


def retrieval_grid(attribute: str, rows: Sequence[Sequence[Cell]]) -> matplotlib.figure.Figure:
    """A row a query: the query at the left, then its results, best first.

    Right results have a solid frame and a tick, wrong ones a dashed frame of another colour and a
    cross.
    """
    columns = max(map(len, rows))
    images = [cell.image for row in rows for cell in row]
    lefts, width, height = cells.layout(images, columns, WIDTHS, QUERY_GAP)
    tops = [MARGIN + TITLE + n * (height + CAPTION) for n in range(len(rows))]
    axes = style.page(lefts[-1] + width + MARGIN, tops[-1] + height + CAPTION + MARGIN / 2)
    y = tops[0] - 0.1
    title = style.words(attribute)
    style.text(axes, lefts[0], y, title, width=width + QUERY_GAP, weight="bold")
    for rank, left in enumerate(lefts[1:], 1):
        style.text(axes, left, y, str(rank), color=style.QUIET)
    for row, top in zip(rows, tops, strict=True):
        for cell, left in zip(row, lefts, strict=False):
            cells.draw(axes, cell, style.Area(left, top, width, height))
    return axes.figure

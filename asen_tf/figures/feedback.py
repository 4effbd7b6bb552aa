"""What is found after a user chose some of the results (Ak et al., WACV 2018, figure 8)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import matplotlib.figure
import numpy as np

from asen_tf.catalogue.queries import feedback_weights
from asen_tf.evaluation.changes import compared_attributes
from asen_tf.evaluation.first_targets import distances
from asen_tf.figures import cells, style
from asen_tf.figures.cells import MARGIN, Cell
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source, spread

FROM, SHOWN, AFTER = 10, 5, 3  # as many as are shown of the first ten, and found then
MOST_CHOSEN = 3
CHOSEN = style.Line(style.BLUE, 2.4)
GENERAL = "the others"
# Inches.
WEIGHTS, TITLE, CAPTION, QUERY_GAP = 1.9, 0.24, 0.33, 0.24
WIDTHS = (0.95, 1.2)


class Feedback(NamedTuple):
    """One round.

    Attributes:
      query: its cell.
      wish: what the user cares about, in words.
      shown: cells of results, best first.
      chosen: bool [R], which of them the user chose.
      weights: name of a vector -> its share of all weights.
      found: cells of the results after it, best first.
    """

    query: Cell
    wish: str
    shown: Sequence[Cell]
    chosen: np.ndarray
    weights: Mapping[str, float]
    found: Sequence[Cell]


@figure(
    "feedback",
    title="What it learns from a choice",
    text="At the left a query and some of the first ten results; a user who cares about one "
    "attribute alone chooses those in a blue frame. How close these lie together in each space "
    "gives the weights, with which the next search finds what stands at the right. A tick: it has "
    "the value that the user had in mind.",
    slow=True,
)
def draw(source: Source) -> Iterator[Picture]:
    """One picture: a row a query."""
    rows = _rounds(source)
    verdicts = [cell.correct for row in rows for cell in row.found]
    yield Picture(
        "feedback",
        feedback_grid(rows),
        f"{len(rows)} photographs, results that a user chose, and what is found then: "
        f"{sum(verdicts)} of {len(verdicts)} results have the value that the user had in mind",
    )


def _rounds(source: Source) -> list[Feedback]:
    space = source.embedder.attributes
    names = tuple(source.run.config().data.special) or source.attributes
    special = np.array([source.index(name) for name in names])

    def embed(positions, attributes):
        return source.vectors[positions[:, None], attributes]

    given = np.arange(len(source.rows)), special, len(space)
    compared, one = compared_attributes(embed, *given, lambda positions: positions)
    if one:
        raise NothingToDraw("its vector is the same for all attributes: a choice tells nothing")
    vectors = source.vectors[:, compared]
    titles = [space.names[a] if a in special else GENERAL for a in compared]
    wishes = sorted(names, key=lambda name: name != source.attribute)
    found = []
    for query in spread(np.arange(len(source.rows)), 20 * source.photographs):
        if (row := _round(source, vectors, titles, wishes, query)) is not None:
            found.append(row)
            wishes = wishes[1:] + wishes[:1]  # another wish in each row
        if len(found) == source.photographs:
            break
    if not found:
        raise NothingToDraw("no query has two results with its value among others without it")
    return found


def _round(source, vectors, titles, wishes, query) -> Feedback | None:
    """The first wish that some of the results meet and others do not; None where there is none."""
    order = _nearest(vectors, query, None)
    places = np.random.default_rng(0).permutation(min(FROM, len(order)))[:SHOWN]
    shown = order[np.sort(places)]
    for name in wishes:
        meets = source.alike(name, query, shown)
        if 2 <= meets.sum() <= MOST_CHOSEN and source.values(source.rows[query], name):
            break
    else:
        return None
    weights = feedback_weights(vectors[shown[meets]], "euclidean")
    found = _nearest(vectors, query, weights)
    found = found[~np.isin(found, shown)][:AFTER]

    def cell(position, correct=None):
        row = source.rows[position]
        return Cell(source.pixels(row), source.values(row, name), correct)

    return Feedback(
        cell(query),
        style.words(name),
        list(map(cell, shown)),
        meets,
        {style.words(title): float(weight) for title, weight in zip(titles, weights, strict=True)},
        list(map(cell, found, map(bool, source.alike(name, query, found)))),
    )


def _nearest(vectors: np.ndarray, query: int, weights: np.ndarray | None) -> np.ndarray:
    """Positions of all others, by equation 4, or with weights by equation 6."""
    order = np.argsort(distances(vectors[[query]], vectors, weights)[0], kind="stable")
    return order[order != query]


def feedback_grid(rows: Sequence[Feedback]) -> matplotlib.figure.Figure:
    """A row a query: what was found, which of it was chosen, the weights, what is found then."""
    before = 1 + max(len(row.shown) for row in rows)
    after = max(len(row.found) for row in rows)
    images = [cell.image for row in rows for cell in (row.query, *row.shown, *row.found)]
    lefts, width, height = cells.layout(images, before + after, WIDTHS, QUERY_GAP)
    lefts = [left + (n >= before) * WEIGHTS for n, left in enumerate(lefts)]
    block = height + CAPTION
    tops = [MARGIN + TITLE + n * block for n in range(len(rows))]
    axes = style.page(lefts[-1] + width + MARGIN, tops[-1] + block)
    y = tops[0] - 0.1
    bars = style.Area(lefts[before - 1] + width + 0.2, 0, WEIGHTS - 0.3, height)
    for left, title in (
        (lefts[0], "query"),
        (lefts[1], "retrieved, and chosen by the user"),
        (bars.left, "weights learned"),
        (lefts[before], "then"),
    ):
        style.text(axes, left, y, title, color=style.QUIET)
    for row, top in zip(rows, tops, strict=True):
        places = [style.Area(left, top, width, height) for left in lefts]
        for cell, place in zip((row.query, *row.shown), places, strict=False):
            cells.draw(axes, cell, place)
        for place, chosen in zip(places[1:], row.chosen, strict=False):
            if chosen:
                style.outline(axes, place, CHOSEN)
        for cell, place in zip(row.found, places[before:], strict=False):
            cells.draw(axes, cell, place)
        _draw_weights(axes, row, bars._replace(top=top))
    return axes.figure


def _draw_weights(axes, row: Feedback, area: style.Area) -> None:
    """A bar a vector; that of the user's wish is blue."""
    step = min(0.24, area.height / len(row.weights))
    top = area.top + (area.height - step * len(row.weights)) / 2
    label, most = 0.55 * area.width, max(row.weights.values())
    for n, (name, weight) in enumerate(row.weights.items()):
        wished = name == row.wish
        color = style.BLUE if wished else style.SHADE
        y = top + step * n
        text = {"color": style.INK if wished else style.QUIET, "size": style.SMALL_SIZE}
        style.text(
            axes,
            area.left + label - 0.06,
            y + 0.62 * step,
            name,
            align="right",
            width=label,
            **text,
        )
        length = (area.width - label) * weight / most
        bar = style.Area(area.left + label, y + 0.2 * step, length, 0.6 * step)
        style.fill(axes, bar, color)

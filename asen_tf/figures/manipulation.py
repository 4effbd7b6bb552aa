"""What is found after an attribute was changed (Ak et al., WACV 2018, figure 7)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import matplotlib.figure
import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.data.label_sets import LabelSets
from asen_tf.evaluation.changes import represented
from asen_tf.evaluation.embed import change_fn
from asen_tf.evaluation.first_targets import distances
from asen_tf.evaluation.recognition import predict_fn_of
from asen_tf.evaluation.searches import Pool, drawn
from asen_tf.evaluation.storage import float_arrays
from asen_tf.figures import cells, style
from asen_tf.figures.cells import MARGIN, Cell
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source, spread

# Inches.
CHANGE, TITLE, CAPTION = 1.35, 0.24, 0.33
WIDTHS = (1.0, 1.5)


class Change(NamedTuple):
    """One search.

    Attributes:
      query: its cell.
      attribute, before, after: what changed, in words.
      found: cells of the results, best first.
    """

    query: Cell
    attribute: str
    before: str
    after: str
    found: Sequence[Cell]


@figure(
    "manipulation",
    title="What it finds after a change",
    text="At the left a query and the attribute that is to be another, then what is found, best "
    "first. A solid frame and a tick: exactly the wanted value, and all other special attributes "
    "as in the query; under the others stands what differs.",
    slow=True,
)
def draw(source: Source) -> Iterator[Picture]:
    """One picture: a row a query, one random attribute of which became a random other value."""
    rows = _changes(source)
    verdicts = [cell.correct for row in rows for cell in row.found]
    yield Picture(
        "manipulation",
        manipulation_grid(rows),
        f"{len(rows)} photographs with one attribute changed, and what is found: {sum(verdicts)} "
        f"of {len(verdicts)} results are exactly as wanted",
    )


def _changes(source: Source) -> list[Change]:
    manifest, embedder = source.manifest, source.embedder
    train = np.unique(manifest.labels_of("train")["image"]).astype(np.int64)
    if not len(train):
        raise NothingToDraw("no labelled photographs for training, whose means values become")
    kept = np.union1d(source.rows, spread(train, source.images))
    manifest = manifest.take(kept)
    try:
        items = LabelSets.of_split(manifest, source.split, source.run.config().data.special)
    except ValueError as error:
        raise NothingToDraw(str(error)) from error
    pool = Pool.of_roles(items, manifest)
    searches, _ = drawn(pool, 1, (0, 1))
    shown = spread(np.arange(len(searches.queries)), source.photographs)
    if not len(shown):
        raise NothingToDraw("no photograph shows what a query with a changed attribute wants")

    def photographs(rows):
        return [source.manifest.photograph(row, embedder.box_margin) for row in kept[rows]]

    def embed(photographs, attributes):
        vectors = np.asarray(embedder.embed_all(photographs))
        return np.take_along_axis(vectors, attributes[..., None], axis=1)

    with float_arrays() as arrays:
        vectors, change = represented(
            embed,
            manifest,
            items,
            photographs,
            change_fn(embedder.model),
            predict_fn_of(embedder, manifest.space),
            4 * embedder.batch_size,
            Progress,
            arrays,
        )
        return [
            _change(source, kept, pool, vectors, change, searches.queries[n], searches.wanted[n])
            for n in shown
        ]


def _change(source, kept, pool, vectors, change, query, wanted_group) -> Change:
    items, names = pool.items, source.embedder.attributes.names
    given, wanted = items.sets[query], pool.groups.sets[wanted_group]
    (place,) = np.flatnonzero(given != wanted)
    attribute = items.attributes[place]
    changed = change(
        np.array([query]), vectors[[query]], np.array([[attribute]]), wanted[place].reshape(1, 1)
    )
    found = distances(changed, vectors)[0]
    found[~pool.gallery] = found[query] = np.inf
    best = np.argsort(found, kind="stable")[: min(source.results, int(np.isfinite(found).sum()))]

    def cell(place_of_item):
        row = kept[items.rows[place_of_item]]
        wrong = np.flatnonzero(items.sets[place_of_item] != wanted)
        if not len(wrong):
            return Cell(source.pixels(row), source.values(row, names[attribute]), True)
        values = (source.values(row, names[a]) for a in items.attributes[wrong])
        return Cell(source.pixels(row), ", ".join(values), False)

    row = kept[items.rows[query]]
    shown = ", ".join(source.values(row, names[a]) for a in items.attributes)
    values = source.embedder.attributes[names[attribute]].values
    return Change(
        Cell(source.pixels(row), shown),
        style.words(names[attribute]),
        source.values(row, names[attribute]),
        style.words(values[wanted[place]]),
        [cell(place) for place in best],
    )


def manipulation_grid(rows: Sequence[Change]) -> matplotlib.figure.Figure:
    """A row a search: the query, what changes, the results. Marks are those of `retrieval_grid`."""
    columns = 1 + max(len(row.found) for row in rows)
    images = [cell.image for row in rows for cell in (row.query, *row.found)]
    lefts, width, height = cells.layout(images, columns, WIDTHS, CHANGE)
    tops = [MARGIN + TITLE + n * (height + CAPTION) for n in range(len(rows))]
    axes = style.page(lefts[-1] + width + MARGIN, tops[-1] + height + CAPTION + MARGIN / 2)
    y = tops[0] - 0.1
    style.text(axes, lefts[0], y, "query", color=style.QUIET)
    for rank, left in enumerate(lefts[1:], 1):
        style.text(axes, left, y, str(rank), color=style.QUIET)
    for row, top in zip(rows, tops, strict=True):
        for cell, left in zip((row.query, *row.found), lefts, strict=False):
            cells.draw(axes, cell, style.Area(left, top, width, height))
        _draw_change(axes, row, lefts[0] + width, lefts[1], top + height / 2)
    return axes.figure


def _draw_change(axes, row: Change, start: float, end: float, middle: float) -> None:
    x, width = (start + end) / 2, end - start - 0.2
    centred = {"width": width, "align": "center"}
    style.text(axes, x, middle - 0.3, row.attribute, color=style.QUIET, **centred)
    style.text(axes, x, middle - 0.08, row.before, **centred)
    arrow = {
        "arrowstyle": "-|>",
        "color": style.GREEN,
        "linewidth": 1.6,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axes.annotate("", (end - 0.16, middle + 0.04), (start + 0.16, middle + 0.04), arrowprops=arrow)
    style.text(axes, x, middle + 0.26, row.after, color=style.GREEN, weight="bold", **centred)

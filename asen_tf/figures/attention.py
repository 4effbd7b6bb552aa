"""Where the model looks for each attribute: attention maps over photographs."""

from collections.abc import Iterable, Iterator, Sequence

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from asen_tf.figures import style
from asen_tf.figures.overlay import HALO, REGION, Box, attention_overlay, check_box, heat_colors
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source

PART = style.Line(style.SKY, 1.3, (3, 1.5))
# Inches.
PAGE_WIDTH, NARROWEST, WIDEST = 10.0, 1.1, 1.7
MARGIN, GAP, TITLE, CAPTION, LEGEND, SWATCH = 0.14, 0.06, 0.24, 0.27, 0.3, 0.11
# Height by width of a cell.
FLATTEST, TALLEST = 0.8, 1.5


@figure(
    "attention",
    title="Where the model looks",
    text="Spatial attention for each attribute, over photographs that were not trained on. The "
    "white square is the region that the local branch looks at again; a dashed one, where "
    "there is one, is the annotated part. Under each picture stands the photograph's label.",
)
def draw(source: Source) -> Iterator[Picture]:
    """One picture: a row a photograph, a column an attribute."""
    embedder = source.embedder
    if not embedder.model.explains:
        raise NothingToDraw(f"{type(embedder.model).__name__} has no attention to show")
    names, rows = source.attributes, source.sample(source.photographs)
    images = [source.pixels(row) for row in rows]
    maps, regions = zip(*(embedder.explain(images, name) for name in names), strict=True)
    parts = [source.part_boxes(row) for row in rows]
    yield Picture(
        "attention",
        attention_grid(
            images,
            names,
            np.stack(maps, axis=1),
            np.stack(regions, axis=1),
            [[source.values(row, name) for name in names] for row in rows],
            None if source.manifest.boxes is None else parts,
            embedder.fit,
        ),
        f"{len(rows)} photographs, and over each a heat map for every attribute",
    )


def attention_grid(
    images: Sequence[np.ndarray],
    attributes: Sequence[str],
    attentions: Sequence[Sequence[np.ndarray]],
    boxes: Sequence[Sequence[Box | None]] | None = None,
    labels: Sequence[Sequence[str | None]] | None = None,
    part_boxes: Sequence[Sequence[Box | None]] | None = None,
    fit: str = "crop",
) -> matplotlib.figure.Figure:
    """A row a photograph: the photograph, then where the model looks for each attribute.

    Photographs taller than 3:2 or flatter than 4:5 lose their ends; the square that a model sees
    is always whole.

    Args:
      images: N photographs, uint8 [H, W, 3], of any sizes.
      attributes: A names, the titles of the columns; underscores become spaces.
      attentions: [N, A] maps, each float [h, w], see `attention_overlay`.
      boxes: [N, A, 4] regions that the local branch sees, in pixels of the photograph.
      labels: [N, A] captions: the photograph's value of each attribute, None or "" where unknown.
      part_boxes: [N, A, 4] annotated parts (`Manifest.boxes`), drawn dashed.
        In both kinds of boxes None or NaN stands for no box.
      fit: see `attention_overlay`.

    Raises:
      ValueError: nothing to show, lengths that disagree, or what `attention_overlay` refuses.
    """
    images = [style.check_image(image) for image in images]
    rows, columns = len(images), len(attributes)
    if not rows or not columns:
        raise ValueError(f"expected photographs and attributes, received {rows} and {columns}")
    maps = _table("attentions", attentions, rows, columns)
    regions = _table("boxes", boxes, rows, columns)
    captions = _table("labels", labels, rows, columns)
    parts = _table("part_boxes", part_boxes, rows, columns)

    below = GAP if labels is None else CAPTION
    width = float(np.clip(PAGE_WIDTH / (1 + columns), NARROWEST, WIDEST))
    lefts = [MARGIN + n * (width + GAP) + (n > 0) * GAP for n in range(1 + columns)]
    heights = [width * float(np.clip(i.shape[0] / i.shape[1], FLATTEST, TALLEST)) for i in images]
    top = MARGIN + TITLE
    legend_top = top + sum(heights) + rows * below
    axes = style.page(lefts[-1] + width + MARGIN, legend_top + LEGEND)
    for left, name in zip(lefts[1:], attributes, strict=True):
        style.text(axes, left, top - 0.09, style.words(name), width=width, weight="bold")
    for n, (image, height) in enumerate(zip(images, heights, strict=True)):
        cells = [style.Area(left, top, width, height) for left in lefts]
        shown = zip(maps[n], regions[n], captions[n], parts[n], strict=True)
        _draw_row(axes, cells, image, shown, fit)
        top += height + below
    _draw_legend(axes, MARGIN, legend_top + LEGEND / 2, boxes, part_boxes)
    return axes.figure


def _table(name: str, table: Sequence | None, rows: int, columns: int) -> Sequence[Sequence]:
    """The table once its size is checked; all None where there is no table."""
    if table is None:
        return [[None] * columns] * rows
    lengths = [len(row) for row in table]
    if lengths != [columns] * rows:
        raise ValueError(
            f"expected {name} with {rows} rows (photographs) of {columns} (attributes), "
            f"received rows of {lengths}"
        )
    return table


def _draw_row(
    axes: Axes, cells: list[style.Area], image: np.ndarray, shown: Iterable, fit: str
) -> None:
    """A photograph, then it again under each attention, region, caption and part."""
    small = style.thumbnail(image)
    style.picture(axes, small, cells[0])
    for cell, (attention, region, caption, part) in zip(cells[1:], shown, strict=True):
        whole = style.picture(axes, attention_overlay(small, attention, fit=fit), cell)
        _draw_box(axes, check_box(part, image), image, whole, cell, PART)
        _draw_box(axes, check_box(region, image), image, whole, cell, REGION)
        y = cell.bottom + 0.15
        style.text(axes, cell.left, y, caption, width=cell.width, color=style.QUIET)


def _draw_box(
    axes: Axes,
    box: np.ndarray | None,
    image: np.ndarray,
    whole: style.Area,
    cell: style.Area,
    line: style.Line,
) -> None:
    """Draws a box in pixels of `image`, which lies over `whole` and shows inside `cell`.

    The line lies inside the box, so that it shows at the edges of the photograph too.
    """
    if box is None:
        return
    left, top, right, bottom = box * (whole.width / image.shape[1])
    area = style.Area(whole.left + left, whole.top + top, right - left, bottom - top)
    area = area.shrink(line.width / style.POINTS / 2)
    style.outline(axes, area, HALO, within=cell)
    style.outline(axes, area, line, within=cell)


def _draw_legend(axes: Axes, x: float, y: float, boxes: object, part_boxes: object) -> None:
    """One quiet line that says what the colours and the boxes mean."""
    ramp = heat_colors(np.linspace(0, 1, 256)[None]).astype(np.uint8)
    axes.imshow(ramp, extent=(x, x + 5 * SWATCH, y + SWATCH / 2, y - SWATCH / 2), aspect="auto")
    x = _legend_word(axes, x + 5.6 * SWATCH, y, "attention")
    entries = ((boxes, REGION, "local region"), (part_boxes, PART, "annotated part"))
    for given, line, word in entries:
        if given is None:
            continue
        style.fill(axes, style.Area(x, y - 0.7 * SWATCH, 2 * SWATCH, 1.4 * SWATCH), style.SHADE)
        inside = style.Area(x + 0.3 * SWATCH, y - 0.4 * SWATCH, 1.4 * SWATCH, 0.8 * SWATCH)
        style.outline(axes, inside, line)
        x = _legend_word(axes, x + 2.6 * SWATCH, y, word)


def _legend_word(axes: Axes, x: float, y: float, word: str) -> float:
    """Writes one entry, returns where the next one begins."""
    style.text(axes, x, y + 0.035, word, size=style.SMALL_SIZE, color=style.QUIET)
    return x + style.text_width(word, style.SMALL_SIZE) + 2 * SWATCH

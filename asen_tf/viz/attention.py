"""Where a model looks: attention maps over photographs."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageColor

from asen_tf.viz import style

# The darkest third would read as shadow on the garment, the palest end would vanish on white.
COLORS = matplotlib.colormaps["inferno"](np.linspace(0.35, 0.93, 256))[:, :3] * 255
STRONGEST = 0.8
OUTSIDE = 0.6
REGION = style.Line("#FFFFFF", 1.3)
PART = style.Line(style.SKY, 1.3, (3, 1.5))
HALO = style.Line("#101418", 2.7, opacity=0.6)

# Inches.
PAGE_WIDTH, NARROWEST, WIDEST = 10.0, 1.1, 1.7
MARGIN, GAP, TITLE, CAPTION, LEGEND, SWATCH = 0.14, 0.06, 0.24, 0.27, 0.3, 0.11
# Height by width of a cell.
FLATTEST, TALLEST = 0.8, 1.5

Box = Sequence[float]


def attention_overlay(
    image: np.ndarray, attention: np.ndarray, box: Box | None = None
) -> np.ndarray:
    """Heat map over the photograph.

    The map covers the centred square of the photograph's shorter side, which is what a model sees
    after resizing by the shorter side and cropping at the centre. It is resized bilinearly with
    half-pixel centres and stretched to 0..1; colour and opacity grow with it. A constant map shows
    no heat. What lies outside of the square is dimmed.

    Args:
      image: uint8 [H, W, 3].
      attention: float [h, w], any scale.
      box: left, top, right, bottom in pixels of `image`, right and bottom exclusive; drawn as a
        rectangle whose outermost pixels lie inside the box. None or NaN: no rectangle.

    Returns:
      uint8 [H, W, 3].

    Raises:
      ValueError: another shape or dtype, numbers that are not finite, or a box without area or
        outside of the photograph.
    """
    image = style.check_image(image)
    box = _check_box(box, image)
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.s_[top : top + side, left : left + side]

    heat = _upsample(_check_attention(attention), side)
    opacity = STRONGEST * heat[..., None]
    overlay = image * OUTSIDE
    overlay[square] = (1 - opacity) * image[square] + opacity * _colors(heat)
    overlay = np.rint(overlay).astype(np.uint8)
    return overlay if box is None else _paint_box(overlay, box)


def attention_grid(
    images: Sequence[np.ndarray],
    attributes: Sequence[str],
    attentions: Sequence[Sequence[np.ndarray]],
    boxes: Sequence[Sequence[Box | None]] | None = None,
    labels: Sequence[Sequence[str | None]] | None = None,
    part_boxes: Sequence[Sequence[Box | None]] | None = None,
) -> Figure:
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

    Returns:
      A figure; `asen_tf.viz.save` writes it.

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
    areas = _layout(images, 1 + columns, below)
    legend_top = areas[-1][0].bottom + below
    axes = style.page(areas[0][-1].right + MARGIN, legend_top + LEGEND)
    for area, name in zip(areas[0][1:], attributes, strict=True):
        title = name.replace("_", " ")
        style.text(axes, area.left, area.top - 0.09, title, width=area.width, weight="bold")
    for n, image in enumerate(images):
        _draw_row(axes, areas[n], image, maps[n], regions[n], captions[n], parts[n])
    _draw_legend(axes, areas[0][0].left, legend_top + LEGEND / 2, boxes, part_boxes)
    return axes.figure


def _check_attention(attention: np.ndarray) -> np.ndarray:
    attention = np.asarray(attention, np.float32)
    if attention.ndim != 2 or not attention.size:
        raise ValueError(f"expected attention as [h, w], received {list(attention.shape)}")
    if not np.isfinite(attention).all():
        raise ValueError("expected finite attention, received NaN or infinity")
    return attention


def _check_box(box: Box | None, image: np.ndarray) -> np.ndarray | None:
    """The box as four floats, None for no box."""
    if box is None:
        return None
    box = np.asarray(box, np.float64)
    if box.shape != (4,):
        raise ValueError(
            f"expected a box as left, top, right, bottom, received shape {list(box.shape)}"
        )
    if np.isnan(box).any():
        return None
    left, top, right, bottom = box
    height, width = image.shape[:2]
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise ValueError(
            f"expected 0 <= left < right <= {width} and 0 <= top < bottom <= {height} "
            f"(pixels of the photograph), received {box.tolist()}"
        )
    return box


def _upsample(attention: np.ndarray, side: int) -> np.ndarray:
    """[h, w] -> [side, side] float32 in 0..1; a constant map gives zeros."""
    # Pillow's coordinates are half-pixel centres, like those of tf.image.resize.
    heat = np.asarray(Image.fromarray(attention).resize((side, side), Image.Resampling.BILINEAR))
    lowest, span = heat.min(), np.ptp(heat)
    return (heat - lowest) / span if span > 0 else np.zeros_like(heat)


def _paint_box(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The image with a box of at least one pixel, its line inside, a dark halo on both sides."""
    left, top, right, bottom = np.rint(box).astype(int).tolist()
    edges = np.array([min(left, right - 1), min(top, bottom - 1), right, bottom])
    inwards = np.array([1, 1, -1, -1])
    line = max(1, round(min(image.shape[:2]) / 130))
    halo = max(1, line // 2)

    def ring(outer: int, inner: int) -> np.ndarray:
        inside = _inside(image, edges + inwards * inner)
        return _inside(image, edges + inwards * outer) & ~inside

    image = image.copy()
    image[ring(-halo, line + halo)] = ImageColor.getrgb(HALO.color)
    image[ring(0, line)] = ImageColor.getrgb(REGION.color)
    return image


def _inside(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """[H, W] bool: the pixels of a box, which may reach over the edges."""
    left, top, right, bottom = box
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    return (left <= x) & (x < right) & (top <= y) & (y < bottom)


def _colors(heat: np.ndarray) -> np.ndarray:
    """[...] in 0..1 -> [..., 3] in 0..255."""
    return COLORS[np.rint(heat * (len(COLORS) - 1)).astype(int)]


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


def _layout(images: Sequence[np.ndarray], columns: int, below: float) -> list[list[style.Area]]:
    """Cells [N][columns]: equal widths, each row as high as its photograph needs."""
    width = float(np.clip(PAGE_WIDTH / columns, NARROWEST, WIDEST))
    cells, top = [], MARGIN + TITLE
    for image in images:
        height = width * float(np.clip(image.shape[0] / image.shape[1], FLATTEST, TALLEST))
        lefts = [MARGIN + c * (width + GAP) + (c > 0) * GAP for c in range(columns)]
        cells.append([style.Area(left, top, width, height) for left in lefts])
        top += height + below
    return cells


def _draw_row(
    axes: Axes,
    cells: list[style.Area],
    image: np.ndarray,
    maps: Sequence[np.ndarray],
    regions: Sequence[Box | None],
    captions: Sequence[str | None],
    parts: Sequence[Box | None],
) -> None:
    small = style.thumbnail(image)
    style.picture(axes, small, cells[0])
    for cell, attention, region, caption, part in zip(
        cells[1:], maps, regions, captions, parts, strict=True
    ):
        whole = style.picture(axes, attention_overlay(small, attention), cell)
        _draw_box(axes, _check_box(part, image), image, whole, cell, PART)
        _draw_box(axes, _check_box(region, image), image, whole, cell, REGION)
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
    ramp = _colors(np.linspace(0, 1, 256)[None]).astype(np.uint8)
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

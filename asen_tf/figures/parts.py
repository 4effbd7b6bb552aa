"""How the parts of a garment are found in its outline (Ak et al., WACV 2018, figure 4)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import matplotlib.figure
import numpy as np

from asen_tf.figures import style
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source
from asen_tf.images import graph

COLORS = {
    "torso": style.BLUE,
    "left_sleeve": style.VERMILLION,
    "right_sleeve": style.VERMILLION,
    "collar": style.ORANGE,
    "fastening": style.PINK,
    "chest": style.GREEN,
}
SAID = {"off": "no parts", "sleeves": "with sleeves", "sleeveless": "sleeveless"}
GARMENT, GROUND = (200, 208, 216), (255, 255, 255)
JUMP, MIDDLE = style.Line(style.VERMILLION, 2.0), style.Line(style.SHADE, 1.0, (3, 2))
# Inches.
CELL, MARGIN, GAP, TITLE, CAPTION, ROW, KEY = 1.45, 0.14, 0.1, 0.22, 0.22, 0.34, 0.24


class Outline(NamedTuple):
    """What the outline of a photograph tells; lengths are shares of its side, as it is a square.

    Attributes:
      image: uint8 [S, S, 3].
      mask: bool [s, s], where the garment is.
      axis, shoulder: column of its middle line, row where the shoulders begin.
      jumps: [2] rows where the outline jumps from a sleeve to the torso, at the left and the right;
        NaN where it shows no sleeve.
      reach: [2] how far the sleeves reach from the axis.
      boxes: part -> left, top, right, bottom; without those that are not extracted.
      case: what is extracted, in words.
    """

    image: np.ndarray
    mask: np.ndarray
    axis: float
    shoulder: float
    jumps: np.ndarray
    reach: np.ndarray
    boxes: Mapping[str, np.ndarray]
    case: str


@figure(
    "parts",
    title="Which parts it extracts",
    text="From the outline of the garment to its parts: where the outline jumps in from a sleeve "
    "to the torso (red), the sleeves end, and the torso gives the other parts their sizes. "
    "Without sleeves there is no sleeve to extract, of a lower body no part at all.",
    slow=True,
)
def draw(source: Source) -> Iterator[Picture]:
    """One picture: a column a photograph, with its outline and its parts."""
    from asen_tf.models.part_guided import PartGuided  # TensorFlow takes seconds

    model, rows = source.embedder.model, source.sample(source.photographs)
    if not isinstance(model, PartGuided):
        raise NothingToDraw(f"{type(model).__name__} extracts no parts of garments")
    if not len(rows):
        raise NothingToDraw(f"split {source.split!r} has no photographs")
    square = graph.square_fn(model.image_size, source.embedder.fit)
    images = np.stack([square(source.pixels(row)).numpy() for row in rows])
    found = outlines(model.extract, images)
    cases = [outline.case for outline in found]
    yield Picture(
        "parts",
        parts_grid(found),
        f"{len(found)} photographs, the outlines of their garments, and boxes around the parts: "
        + ", ".join(f"{cases.count(case)} {case}" for case in dict.fromkeys(cases)),
    )


def outlines(extract, images: np.ndarray) -> list[Outline]:
    """What a `PartExtractor` sees in squares uint8 [N, S, S, 3]."""
    from asen_tf.models.part_guided.foreground import foreground
    from asen_tf.models.part_guided.part_extractor import CASES
    from asen_tf.models.part_guided.silhouette import measure

    side = extract.resolution
    masks, _ = foreground(images, side)
    measured = measure(masks)
    regions, _, cases = (np.asarray(found) for found in extract(images))
    axis, shoulder, cuff, reach = (
        length.numpy() / side
        for length in (measured.axis, measured.shoulder, measured.cuff, measured.reach)
    )
    sleeved = measured.sleeved.numpy()
    found = []
    for n, image in enumerate(images):
        case = CASES[cases[n]]
        shown = sleeved[n] & (case == "sleeves")
        ends = np.where(shown, cuff[n] + 1 / side, np.nan)
        place = axis[n], shoulder[n], ends, reach[n]
        boxes = _extracted(case, regions[n])
        found.append(Outline(image, masks[n].numpy(), *place, boxes, SAID[case]))
    return found


def _extracted(case: str, regions: np.ndarray) -> dict[str, np.ndarray]:
    from asen_tf.models.part_guided import PARTS

    left_out = {"off": COLORS, "sleeves": (), "sleeveless": ("left_sleeve", "right_sleeve")}[case]
    boxes = dict(zip(PARTS, regions, strict=True))
    kept = {part: boxes[part] for part in COLORS if part not in left_out}
    return {part: box for part, box in kept.items() if not np.array_equal(box, (0, 0, 1, 1))}


def parts_grid(found: Sequence[Outline]) -> matplotlib.figure.Figure:
    """A column a photograph: its outline, where this jumps, and the parts on the photograph."""
    left = MARGIN + ROW
    lefts = [left + n * (CELL + GAP) for n in range(len(found))]
    first, second = MARGIN, MARGIN + CELL + GAP
    bottom = second + CELL + CAPTION
    axes = style.page(lefts[-1] + CELL + MARGIN, bottom + KEY + MARGIN / 2)
    for name, top in (("outline", first), ("parts", second)):
        axes.text(
            MARGIN + 0.1,
            top + CELL / 2,
            name,
            rotation=90,
            va="center",
            ha="center",
            fontsize=style.TEXT_SIZE,
            color=style.QUIET,
            fontfamily=style.fonts.families(name),
        )
    for outline, start in zip(found, lefts, strict=True):
        _draw_outline(axes, outline, style.Area(start, first, CELL, CELL))
        area = style.Area(start, second, CELL, CELL)
        style.stretch(axes, style.thumbnail(outline.image), area)
        for part, box in outline.boxes.items():
            style.outline(axes, _inside(area, box), style.Line("white", 2.6, opacity=0.5), area)
            dashes = (3, 1.5) if part == "chest" else None  # it lies inside the torso
            style.outline(axes, _inside(area, box), style.Line(COLORS[part], 1.4, dashes), area)
        style.text(axes, start, second + CELL + 0.16, outline.case, width=CELL)
    names = {color: style.words(part) for part, color in COLORS.items()}
    names[style.VERMILLION] = "sleeves, and where they end"
    style.key(axes, left, bottom + KEY / 2, list(names.items()), axes.figure.get_figwidth() - left)
    return axes.figure


def _draw_outline(axes, outline: Outline, area: style.Area) -> None:
    """The garment in grey, its middle line, and at either side the row where its outline jumps."""
    painted = np.where(outline.mask[..., None], GARMENT, GROUND).astype(np.uint8)
    style.stretch(axes, painted, area).set_interpolation("nearest")
    style.outline(axes, area, style.Line(style.FAINT, 0.8))
    x = area.left + outline.axis * area.width
    rows = outline.jumps[np.isfinite(outline.jumps)]
    end = area.top + area.height * (rows.max() if len(rows) else outline.shoulder)
    begin = area.top + area.height * outline.shoulder
    middle = {"color": MIDDLE.color, "linewidth": MIDDLE.width, "linestyle": (0, MIDDLE.dashes)}
    axes.plot([x, x], [begin, max(end, begin + 0.3)], **middle)
    for sign, row, reach in zip((-1, 1), outline.jumps, outline.reach, strict=True):
        if np.isfinite(row):
            y = area.top + row * area.height
            far = np.clip(x + sign * reach * area.width, area.left, area.right)
            axes.plot([x, far], [y, y], color=JUMP.color, linewidth=1.0, alpha=0.6)
            axes.plot([far], [y], "o", color=JUMP.color, markersize=4, clip_on=False, zorder=4)


def _inside(area: style.Area, box: np.ndarray) -> style.Area:
    left, top, right, bottom = (float(share) for share in box)
    return style.Area(
        area.left + left * area.width,
        area.top + top * area.height,
        (right - left) * area.width,
        (bottom - top) * area.height,
    )

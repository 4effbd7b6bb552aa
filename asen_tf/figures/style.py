"""What all pictures share: colours, type, and layout in inches."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import is_color_like
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox, TransformedBbox
from PIL import Image

from asen_tf.figures import fonts

# Okabe and Ito's palette: its hues stay apart for colour-blind readers.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
PINK, SKY, VERMILLION = "#CC79A7", "#56B4E9", "#D55E00"
# Of values, in their order. The first eight stay apart for colour-blind readers.
CATEGORIES = (
    *(BLUE, ORANGE, GREEN, VERMILLION, SKY, PINK, "#F0E442", "#4D4D4D"),
    *("#8C564B", "#9467BD", "#BCBD22", "#17BECF", "#AEC7E8", "#98DF8A", "#FF9896", "#C5B0D5"),
)
INK, QUIET, SHADE, FAINT, MAT = "#1F2328", "#59636E", "#8B949E", "#D0D7DE", "#EFF1F3"
TEXT_SIZE, SMALL_SIZE = 8.5, 7.5
POINTS = 72.0  # an inch
KEY_MARK, KEY_LINE = 0.12, 0.15  # inches


class Area(NamedTuple):
    """A rectangle on a page, in inches from its top left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def contain(self, proportion: float) -> "Area":
        """The largest area inside, at the centre, whose height is `proportion` times its width."""
        return self._centred(min(self.width, self.height / proportion), proportion)

    def cover(self, proportion: float) -> "Area":
        """The smallest such area around this one."""
        return self._centred(max(self.width, self.height / proportion), proportion)

    def shrink(self, border: float) -> "Area":
        """What a border inside leaves."""
        width, height = (max(0.0, side - 2 * border) for side in (self.width, self.height))
        return Area(self.left + border, self.top + border, width, height)

    def _centred(self, width: float, proportion: float) -> "Area":
        height = width * proportion
        left, top = self.left + (self.width - width) / 2, self.top + (self.height - height) / 2
        return Area(left, top, width, height)


class Line(NamedTuple):
    """How a line looks: width in points; dashes as lengths on and off, in line widths."""

    color: str
    width: float
    dashes: tuple[float, ...] | None = None
    opacity: float = 1.0


def check_image(image: np.ndarray) -> np.ndarray:
    """The photograph as an array; raises ValueError unless it is uint8 [H, W, 3] with pixels."""
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            "expected a photograph as uint8 [height, width, 3], "
            f"received {image.dtype} {list(image.shape)}; convert it to RGB in 0..255 first"
        )
    return image


def words(name: str) -> str:
    """An attribute's name as it is written in pictures."""
    return name.replace("_", " ")


def page(width: float, height: float) -> Axes:
    """Axes that fill a new white figure; their coordinates are inches, the y axis points down."""
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    axes.set_axis_off()
    return axes


def thumbnail(image: np.ndarray, longest_px: int = 640) -> np.ndarray:
    """The photograph with its longer side at most so long; a cell of a grid shows no more."""
    scale = longest_px / max(image.shape[:2])
    if scale >= 1:
        return image
    height, width = (max(1, round(scale * side)) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def picture(axes: Axes, image: np.ndarray, area: Area) -> Area:
    """Fills the area with a photograph, whose ends are cut off; gives where the whole would lie."""
    whole = area.cover(image.shape[0] / image.shape[1])
    stretch(axes, image, whole).set_clip_box(_extent(axes, area))
    return whole


def stretch(axes: Axes, image: np.ndarray, area: Area) -> AxesImage:
    """Fills the area with all of an image."""
    extent = (area.left, area.right, area.bottom, area.top)
    return axes.imshow(image, extent=extent, aspect="auto", interpolation="antialiased", zorder=1)


def square(image: np.ndarray, side: int) -> np.ndarray:
    """The centred square of a photograph uint8 [H, W, 3], as uint8 [side, side, 3]."""
    image = check_image(image)
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    cut = Image.fromarray(image[top : top + short, left : left + short])
    return np.asarray(cut.resize((side, side), Image.Resampling.LANCZOS))


def strip(images: Sequence[np.ndarray], gap: int = 4) -> np.ndarray:
    """Photographs of one height in a row with white gaps, uint8 [H, W, 3]."""
    white = np.full((len(images[0]), gap, 3), 255, np.uint8)
    parts = [part for image in images for part in (white, check_image(image))]
    return np.concatenate(parts[1:], axis=1)


def fill(axes: Axes, area: Area, color: str) -> None:
    """Paints the area."""
    axes.add_patch(
        Rectangle((area.left, area.top), area.width, area.height, color=color, linewidth=0)
    )


def outline(axes: Axes, area: Area, line: Line, within: Area | None = None) -> None:
    """Draws the area's edges; what lies outside of `within` is cut off."""
    patch = Rectangle(
        (area.left, area.top),
        area.width,
        area.height,
        fill=False,
        edgecolor=line.color,
        linewidth=line.width,
        linestyle="solid" if line.dashes is None else (0, line.dashes),
        alpha=line.opacity,
        joinstyle="miter",
        zorder=3,
    )
    axes.add_patch(patch)
    if within is not None:
        patch.set_clip_box(_extent(axes, within))


def _extent(axes: Axes, area: Area) -> TransformedBbox:
    # From the bottom up, because a clip box needs y to grow once the page has turned it round.
    corners = Bbox.from_extents(area.left, area.bottom, area.right, area.top)
    return TransformedBbox(corners, axes.transData)


def text(
    axes: Axes,
    x: float,
    y: float,
    string: str | None,
    *,
    width: float = np.inf,
    size: float = TEXT_SIZE,
    color: str = INK,
    weight: str = "normal",
    align: str = "left",
) -> None:
    """Writes one line on the baseline y; what is wider than `width` inches is made to fit.

    None and the empty string write nothing.
    """
    if not string:
        return
    string, size = fit(fonts.drawable(string), width, size, weight)
    axes.text(
        x,
        y,
        string,
        fontfamily=fonts.families(string),
        fontsize=size,
        fontweight=weight,
        color=color,
        ha=align,
        va="baseline",
        parse_math=False,
        zorder=5,
    )


def upright(axes: Axes, x: float, y: float, string: str, size: float = TEXT_SIZE) -> None:
    """Writes one line from (x, y) upwards, centred on x."""
    string = fonts.drawable(string)
    axes.text(
        x,
        y,
        string,
        fontfamily=fonts.families(string),
        fontsize=size,
        color=INK,
        rotation=90,
        ha="center",
        va="bottom",
        parse_math=False,
    )


def value_colors(names: Sequence[str]) -> list[str]:
    """A colour for each value, from sixteen that repeat.

    Where most values are names of colours, these have the colour that they name.
    """
    named = [is_color_like(name) and len(name) > 1 for name in names]
    own = 2 * sum(named) > len(names)
    return [
        name if own and is_name else CATEGORIES[n % len(CATEGORIES)]
        for n, (name, is_name) in enumerate(zip(names, named, strict=True))
    ]


def key(axes: Axes, x: float, y: float, entries: Sequence[tuple[str, str]], width: float) -> float:
    """What colours mean: (colour, word) pairs in lines of at most `width` inches.

    The first line begins at x, its middle is y; gives the middle of the line below the last.
    """
    left = x
    for color, word in entries:
        word, size = fit(word, width - KEY_MARK, SMALL_SIZE)
        needed = KEY_MARK + text_width(word, size)
        if x > left and x + needed > left + width:
            x, y = left, y + KEY_LINE
        axes.scatter(x + 0.04, y, s=20, c=color, edgecolors=SHADE, linewidths=0.25, zorder=5)
        text(axes, x + KEY_MARK, y + 0.035, word, size=size, color=QUIET)
        x += needed + 0.1
    return y + KEY_LINE


def text_width(string: str, size: float = TEXT_SIZE, weight: str = "normal") -> float:
    """Width of one line in inches."""
    string = fonts.drawable(string)
    font = FontProperties(family=fonts.families(string), size=size, weight=weight)
    return text_to_path.get_text_width_height_descent(string, font, ismath=False)[0] / POINTS


def fit(string: str, width: float, size: float, weight: str = "normal") -> tuple[str, float]:
    """A line and its size in points, fit to `width` inches: down to 80 % of its size, then cut."""
    full = text_width(string, size, weight)
    if full <= width:
        return string, size
    size = max(0.8 * size, size * width / full)
    shortened = (string[:n].rstrip() + "…" for n in range(len(string) - 1, 0, -1))
    candidates = (s for s in (string, *shortened) if text_width(s, size, weight) <= width * 1.001)
    return next(candidates, "…"), size

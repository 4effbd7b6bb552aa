"""Line charts whose lines are named where they end."""

from collections.abc import Collection, Mapping

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from asen_tf.figures import fonts, style

COLORS = (style.BLUE, style.VERMILLION, style.GREEN, style.PINK, style.ORANGE, style.SKY)
DASHES = ("solid", "dashed", "dotted")
MOST_MARKERS = 40
# Inches.
PLOT_WIDTH, HEIGHT = 4.4, 3.2
# Of the height of the axes.
LINE_HEIGHT = 0.065


def chart(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    title: str,
    x_label: str,
    quiet: Collection[str] = (),
    least: float | None = None,
) -> matplotlib.figure.Figure:
    """Curves, each named with its last value where it ends.

    Args:
      curves: name -> (x [N], y [N]). Values that are not finite leave a gap; each curve has a
        finite one.
      title: what y is.
      x_label: what x is.
      quiet: names of those that others are compared with: grey and dotted.
      least: where the y axis begins; None: where the curves do.
    """
    ends = [y[np.isfinite(y)][-1] for _, y in curves.values()]
    labels = [f"{name}  {end:.4g}" for name, end in zip(curves, ends, strict=True)]
    looks = _looks(curves, quiet)
    axes = _axes(max(map(style.text_width, labels), default=0.0), title, x_label)
    for (x, y), (color, dashes) in zip(curves.values(), looks, strict=True):
        line = {"color": color, "linestyle": dashes, "linewidth": 1.8, "markersize": 3.2}
        marker = "o" if len(x) <= MOST_MARKERS else ""
        axes.plot(x, y, marker=marker, clip_on=False, zorder=3, **line)
    if least is not None:
        axes.set_ylim(bottom=least)
    low, high = axes.get_ylim()
    heights = spread_out((np.array(ends) - low) / (high - low), LINE_HEIGHT)
    for label, height, (color, _) in zip(labels, heights, looks, strict=True):
        axes.text(
            1.03,
            height,
            fonts.drawable(label),
            color=color,
            fontfamily=fonts.families(label),
            fontsize=style.TEXT_SIZE,
            va="center_baseline",
            transform=axes.transAxes,
            parse_math=False,
        )
    return axes.figure


def _looks(names, quiet):
    """Colour and dashes of each line."""
    loud = [name for name in names if name not in quiet]
    looks = {
        name: (COLORS[n % len(COLORS)], DASHES[n // len(COLORS) % len(DASHES)])
        for n, name in enumerate(loud)
    }
    return [looks.get(name, (style.SHADE, "dotted")) for name in names]


def _axes(label_width: float, title: str, x_label: str) -> Axes:
    """Axes in a new figure that leave `label_width` inches free at their right."""
    page = matplotlib.figure.Figure((label_width + PLOT_WIDTH + 0.8, HEIGHT), facecolor="white")
    inches = np.array([page.get_figwidth(), HEIGHT] * 2)
    axes = page.add_axes(np.array([0.5, 0.5, PLOT_WIDTH, HEIGHT - 0.85]) / inches)
    font = {"fontfamily": fonts.families(title), "fontsize": style.TEXT_SIZE, "color": style.INK}
    axes.set_xlabel(x_label, **font)
    axes.set_title(fonts.drawable(title), loc="left", fontweight="bold", **font)
    axes.set_axisbelow(True)
    axes.margins(x=0)
    axes.grid(axis="y", color=style.FAINT, linewidth=0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(style.FAINT)
    axes.tick_params(
        colors=style.QUIET, length=0, labelsize=style.TEXT_SIZE, labelfontfamily=fonts.FONT
    )
    return axes


def spread_out(heights: np.ndarray, distance: float) -> np.ndarray:
    """The heights, in the same order, moved so that neighbours are at least `distance` apart."""
    order = np.argsort(heights, kind="stable")
    steps = distance * np.arange(len(heights))
    below = heights[order] - steps
    # One only pushes up, the other only down; half way between, a crowd stays around its middle.
    pushed_up = np.maximum.accumulate(below)
    pushed_down = np.minimum.accumulate(below[::-1])[::-1]
    spread = np.empty_like(heights)
    spread[order] = (pushed_up + pushed_down) / 2 + steps
    return spread

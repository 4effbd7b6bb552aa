"""How a model learned."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asen_tf.viz import style

COLORS = (style.BLUE, style.VERMILLION, style.GREEN, style.PINK, style.ORANGE, style.SKY)
DASHES = ("solid", "dashed", "dotted")
MOST_MARKERS = 40
# Inches.
PLOT_WIDTH, HEIGHT = 4.4, 3.2
# Of the height of the axes.
LINE_HEIGHT = 0.065


def learning_curve(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    baseline: float | None = None,
    *,
    x_label: str = "minutes",
    y_label: str = "MAP",
    baseline_label: str = "random order",
) -> Figure:
    """A line a run; each is named, with its last value, where it ends.

    Args:
      curves: name -> (x [N], y [N]), numbers of the same length N >= 1; x in minutes or steps,
        y a score such as MAP in percent. Values that are not finite leave a gap.
      baseline: a score to compare with, drawn as a dashed horizontal line; None: no line.
      x_label, y_label, baseline_label: what the axes and that line are called.

    Returns:
      A figure; `asen_tf.viz.save` writes it.

    Raises:
      ValueError: no curve, an x and y that are not two equally long rows of numbers, or a curve
        without a finite value.
    """
    if not curves:
        raise ValueError("expected at least one curve, received none")
    points = {name: _check(name, *xy) for name, xy in curves.items()}
    ends = [y[np.isfinite(y)][-1] for _, y in points.values()]
    labels = [f"{name}  {end:.4g}" for name, end in zip(points, ends, strict=True)]
    colors = [COLORS[n % len(COLORS)] for n in range(len(points))]
    if baseline is not None:
        labels.append(f"{baseline_label}  {baseline:.4g}")
        ends.append(baseline)
        colors.append(style.QUIET)

    axes = _axes(max(map(style.text_width, labels)), x_label, y_label)
    for n, (x, y) in enumerate(points.values()):
        axes.plot(
            x,
            y,
            color=colors[n],
            linestyle=DASHES[n // len(COLORS) % len(DASHES)],
            linewidth=1.8,
            marker="o" if len(x) <= MOST_MARKERS else "",
            markersize=3.2,
            clip_on=False,
            zorder=3,
        )
    if baseline is not None:
        axes.axhline(baseline, color=style.QUIET, linewidth=1, linestyle=(0, (4, 3)), zorder=2)
    _label_ends(axes, labels, ends, colors)
    return axes.figure


def _check(name: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or not x.size:
        raise ValueError(
            f"expected curve {name!r} as x [N] and y [N], received {list(x.shape)} "
            f"and {list(y.shape)}"
        )
    if not np.isfinite(y).any():
        raise ValueError(f"expected a finite value in curve {name!r}, received none")
    return x, y


def _axes(label_width: float, x_label: str, y_label: str) -> Axes:
    """Axes in a new figure that leave `label_width` inches free at their right."""
    figure = Figure(figsize=(label_width + PLOT_WIDTH + 0.8, HEIGHT), facecolor="white")
    inches = np.array([figure.get_figwidth(), HEIGHT] * 2)
    axes = figure.add_axes(np.array([0.5, 0.5, PLOT_WIDTH, HEIGHT - 0.85]) / inches)
    font = {"fontfamily": style.FONT, "fontsize": style.TEXT_SIZE, "color": style.INK}
    axes.set_xlabel(x_label, **font)
    axes.set_title(y_label, loc="left", fontweight="bold", **font)
    axes.set_axisbelow(True)
    axes.margins(x=0)
    axes.grid(axis="y", color=style.FAINT, linewidth=0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(style.FAINT)
    axes.tick_params(
        colors=style.QUIET, length=0, labelsize=style.TEXT_SIZE, labelfontfamily=style.FONT
    )
    return axes


def _label_ends(axes: Axes, labels: list[str], ends: list[float], colors: list[str]) -> None:
    """Writes the names right of the axes, at their values, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    heights = (np.array(ends) - low) / (high - low)
    for label, height, color in zip(labels, _spread(heights, LINE_HEIGHT), colors, strict=True):
        axes.text(
            1.03,
            height,
            label,
            color=color,
            fontfamily=style.FONT,
            fontsize=style.TEXT_SIZE,
            va="center_baseline",
            transform=axes.transAxes,
            parse_math=False,
        )


def _spread(heights: np.ndarray, distance: float) -> np.ndarray:
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

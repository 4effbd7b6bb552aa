"""How the run learned."""

from collections.abc import Iterator, Mapping

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from asen_tf.evaluation.report import LABELS
from asen_tf.figures import fonts, style
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source

METRICS = ("map", "triplet_accuracy")
COLORS = (style.BLUE, style.VERMILLION, style.GREEN, style.PINK, style.ORANGE, style.SKY)
DASHES = ("solid", "dashed", "dotted")
MOST_MARKERS = 40
# Inches.
PLOT_WIDTH, HEIGHT = 4.4, 3.2
# Of the height of the axes.
LINE_HEIGHT = 0.065


@figure(
    "curves",
    title="How it learned",
    text="The score on the validation split that chooses the best checkpoint, and the training "
    "loss. A line a stage.",
)
def draw(source: Source) -> Iterator[Picture]:
    """The validation score over the time, and the loss; a line a stage."""
    history = source.run.history()
    scores = [metric for metric in METRICS if any(f"valid_{metric}" in e for e in history)]
    if not scores:
        raise NothingToDraw(f"{source.run.history_file} has no validation to draw")
    for metric in scores:
        yield Picture(
            "learning_curve",
            learning_curve(_curves(history, f"valid_{metric}"), f"validation {LABELS[metric]}"),
            f"Validation {LABELS[metric]} over the minutes of training, a line a stage",
            ".png",
        )
    yield Picture(
        "loss_curve",
        learning_curve(_curves(history, "loss"), "loss"),
        "The training loss over the minutes of training, a line a stage",
        ".png",
    )


def _curves(history: list[dict], key: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Stage -> minutes and what was logged under the key; without those that are never finite."""
    curves = {}
    for stage in dict.fromkeys(entry["stage"] for entry in history):
        entries = [e for e in history if e["stage"] == stage and key in e]
        values = np.array([entry[key] for entry in entries], np.float64)
        if np.isfinite(values).any():
            curves[stage] = np.array([entry["seconds"] / 60 for entry in entries]), values
    return curves


def learning_curve(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], title: str = "MAP"
) -> matplotlib.figure.Figure:
    """A line a stage or a run; each is named, with its last value, where it ends.

    Args:
      curves: name -> (x [N], y [N]); x in minutes, y a score or a loss. Values that are not finite
        leave a gap; each curve has a finite one.
      title: what y is.
    """
    ends = [y[np.isfinite(y)][-1] for _, y in curves.values()]
    labels = [f"{name}  {end:.4g}" for name, end in zip(curves, ends, strict=True)]
    colors = [COLORS[n % len(COLORS)] for n in range(len(curves))]
    axes = _axes(max(map(style.text_width, labels), default=0.0), title)
    for n, (x, y) in enumerate(curves.values()):
        dashes = DASHES[n // len(COLORS) % len(DASHES)]
        line = {"color": colors[n], "linestyle": dashes, "linewidth": 1.8, "markersize": 3.2}
        marker = "o" if len(x) <= MOST_MARKERS else ""
        axes.plot(x, y, marker=marker, clip_on=False, zorder=3, **line)
    low, high = axes.get_ylim()
    heights = _spread((np.array(ends) - low) / (high - low), LINE_HEIGHT)
    for label, height, color in zip(labels, heights, colors, strict=True):
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


def _axes(label_width: float, title: str) -> Axes:
    """Axes in a new figure that leave `label_width` inches free at their right."""
    page = matplotlib.figure.Figure((label_width + PLOT_WIDTH + 0.8, HEIGHT), facecolor="white")
    inches = np.array([page.get_figwidth(), HEIGHT] * 2)
    axes = page.add_axes(np.array([0.5, 0.5, PLOT_WIDTH, HEIGHT - 0.85]) / inches)
    font = {"fontfamily": fonts.families(title), "fontsize": style.TEXT_SIZE, "color": style.INK}
    axes.set_xlabel("minutes", **font)
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

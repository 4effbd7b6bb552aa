"""Which channels count for which attribute."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asen_tf.viz import style

COLORS = matplotlib.colormaps["PuOr_r"]
# Inches.
MARGIN, NAMES_GAP, TITLE, ROW, PROFILE, BETWEEN, SCALE = 0.16, 0.12, 0.5, 0.3, 5.2, 0.35, 0.45


def channel_grid(weights: np.ndarray, attributes: Sequence[str]) -> Figure:
    """Profiles of channel attention: a row an attribute, and beside it how alike they are.

    A profile is shown against the mean over the attributes, since most channels count much or
    little for all. Channels stand in the order of the attribute that lifts them most. Profiles are
    compared by the correlation of these differences.

    Args:
      weights: float [A, C], A >= 2.
      attributes: A names; underscores become spaces.

    Returns:
      A figure; `asen_tf.viz.save` writes it.

    Raises:
      ValueError: another shape, fewer than two attributes, or numbers that are not finite.
    """
    weights = np.asarray(weights, np.float64)
    count = len(attributes)
    if count < 2 or weights.ndim != 2 or len(weights) != count or not weights.size:
        raise ValueError(
            f"expected weights as [attributes, channels] of two attributes or more, "
            f"received {list(weights.shape)} and {count} attributes"
        )
    if not np.isfinite(weights).all():
        raise ValueError("expected finite weights, received NaN or infinity")
    lifts = weights - weights.mean(0)
    names = [name.replace("_", " ") for name in attributes]
    label = max(map(style.text_width, names)) + NAMES_GAP
    side = ROW * count
    profiles = style.Area(MARGIN + label, MARGIN + TITLE, PROFILE, side)
    table = style.Area(profiles.right + BETWEEN, profiles.top, side, side)
    axes = style.page(table.right + MARGIN, table.bottom + SCALE)
    for n, name in enumerate(names):
        y = profiles.top + (n + 0.5) * ROW + 0.04
        style.text(axes, profiles.left - NAMES_GAP / 2, y, name, align="right")
    strongest = float(np.quantile(np.abs(lifts), 0.99)) or 1.0
    _image(axes, lifts[:, _order(lifts)] / strongest, profiles)
    head = profiles.top - 0.3
    style.text(axes, profiles.left, head, "channels, against the mean of all", weight="bold")
    ordered = f"{weights.shape[1]} channels, by the attribute that lifts them most"
    style.text(axes, profiles.left, head + 0.17, ordered, size=style.SMALL_SIZE, color=style.QUIET)
    _scale(axes, profiles.left, profiles.bottom + 0.2, strongest)

    style.text(axes, table.left, head, "correlation", weight="bold")
    _correlations(axes, lifts, table)
    return axes.figure


def _order(lifts: np.ndarray) -> np.ndarray:
    """Channels by the attribute that lifts them most, and among these by how much."""
    return np.lexsort([-lifts.max(0), lifts.argmax(0)])


def _image(axes: Axes, values: np.ndarray, area: style.Area) -> None:
    axes.imshow(
        COLORS(np.clip(values, -1, 1) / 2 + 0.5),
        extent=(area.left, area.right, area.bottom, area.top),
        aspect="auto",
        interpolation="antialiased",
    )


def _scale(axes: Axes, x: float, y: float, strongest: float) -> None:
    low, high = (f"{sign}{strongest:.2g}" for sign in ("-", "+"))
    style.text(axes, x, y + 0.035, low, size=style.SMALL_SIZE, color=style.QUIET)
    x += style.text_width(low, style.SMALL_SIZE) + 0.06
    _image(axes, np.linspace(-1, 1, 256)[None], style.Area(x, y - 0.05, 0.9, 0.1))
    style.text(axes, x + 0.96, y + 0.035, high, size=style.SMALL_SIZE, color=style.QUIET)


def _correlations(axes: Axes, lifts: np.ndarray, table: style.Area) -> None:
    """Every two attributes, in colour and in numbers of two digits."""
    lengths = np.linalg.norm(lifts, axis=1)
    units = lifts / np.where(lengths, lengths, 1)[:, None]
    alike = units @ units.T
    _image(axes, alike, table)
    for (row, column), value in np.ndenumerate(alike):
        if row == column:
            continue
        x, y = table.left + (column + 0.5) * ROW, table.top + (row + 0.5) * ROW + 0.035
        number = f"{value:.1f}".replace("-0.0", "0.0")
        color = "white" if abs(value) > 0.6 else style.INK
        style.text(axes, x, y, number, size=6.5, color=color, align="center")

"""Which channels of the feature maps count for which attribute."""

from collections.abc import Iterator, Sequence

import matplotlib
import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from asen_tf.figures import style
from asen_tf.figures.picture import Picture
from asen_tf.figures.registry import figure
from asen_tf.figures.source import NothingToDraw, Source
from asen_tf.images.graph import to_square
from asen_tf.models.base import EmbeddingModel
from asen_tf.tracing import traced

PHOTOGRAPHS = 64
COLORS = matplotlib.colormaps["PuOr_r"]
# Inches.
MARGIN, NAMES_GAP, TITLE, ROW, PROFILE, BETWEEN, SCALE = 0.16, 0.12, 0.5, 0.3, 5.2, 0.35, 0.45


@figure(
    "channels",
    title="Which channels count",
    text="Channel attention weighs the channels of the feature maps anew for each attribute. "
    "Attributes whose profiles correlate read the same channels.",
)
def draw(source: Source) -> Iterator[Picture]:
    """One picture: the profiles of all attributes, averaged over photographs of the split."""
    model = source.embedder.model
    names = list(source.embedder.attributes)
    if len(names) < 2:
        raise NothingToDraw("channel profiles are compared, and there is one attribute alone")
    rows = source.sample(PHOTOGRAPHS)
    given = model.image_size, source.embedder.fit
    images = [to_square(source.pixels(row), *given).numpy() for row in rows]
    profiles = channel_profiles(model, np.stack(images), source.embedder.batch_size)
    yield Picture(
        "channels",
        channel_grid(profiles, names),
        "How much each channel counts for each attribute, and how alike the attributes are in this",
        ".png",
    )


def channel_profiles(model: EmbeddingModel, images: np.ndarray, batch_size: int = 32) -> np.ndarray:
    """How much each channel counts for each attribute: the mean over photographs.

    Args:
      images: uint8 [N, S, S, 3], N >= 1, S the model's `image_size`.

    Returns:
      float32 [A, C]; of ASEN, channel attention in 0..1.

    Raises:
      NothingToDraw: the model does not weigh channels (`EmbeddingModel.weighs_channels`).
      ValueError: there is no photograph.
    """
    if not model.weighs_channels:
        raise NothingToDraw(
            f"{type(model).__name__} does not weigh channels by attribute here: expected ASEN or "
            "ASENAAAI2020 with channel attention"
        )
    if not len(images):
        raise ValueError("expected photographs, received none")
    weigh = traced(
        lambda batch: model.channel_weights(batch, model.all_attributes(batch)),
        reduce_retracing=True,
    )
    starts = range(0, len(images), batch_size)
    total = sum(weigh(images[n : n + batch_size]).numpy().sum(0) for n in starts)
    return total / len(images)


def channel_grid(weights: np.ndarray, attributes: Sequence[str]) -> matplotlib.figure.Figure:
    """Profiles of channel attention, float [A, C], A >= 2: a row an attribute; their correlations.

    A profile is shown against the mean over the attributes, since most channels count much or
    little for all. Channels stand in the order of the attribute that lifts them most. The
    correlations are of these differences.
    """
    weights = np.asarray(weights, np.float64)
    lifts = weights - weights.mean(0)
    names = [style.words(name) for name in attributes]
    label = max(map(style.text_width, names)) + NAMES_GAP
    side = ROW * len(names)
    profiles = style.Area(MARGIN + label, MARGIN + TITLE, PROFILE, side)
    table = style.Area(profiles.right + BETWEEN, profiles.top, side, side)
    axes = style.page(table.right + MARGIN, table.bottom + SCALE)
    for n, name in enumerate(names):
        y = profiles.top + (n + 0.5) * ROW + 0.04
        style.text(axes, profiles.left - NAMES_GAP / 2, y, name, align="right")
    strongest = float(np.quantile(np.abs(lifts), 0.99)) or 1.0
    # By the attribute that lifts them most, and among these by how much.
    order = np.lexsort([-lifts.max(0), lifts.argmax(0)])
    _draw_image(axes, lifts[:, order] / strongest, profiles)
    head = profiles.top - 0.3
    style.text(axes, profiles.left, head, "channels, against the mean of all", weight="bold")
    ordered = f"{weights.shape[1]} channels, by the attribute that lifts them most"
    style.text(axes, profiles.left, head + 0.17, ordered, size=style.SMALL_SIZE, color=style.QUIET)
    _draw_scale(axes, profiles.left, profiles.bottom + 0.2, strongest)
    style.text(axes, table.left, head, "correlation", weight="bold")
    _draw_correlations(axes, lifts, table)
    return axes.figure


def _draw_image(axes: Axes, values: np.ndarray, area: style.Area) -> None:
    style.stretch(axes, COLORS(np.clip(values, -1, 1) / 2 + 0.5), area)


def _draw_scale(axes: Axes, x: float, y: float, strongest: float) -> None:
    low, high = (f"{sign}{strongest:.2g}" for sign in ("-", "+"))
    style.text(axes, x, y + 0.035, low, size=style.SMALL_SIZE, color=style.QUIET)
    x += style.text_width(low, style.SMALL_SIZE) + 0.06
    _draw_image(axes, np.linspace(-1, 1, 256)[None], style.Area(x, y - 0.05, 0.9, 0.1))
    style.text(axes, x + 0.96, y + 0.035, high, size=style.SMALL_SIZE, color=style.QUIET)


def _draw_correlations(axes: Axes, lifts: np.ndarray, table: style.Area) -> None:
    """Every two attributes, in colour and in numbers of one digit after the point."""
    lengths = np.linalg.norm(lifts, axis=1)
    units = lifts / np.where(lengths, lengths, 1)[:, None]
    alike = units @ units.T
    _draw_image(axes, alike, table)
    for (row, column), value in np.ndenumerate(alike):
        if row == column:
            continue
        x, y = table.left + (column + 0.5) * ROW, table.top + (row + 0.5) * ROW + 0.035
        number = f"{value:.1f}".replace("-0.0", "0.0")
        color = "white" if abs(value) > 0.6 else style.INK
        style.text(axes, x, y, number, size=6.5, color=color, align="center")

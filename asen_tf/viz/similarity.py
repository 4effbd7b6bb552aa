"""Which pixels make two photographs alike."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from asen_tf.viz import style
from asen_tf.viz.attention import attention_overlay

# Inches.
CELL, MARGIN, GAP, PAIR_GAP, HEADER, TITLE = 1.14, 0.14, 0.06, 0.3, 0.2, 0.26
# Height by width of a cell.
FLATTEST, TALLEST = 0.8, 1.4


class Pair(NamedTuple):
    """Two photographs and what makes them alike.

    Attributes:
      attribute: in which respect.
      images: the two, uint8 [H, W, 3], of any sizes.
      maps: method -> a map for each of the two, float [h, w], see `attention_overlay`.
      cosine: how alike they are.
      values: of the attribute, None where unknown.
    """

    attribute: str
    images: Sequence[np.ndarray]
    maps: Mapping[str, Sequence[np.ndarray]]
    cosine: float
    values: Sequence[str | None] = (None, None)


def similarity_grid(pairs: Sequence[Pair]) -> Figure:
    """A row a pair: the one photograph with its maps, then the other with its own.

    Args:
      pairs: with the same methods.

    Returns:
      A figure; `asen_tf.viz.save` writes it.

    Raises:
      ValueError: no pair, pairs with other methods, or what `attention_overlay` refuses.
    """
    if not pairs:
        raise ValueError("expected at least one pair, received none")
    methods = list(pairs[0].maps)
    if any(list(pair.maps) != methods for pair in pairs):
        raise ValueError(f"expected maps by {', '.join(methods)} of every pair")
    step = CELL + GAP
    half = (1 + len(methods)) * step + PAIR_GAP
    lefts = [
        MARGIN + side * half + column * step
        for side in (0, 1)
        for column in range(1 + len(methods))
    ]
    heights = [CELL * _proportion(pair) for pair in pairs]
    top = MARGIN + HEADER - 0.06
    axes = style.page(
        lefts[-1] + CELL + MARGIN, top + sum(heights) + len(pairs) * (TITLE + GAP) + MARGIN / 2
    )
    for left, method in zip(lefts, ["", *methods] * 2, strict=True):
        style.text(axes, left, top - 0.05, method, width=CELL, color=style.QUIET)
    for pair, height in zip(pairs, heights, strict=True):
        top += TITLE
        _title(axes, pair, lefts, top - 0.08)
        for side, image in enumerate(pair.images):
            small = style.thumbnail(style.check_image(image))
            shown = [small, *(attention_overlay(small, pair.maps[m][side]) for m in methods)]
            for left, picture in zip(lefts[side * len(shown) :], shown, strict=False):
                cell = style.Area(left, top, CELL, height)
                style.picture(axes, picture, cell)
        top += height + GAP
    return axes.figure


def _proportion(pair: Pair) -> float:
    """Height by width that both photographs of a pair are shown with."""
    tallest = max(image.shape[0] / image.shape[1] for image in pair.images)
    return float(np.clip(tallest, FLATTEST, TALLEST))


def _title(axes, pair: Pair, lefts: Sequence[float], y: float) -> None:
    name = pair.attribute.replace("_", " ")
    style.text(axes, lefts[0], y, name, weight="bold")
    x = lefts[0] + style.text_width(name, weight="bold") + 0.12
    style.text(axes, x, y, pair.values[0], color=style.QUIET)
    other = lefts[len(lefts) // 2]
    cosine = f"cosine {pair.cosine:.2f}"
    style.text(axes, other, y, cosine, weight="bold")
    x = other + style.text_width(cosine, weight="bold") + 0.12
    style.text(axes, x, y, pair.values[1], color=style.QUIET)

"""Heat maps and boxes over a photograph, as pixels."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from PIL import Image, ImageColor

from asen_tf.figures import style

# The darkest third would read as shadow on the garment, the palest end would vanish on white.
COLORS = matplotlib.colormaps["inferno"](np.linspace(0.35, 0.93, 256))[:, :3] * 255
STRONGEST = 0.8
OUTSIDE = 0.6
REGION = style.Line("#FFFFFF", 1.3)
HALO = style.Line("#101418", 2.7, opacity=0.6)

Box = Sequence[float]


def attention_overlay(
    image: np.ndarray, attention: np.ndarray, box: Box | None = None, fit: str = "crop"
) -> np.ndarray:
    """Heat map over the photograph.

    The map covers what a model sees: the centred square of the photograph's shorter side, or with
    "pad" that of its longer side. It is resized bilinearly with half-pixel centres and stretched to
    0..1; colour and opacity grow with it. A constant map shows no heat. What lies outside of the
    square is dimmed.

    Args:
      image: uint8 [H, W, 3].
      attention: float [h, w], any scale.
      box: left, top, right, bottom in pixels of `image`, right and bottom exclusive; drawn as a
        rectangle whose outermost pixels lie inside the box. None or NaN: no rectangle.
      fit: "crop" or "pad", how the photograph became the square that the model saw.

    Returns:
      uint8 [H, W, 3].

    Raises:
      ValueError: another shape or dtype, numbers that are not finite, or a box without area or
        outside of the photograph.
    """
    image = style.check_image(image)
    box = check_box(box, image)
    height, width = image.shape[:2]
    side = max(height, width) if fit == "pad" else min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.s_[max(top, 0) : max(top, 0) + side, max(left, 0) : max(left, 0) + side]

    heat = _upsample(_check_attention(attention), side)
    heat = heat[max(-top, 0) :, max(-left, 0) :][:height, :width]
    opacity = STRONGEST * heat[..., None]
    overlay = image * OUTSIDE
    overlay[square] = (1 - opacity) * image[square] + opacity * heat_colors(heat)
    overlay = np.rint(overlay).astype(np.uint8)
    return overlay if box is None else _paint_box(overlay, box)


def _check_attention(attention: np.ndarray) -> np.ndarray:
    attention = np.asarray(attention, np.float32)
    if attention.ndim != 2 or not attention.size:
        raise ValueError(f"expected attention as [h, w], received {list(attention.shape)}")
    if not np.isfinite(attention).all():
        raise ValueError("expected finite attention, received NaN or infinity")
    return attention


def check_box(box: Box | None, image: np.ndarray) -> np.ndarray | None:
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
    line = max(1, round(min(image.shape[:2]) / 130))
    halo = max(1, line // 2)
    painted = image.copy()
    for inset, color in ((-halo, HALO), (0, REGION), (line, HALO), (line + halo, None)):
        left, top, right, bottom = np.maximum(edges + inset * np.array([1, 1, -1, -1]), 0)
        inside = np.s_[top:bottom, left:right]
        painted[inside] = image[inside] if color is None else ImageColor.getrgb(color.color)
    return painted


def heat_colors(heat: np.ndarray) -> np.ndarray:
    """[...] in 0..1 -> [..., 3] in 0..255."""
    return COLORS[np.rint(heat * (len(COLORS) - 1)).astype(int)]

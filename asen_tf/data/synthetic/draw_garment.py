"""The garment's cloth: body and sleeves, cut out of one patterned sheet."""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from asen_tf.data.synthetic.colors import Color, cloth_color, detail_color, seam_color
from asen_tf.data.synthetic.draw_details import paint_fastening, paint_pocket
from asen_tf.data.synthetic.draw_neck import (
    edge,
    opening,
    paint_collar,
    paint_edge,
    shoulder_height,
)
from asen_tf.data.synthetic.frame import Brush, Frame, mirrored
from asen_tf.data.synthetic.garment import HEM, SLEEVE_SHARE, Garment
from asen_tf.data.synthetic.pattern import paint_pattern

_SHEET = (-0.55, -0.06, 0.55, 0.96)


def paint_garment(
    image: Image.Image,
    frame: Frame,
    garment: Garment,
    labels: Mapping[str, str],
    rng_of: Callable[[str], np.random.Generator],
) -> Image.Image:
    """Paints the garment onto `image`; returns the mask of its cloth, of the same size.

    Args:
      rng_of: name -> np.random.Generator, one for each concern.
    """
    color = cloth_color(labels["color"], rng_of("color"))
    seam = seam_color(color)
    sheet, rng = Image.new("RGB", image.size, color), rng_of("pattern")
    cell = rng.uniform(0.074, 0.098)
    paint_pattern(Brush(sheet, frame), labels["pattern"], _SHEET, cell, color, rng)
    body = _body_mask(image.size, frame, garment, labels)
    image.paste(sheet, mask=body)
    brush = Brush(image, frame)
    _outline_body(brush, garment, labels, seam)
    paint_edge(brush, labels["neckline"], color)
    paint_fastening(brush, garment, labels, color, rng_of("fastening"))
    paint_pocket(brush, labels["pocket"], garment, color, rng_of("pocket"))
    sleeves = _sleeve_mask(image.size, frame, garment, labels)
    image.paste(sheet, mask=sleeves)
    _outline_sleeves(brush, garment, labels, seam)
    collar = detail_color(color, rng_of("collar"))
    paint_collar(brush, labels["collar"], labels["neckline"], collar, color)
    body.paste(sleeves, mask=sleeves)
    return body


def _shoulder(neckline: str, sleeve_length: str) -> np.ndarray:
    """[N, 2] from the neckline's edge along the right shoulder to the underarm."""
    inner = edge(neckline)[0]
    if sleeve_length != "sleeveless":
        tip = np.array([(0.156, shoulder_height(0.156)), (0.172, 0.085), (0.158, 0.15)])
        return np.concatenate([inner[None], tip])
    strap = max(inner[0] + 0.022, 0.128)
    t = np.linspace(0, np.pi / 2, 10)
    top = shoulder_height(strap)
    hole = np.stack([0.158 - (0.158 - strap) * np.cos(t), top + (0.15 - top) * np.sin(t)], 1)
    return np.concatenate([inner[None], hole])


def _side(garment: Garment, labels: Mapping[str, str]) -> np.ndarray:
    """[N, 2] the right contour, neckline to hem."""
    shoulder = _shoulder(labels["neckline"], labels["sleeve_length"])
    return np.concatenate([shoulder, garment.side(HEM[labels["hem_length"]])])


def _body_mask(
    size: tuple[int, int], frame: Frame, garment: Garment, labels: Mapping[str, str]
) -> Image.Image:
    mask = Image.new("L", size, 0)
    brush = Brush(mask, frame)
    side = _side(garment, labels)
    hem = garment.hem(HEM[labels["hem_length"]])
    brush.fill(np.concatenate([side, hem, mirrored(side)[::-1]]), 255)
    for hole in opening(labels["neckline"]):
        brush.fill(hole, 0)
    return mask


def _sleeve_mask(
    size: tuple[int, int], frame: Frame, garment: Garment, labels: Mapping[str, str]
) -> Image.Image:
    mask = Image.new("L", size, 0)
    share = SLEEVE_SHARE[labels["sleeve_length"]]
    if share:
        brush = Brush(mask, frame)
        for side in (0, 1):
            brush.fill(garment.sleeve(side, share), 255)
            brush.discs(garment.arm(side)[:1], garment.sleeve_width * 0.96, 255)
    return mask


def _outline_body(brush: Brush, garment: Garment, labels: Mapping[str, str], seam: Color) -> None:
    side = _side(garment, labels)
    hem = garment.hem(HEM[labels["hem_length"]])
    brush.stroke(side, 0.006, seam)
    brush.stroke(mirrored(side), 0.006, seam)
    brush.stroke(hem, 0.008, seam)
    brush.stroke(hem * [0.985, 1] - [0, 0.020], 0.004, seam)
    if labels["hem_length"] in ("knee", "maxi"):
        _folds(brush, garment, HEM[labels["hem_length"]], seam)


def _folds(brush: Brush, garment: Garment, hem: float, seam: Color) -> None:
    """Lines that run up from a long hem."""
    for share, length in ((-0.62, 0.5), (-0.22, 0.75), (0.2, 0.6), (0.58, 0.8)):
        top = hem - length * (hem - 0.47)
        x = share * garment.half_width(np.array([top, hem]))
        brush.stroke(np.stack([x, [top, hem - 0.005]], 1), 0.005, seam)


def _outline_sleeves(
    brush: Brush, garment: Garment, labels: Mapping[str, str], seam: Color
) -> None:
    share = SLEEVE_SHARE[labels["sleeve_length"]]
    if not share:
        return
    for side in (0, 1):
        outline = garment.sleeve(side, share)
        brush.stroke(outline[3:-6], 0.006, seam)
        half = len(outline) // 2
        cuff = np.stack([outline[half - 3], outline[half + 2]])
        brush.stroke(cuff, 0.005, seam)

"""One synthetic photograph with its labels and part boxes."""

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from asen_client.core.errors import unknown_name
from asen_tf.core.choices import LOOKS
from asen_tf.data.synthetic.attributes import SPACE, draw_labels, stream
from asen_tf.data.synthetic.draw_figure import Figure, paint_behind, paint_head
from asen_tf.data.synthetic.draw_garment import paint_garment
from asen_tf.data.synthetic.frame import Brush
from asen_tf.data.synthetic.garment import Box, Garment, boxes_of
from asen_tf.data.synthetic.lighting import cloth_shading, light
from asen_tf.data.synthetic.scene import paint_scene

_SUPERSAMPLING = 2


@dataclasses.dataclass(frozen=True)
class Photograph:
    """A rendered garment.

    Attributes:
      image: uint8 [H, W, 3], RGB.
      labels: attribute -> value.
      boxes: attribute -> (left, top, right, bottom) of the part that shows it, in pixels. A part
        that is not there ("none") has none.
      parts: torso, left_sleeve, right_sleeve, collar, fastening, chest -> box likewise, see
        `Garment.body_shapes`.
    """

    image: np.ndarray
    labels: dict[str, str]
    boxes: dict[str, Box]
    parts: dict[str, Box]


def render(
    seed: int, index: int, look: str = "cluttered", labels: Mapping[str, str] | None = None
) -> Photograph:
    """Photograph `index` of the series `seed`: the same whatever else is rendered, and where.

    Args:
      seed: number of the series, 0 or more.
      index: number of the photograph within it, 0 or more.
      look: "plain" (a product photograph) or "cluttered" (a room, uneven light).
      labels: values to show in place of the drawn ones. All else stays as it was.

    Raises:
      ValueError: a negative number, an unknown look, attribute or value.
    """
    check_series(seed, look)
    if index < 0:
        raise ValueError(f"index must be 0 or more, got {index}")
    for name, value in (labels or {}).items():
        SPACE[name].index(value)
    values = {**draw_labels(seed, index), **(labels or {})}
    rng_of = functools.partial(stream, seed, index)
    size = _size(rng_of("size"))
    garment = Garment.drawn(rng_of("garment"), look)
    frame = garment.placed(rng_of("place"), look, *size)
    figure = Figure.drawn(rng_of("figure"))

    large = tuple(n * _SUPERSAMPLING for n in size)
    zoomed = frame.magnified(_SUPERSAMPLING)
    drawing = paint_scene(large, look, rng_of("scene"))
    brush = Brush(drawing, zoomed)
    paint_behind(brush, figure, garment)
    cloth = paint_garment(drawing, zoomed, garment, values, rng_of)
    paint_head(brush, figure)

    drawn = np.asarray(drawing.reduce(_SUPERSAMPLING), np.float32)
    share = np.asarray(cloth.reduce(_SUPERSAMPLING), np.float32) / 255
    shading = cloth_shading(size, frame, garment, rng_of("shading"))
    drawn = drawn * (1 + share * (shading - 1))[..., None]
    image = light(drawn, look, rng_of("light"))
    return Photograph(
        image,
        values,
        boxes=boxes_of(garment.part_shapes(values), frame),
        parts=boxes_of(garment.body_shapes(values), frame),
    )


def check_series(seed: int, look: str) -> None:
    """Raises ValueError for a negative seed or an unknown look."""
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    if look not in LOOKS:
        raise ValueError(unknown_name("look", look, LOOKS))


def _size(rng: np.random.Generator) -> tuple[int, int]:
    """Width and height in pixels: mostly upright, some square, a few lying."""
    short = int(rng.integers(256, 321))
    aspect = rng.choice([1.0, 1.2, 4 / 3, 1.4], p=[0.1, 0.25, 0.45, 0.2])
    long = min(384, round(short * aspect))
    return (long, short) if rng.uniform() < 0.08 else (short, long)

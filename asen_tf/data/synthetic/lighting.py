"""Light, shadow and camera: multiplies and noises the finished drawing."""

import numpy as np
from PIL import Image, ImageFilter

from asen_tf.data.synthetic.frame import Brush, Frame, shifted
from asen_tf.data.synthetic.garment import Garment

_COARSE = 4  # shading is soft: it is drawn on a grid this much coarser than the photograph


def cloth_shading(
    size: tuple[int, int], frame: Frame, garment: Garment, rng: np.random.Generator
) -> np.ndarray:
    """[H, W] factors around 0.8 to 1.05: rounded body and soft folds; meant for the cloth alone."""
    width, height = (max(8, round(n / _COARSE)) for n in size)
    shade = Image.new("L", (width, height), 205)
    brush = Brush(shade, frame.magnified(1 / _COARSE))
    light = rng.choice([-1, 1])
    y = np.linspace(0.05, 0.95, 20)
    for share, tone in ((0.98, 168), (-0.98, 186), (0.35, 222)):
        x = light * share * garment.half_width(np.maximum(y, 0.15))
        brush.stroke(np.stack([x, y], 1), 0.06, tone)
    for _ in range(rng.integers(5, 9)):
        x, y0 = rng.uniform(-0.16, 0.16), rng.uniform(0.1, 0.8)
        fold = np.array([(x, y0), (x * 1.2 + rng.uniform(-0.03, 0.03), y0 + rng.uniform(0.1, 0.3))])
        brush.stroke(fold, 0.02, int(rng.choice([176, 226])))
    for side in (0, 1):
        brush.stroke(shifted(garment.arm(side), light * 0.035, 0.01), 0.03, 172)
    shade = shade.filter(ImageFilter.GaussianBlur(2.0)).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(shade, np.float32) / 205


def light(image: np.ndarray, look: str, rng: np.random.Generator) -> np.ndarray:
    """The photograph, uint8 [H, W, 3], of a drawing, float32 [H, W, 3] in 0..255."""
    plain = look == "plain"
    height, width, _ = image.shape
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    angle = rng.uniform(0, 2 * np.pi)
    along = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y
    gain = rng.uniform(0.97, 1.03) if plain else rng.uniform(0.84, 1.08)
    slope = rng.uniform(0, 0.03) if plain else rng.uniform(0.02, 0.14)
    field = np.float32(gain) * (1 + np.float32(slope) * along)
    if not plain and rng.uniform() < 0.5:
        edge, depth = rng.uniform(-0.8, 0.8), rng.uniform(0.06, 0.18)
        field *= 1 - np.float32(depth) / (1 + np.exp(-(along - np.float32(edge)) * 12))
    cast = 1 + rng.uniform(-1, 1, 3) * (0.01 if plain else 0.045)
    grain = rng.standard_normal((height, width, 1), np.float32)
    grain *= rng.uniform(0.5, 1.5) if plain else rng.uniform(1.0, 4.0)
    lit = image * (field[..., None] * cast.astype(np.float32)) + grain
    return np.clip(lit, 0, 255).astype(np.uint8)

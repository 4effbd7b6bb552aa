"""What a model makes of one fixed photograph, to know the model again by."""

import io
from collections.abc import Callable, Iterable

import numpy as np
from PIL import Image

# Numbers kept of each vector: enough to tell models apart, few enough to keep beside a store.
_NUMBERS = 32
_SIDE = 256


def probe() -> bytes:
    """The photograph, as PNG: waves, a block and lines, the same everywhere and always."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE] / _SIDE
    waves = [np.sin(2 * np.pi * (a * x + b * y * y + c * x * y)) for a, b, c in _WAVES]
    pixels = np.stack([127.5 + 127.5 * wave for wave in waves], -1).round().astype(np.uint8)
    pixels[_SIDE // 4 : _SIDE // 2, _SIDE // 3 : _SIDE // 2] = (200, 40, 60)
    pixels[_SIDE // 2 :: 16, _SIDE // 2 :] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


_WAVES = ((2, 1, 3), (1, 4, 5), (7, 2, 1))


def fingerprint_of(
    embed: Callable[[Iterable[bytes]], np.ndarray],
) -> tuple[int, list[list[float]]]:
    """Length of the model's vectors, and the beginnings of those of the probe, for `Identity`."""
    [vectors] = np.asarray(embed([probe()]), np.float64)
    return vectors.shape[-1], vectors[:, :_NUMBERS].round(6).tolist()

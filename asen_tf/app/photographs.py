"""Photographs of visitors and of the catalogue: checked before they are decoded, made small."""

import io
from typing import NamedTuple

from PIL import Image, ImageOps

from asen_tf.app import problems
from asen_tf.data.photograph_forms import UNREADABLE

# Of Pillow's formats those that photographs have; some of the others run programs.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

# Every model reads these as they are.
_PLAIN_FORMATS, _PLAIN_MODES = ("JPEG", "PNG"), ("RGB", "L")

_ORIENTATION = 0x0112
_PREVIEW = {"format": "JPEG", "quality": 84, "optimize": True}


class Photograph(NamedTuple):
    """An encoded photograph, upright, and its size in pixels."""

    encoded: bytes
    width: int
    height: int


def size_of(encoded: bytes, max_pixels: int) -> tuple[int, int]:
    """Width and height that a photograph declares; nothing is decoded.

    Raises:
      Problem: it is no image, or has more pixels than `max_pixels`.
    """
    with _opened(encoded, max_pixels) as image:
        return image.size


def upright(encoded: bytes, max_pixels: int) -> Photograph:
    """A visitor's photograph as a model takes it.

    Telephones store how they were held; models do not read that. Such photographs are turned, and
    formats that not every model reads become JPEG.

    Raises:
      Problem: it is no image, is broken, or has more pixels than `max_pixels`.
    """
    with _opened(encoded, max_pixels) as image:
        try:
            # Decodes a PNG: the orientation may stand behind the pixels.
            turned = image.getexif().get(_ORIENTATION, 1) != 1
            if image.format in _PLAIN_FORMATS and image.mode in _PLAIN_MODES and not turned:
                return Photograph(encoded, *image.size)
            straight = ImageOps.exif_transpose(image).convert("RGB")
        except UNREADABLE as error:
            raise problems.no_photograph("it is broken") from error
    file = io.BytesIO()
    straight.save(file, "JPEG", quality=95)
    return Photograph(file.getvalue(), *straight.size)


def preview(encoded: bytes, side: int, max_pixels: int) -> bytes:
    """A small picture as JPEG, as the model sees it: not turned.

    Args:
      encoded: the photograph.
      side: its longer side in pixels at most.
      max_pixels: as in `size_of`.

    Raises:
      Problem: as `upright`.
    """
    with _opened(encoded, max_pixels) as image:
        try:
            image.draft("RGB", (side, side))
            small = image.convert("RGB")
        except UNREADABLE as error:
            raise problems.no_photograph("it is broken") from error
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, **_PREVIEW)
    return file.getvalue()


def _opened(encoded: bytes, max_pixels: int) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(encoded), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise problems.too_many_pixels("hundreds of millions of", max_pixels) from error
    except UNREADABLE as error:
        raise problems.no_photograph("it is in none of the known formats") from error
    if image.width * image.height > max_pixels:
        raise problems.too_many_pixels(f"{image.width} x {image.height}", max_pixels)
    return image

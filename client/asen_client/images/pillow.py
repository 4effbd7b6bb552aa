"""Photographs of every kind to pixels, with Pillow."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from asen_client.core.limits import MAX_PIXELS
from asen_client.images import kinds
from asen_client.images.boxes import Boxed
from asen_client.images.inputs import Photograph, checked_array

# What reading a photograph may raise; SyntaxError: Pillow, of a broken PNG.
UNREADABLE = (ValueError, OSError, SyntaxError)

# EXIF orientation -> what makes the photograph upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnknownKind(ValueError):
    """A file is of no kind that is read; the message says of which it is, where that is known."""


class TooManyPixels(ValueError):
    """A photograph declares more pixels than the limit; `declared` says how many, in words."""

    def __init__(self, declared: str, limit: int):
        super().__init__(f"declares {declared} pixels, more than the limit {limit}")
        self.declared = declared


def read(
    photograph: Photograph, max_pixels: int = MAX_PIXELS, longest: int | None = None
) -> np.ndarray:
    """The pixels of a photograph, upright; of one with a box, those of its region.

    Args:
      photograph: see `Photograph`.
      max_pixels: one that declares more is not decoded.
      longest: at most so many pixels on the longer side, scaled down; None: as it is.

    Returns:
      uint8 [H, W, 3], RGB.

    Raises:
      ValueError, OSError: it is missing, broken, too large or of no kind that is read, see
        `UNREADABLE`; or its box lies outside.
    """
    if isinstance(photograph, np.ndarray):
        pixels = checked_array(photograph)
        return pixels if longest is None else np.asarray(_reduced(Image.fromarray(pixels), longest))
    return np.asarray(_loaded(photograph, max_pixels, longest))


def size_of(photograph: Photograph, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Height and width of what `read` gives, from the photograph's header.

    Raises:
      ValueError, OSError: as `read`.
    """
    if isinstance(photograph, Boxed):
        left, top, right, bottom = photograph.region(size_of(photograph.photograph, max_pixels))
        return bottom - top, right - left
    if isinstance(photograph, np.ndarray):
        return checked_array(photograph).shape[:2]
    with _opened(photograph, max_pixels) as image:
        width, height = image.size
        # Pillow has turned the size of a TIFF already.
        lying = image.format != "TIFF" and _orientation(image) >= 5
    return (width, height) if lying else (height, width)


def thumbnail(
    photograph: Photograph, longest: int, max_pixels: int = MAX_PIXELS, quality: int = 84
) -> bytes:
    """A small JPEG of a photograph, upright, see `read`."""
    file = io.BytesIO()
    small = _loaded(photograph, max_pixels, longest)
    small.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def for_graph(photograph: Photograph) -> bytes:
    """A photograph as a file that an exported model reads.

    JPEG, PNG and plain WebP stay as they are, for the model to say what is wrong with them; all
    else becomes PNG, and so does what is cut to a box.

    Raises:
      ValueError, OSError: as `read`.
    """
    encoded = photograph
    if isinstance(photograph, str | os.PathLike):
        encoded = Path(photograph).read_bytes()
    if isinstance(encoded, bytes):
        if encoded.startswith((kinds.JPEG, kinds.PNG)):
            return encoded
        try:
            with Image.open(io.BytesIO(encoded), formats=kinds.PILLOW_FORMATS) as image:
                animated = getattr(image, "is_animated", False)
                if image.format == "WEBP" and image.mode == "RGB" and not animated:
                    return encoded
        except UnidentifiedImageError:
            raise UnknownKind(kinds.refusal(encoded[:512])) from None
    file = io.BytesIO()
    # Lossless; the least effort, since a network is seldom slower than the compression.
    Image.fromarray(read(encoded)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _loaded(photograph, max_pixels: int, longest: int | None) -> Image.Image:
    if isinstance(photograph, Boxed):
        photograph = Image.fromarray(photograph.cut(read(photograph.photograph, max_pixels)))
    with _opened(photograph, max_pixels) as image:
        if longest is not None and isinstance(photograph, bytes | str | os.PathLike):
            image.draft("RGB", (longest, longest))
        upright = _upright(image)
    return upright if longest is None else _reduced(upright, longest)


def _reduced(image: Image.Image, longest: int) -> Image.Image:
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return image


@contextlib.contextmanager
def _opened(photograph, max_pixels: int) -> Iterator[Image.Image]:
    """Its header is read, its size checked; nothing is decoded."""
    if isinstance(photograph, Image.Image):
        _check_size(photograph, max_pixels)
        yield photograph
        return
    if not isinstance(photograph, bytes | str | os.PathLike):
        advice = ": give what its read() gives" if hasattr(photograph, "read") else ""
        kind = type(photograph).__name__
        raise ValueError(
            f"expected a path, bytes, a NumPy array or a PIL image, got {kind}{advice}"
        )
    source = io.BytesIO(photograph) if isinstance(photograph, bytes) else photograph
    try:
        image = Image.open(source, formats=kinds.PILLOW_FORMATS)
    except UnidentifiedImageError as error:
        raise UnknownKind(kinds.refusal(_head(source))) from error
    except Image.DecompressionBombError as error:
        raise TooManyPixels("hundreds of millions of", max_pixels) from error
    with image:
        _check_size(image, max_pixels)
        yield image


def _head(source) -> bytes:
    if isinstance(source, str | os.PathLike):
        source = io.BytesIO(Path(source).read_bytes())
    source.seek(0)
    return source.read(64)


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise TooManyPixels(f"{image.width} x {image.height}", max_pixels)


def _upright(image: Image.Image) -> Image.Image:
    orientation = _orientation(image)
    rgb = _rgb(image)
    # Pillow turns a TIFF while it loads it.
    turn = None if image.format == "TIFF" else _TURNS.get(orientation)
    return rgb if turn is None else rgb.transpose(turn)


def _orientation(image: Image.Image) -> int:
    try:
        # Of a PNG it may stand behind the pixels, which are decoded then.
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # many types, of notes that say nothing about the pixels
        return 1
    return found if found in _TURNS else 1


def _rgb(image: Image.Image) -> Image.Image:
    """Over white where it is transparent, 16 bits scaled to 8."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"{image.format or 'it'} has 32 bits a pixel; expected 8 or 16")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")

"""Looks whether photographs are whole, before a long run depends on them."""

import io
import os
from pathlib import Path

import simplejpeg
from PIL import Image

from asen_client.core.limits import MAX_PIXELS
from asen_client.images import kinds, pillow


def problem(path: str | os.PathLike, max_pixels: int = MAX_PIXELS) -> str | None:
    """Says why an image file could not be read, or is damaged; None if all is well.

    Files that pass are read by Pillow and inside graphs. Those decoders forgive more: what a JPEG
    lacks becomes gray, and libjpeg prints a warning that names no file.
    """
    try:
        encoded = Path(path).read_bytes()
        pillow.size_of(encoded, max_pixels)
        if encoded.startswith(kinds.JPEG):
            _decode_strictly(encoded)
        elif encoded.startswith(kinds.PNG):
            _decode_in_graph(encoded, max_pixels)
        else:
            pillow.read(encoded, max_pixels)
    except ValueError as error:
        return str(error)
    except Exception as error:  # Pillow raises many types on broken files
        return f"broken or truncated ({error})"
    return None


def check_whole(encoded: bytes, max_pixels: int = MAX_PIXELS) -> None:
    """Raises ValueError for a JPEG that decoders would fill up with gray, see `problem`.

    Of other kinds they say themselves what is missing.
    """
    if encoded.startswith(kinds.JPEG):
        pillow.size_of(encoded, max_pixels)
        _decode_strictly(encoded)


def _decode_strictly(encoded: bytes) -> None:
    """At an eighth of its size, which still reads all of its entropy-coded data."""
    try:
        _, _, colorspace, _ = simplejpeg.decode_jpeg_header(encoded)
        inks = colorspace in ("CMYK", "YCCK")
        simplejpeg.decode_jpeg(encoded, "CMYK" if inks else "GRAY", min_factor=8)
    except ValueError as error:
        raise ValueError(f"broken or truncated ({error})") from error


def _decode_in_graph(encoded: bytes, max_pixels: int) -> None:
    # TensorFlow takes seconds to load, and most data sets have no PNG.
    from asen_tf.images import graph

    graph.read(encoded, max_pixels)
    # Neither decoder looks at all checksums; verifying does not decompress.
    with Image.open(io.BytesIO(encoded), formats=("PNG",)) as image:
        image.verify()

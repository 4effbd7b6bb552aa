"""What a figure gives: pictures, with a text for those who do not see them; and their files."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from asen_tf.core import files

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 150
_FORMATS = {
    ".png": {"format": "PNG", "optimize": True},
    ".jpg": {"format": "JPEG", "quality": 88, "optimize": True},
    ".jpeg": {"format": "JPEG", "quality": 88, "optimize": True},
    ".webp": {"format": "WEBP", "quality": 85, "method": 6},
}


class Picture(NamedTuple):
    """One picture.

    Attributes:
      name: of the file, without its suffix; what a file cannot be called is replaced.
      figure: of matplotlib; `save` writes it.
      alt: what it shows, in a sentence without its full stop.
      suffix: the file format that suits it, ".jpg" for photographs or ".png".
    """

    name: str
    figure: "Figure"
    alt: str
    suffix: str = ".jpg"


def save(figure: "Figure", path: str | os.PathLike, width_px: int | None = None) -> Path:
    """Writes a figure of matplotlib and gives its path; the same figure gives the same bytes.

    Args:
      path: ends in .png, .jpg, .jpeg or .webp, or ValueError; folders are made. Photographs take
        four to seven times less room as .jpg or .webp than as .png.
      width_px: width of the picture; without it 150 pixels an inch.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"expected a path ending in {', '.join(_FORMATS)}, received {str(path)!r}")
    data = encode(figure, path.suffix, width_px)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(path, data)
    return path


def encode(figure: "Figure", suffix: str, width_px: int | None = None) -> bytes:
    """A figure as the bytes of a file with this suffix, see `save`."""
    width, height = figure.get_size_inches()
    if width_px is not None and width_px < max(1, width / height):
        raise ValueError(f"width_px leaves no pixel to draw on, received {width_px}")
    file = io.BytesIO()
    Image.fromarray(_render(figure, width_px)).save(file, **_FORMATS[suffix.lower()])
    return file.getvalue()


def _render(figure: "Figure", width_px: int | None) -> np.ndarray:
    """The figure as uint8 [H, W, 3]; leaves its resolution and canvas as they were."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    dpi, canvas, inches = figure.dpi, figure.canvas, figure.get_figwidth()
    # The canvas truncates: a hundredth of a pixel more keeps the width from falling one short.
    figure.set_dpi(_DPI if width_px is None else (width_px + 0.01) / inches)
    try:
        agg = FigureCanvasAgg(figure)
        agg.draw()
        return np.asarray(agg.buffer_rgba())[..., :3].copy()
    finally:
        figure.set_canvas(canvas)
        figure.set_dpi(dpi)

"""Files of pictures: their width, their bytes, what is refused."""

import io

import numpy as np
import pytest
from PIL import Image

from asen_tf.figures import save
from asen_tf.figures.curves import learning_curve


def drawing():
    return learning_curve({"one": (np.arange(3.0), np.arange(3.0))})


@pytest.mark.parametrize(
    ("suffix", "kind"), [("png", "PNG"), ("JPG", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP")]
)
@pytest.mark.parametrize("width", [2, 333, 800])
def test_saved_pictures_open_again_at_the_width_asked_for(suffix, kind, width, tmp_path):
    path = save(drawing(), tmp_path / "new" / "folder" / f"page.{suffix}", width)
    with Image.open(path) as image:
        assert (image.format, image.width) == (kind, width)


def test_the_same_input_gives_the_same_bytes_without_a_date_and_at_any_resolution(tmp_path):
    figure = drawing()
    dpi, canvas = figure.dpi, figure.canvas
    first = save(figure, tmp_path / "first.png").read_bytes()
    save(figure, tmp_path / "between.png", 200)
    assert save(figure, tmp_path / "again.png").read_bytes() == first
    assert (figure.dpi, figure.canvas) == (dpi, canvas)
    assert save(drawing(), tmp_path / "other.png").read_bytes() == first
    assert not Image.open(io.BytesIO(first)).info


def test_save_refuses_other_suffixes_and_widths(tmp_path):
    with pytest.raises(ValueError, match=r"\.png"):
        save(drawing(), tmp_path / "page.bmp")
    with pytest.raises(ValueError, match="received 0"):
        save(drawing(), tmp_path / "page.png", 0)

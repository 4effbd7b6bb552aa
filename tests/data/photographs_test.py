"""Photographs in every form a caller may have them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from asen_tf.data.photograph_forms import listed
from asen_tf.data.photographs import to_canvas

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)


def png(array=PIXELS):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def test_every_form_gives_the_same_canvas(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png())
    forms = [PIXELS, Image.fromarray(PIXELS), png(), path, str(path)]
    canvases = [to_canvas(form, n, size=16) for n, form in enumerate(forms)]
    for canvas, size in canvases:
        np.testing.assert_array_equal(canvas, canvases[0][0])
        assert size == (40, 30)


def test_gray_arrays_and_transparent_pictures():
    gray, _ = to_canvas(PIXELS[..., 0], 0, size=16)
    np.testing.assert_array_equal(gray[..., 0], gray[..., 1])
    transparent = Image.fromarray(PIXELS).convert("RGBA")
    np.testing.assert_array_equal(
        to_canvas(transparent, 0, size=16)[0], to_canvas(PIXELS, 0, size=16)[0]
    )


def test_one_or_many():
    assert len(listed("a.jpg")) == len(listed(png())) == len(listed(PIXELS)) == 1
    assert len(listed(PIXELS[None].repeat(3, 0))) == 3
    assert len(listed(iter(["a.jpg", "b.jpg"]))) == 2
    assert listed(np.array(["a.jpg", "b.jpg"])) == ["a.jpg", "b.jpg"]
    assert listed([]) == []


def huge_png():
    """A few bytes that declare 50 000 x 50 000 pixels."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"", "photograph 3: "),
        (b"<html>not found</html>", "photograph 3: "),
        (png()[:200], "photograph 3: "),
        (huge_png(), "photograph 3: .*(50000 x 50000|exceeds limit)"),
        ("missing.jpg", r"photograph 3 \(missing.jpg\): "),
        (PIXELS.astype(float), r"expected uint8 .* got float64 \[40, 30, 3\]"),
        (PIXELS[..., :2], "got uint8"),
        (PIXELS[:0], "empty"),
        (7, "got int"),
    ],
    ids=["nothing", "html", "truncated", "huge", "missing", "float", "channels", "empty", "int"],
)
def test_what_is_no_photograph_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        to_canvas(bad, 3, size=16)


def test_the_limit_on_pixels():
    with pytest.raises(ValueError, match="declares 30 x 40 pixels, more than the limit 1000"):
        to_canvas(png(), 0, size=16, max_pixels=1000)

"""Photographs in every form a caller may have them."""

import io
import struct
import tempfile
import zlib

import numpy as np
import pytest
from PIL import Image

from asen_tf.images import graph, listed

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)


class ByNumber:
    """As a dataset of PyTorch: no __iter__."""

    def __getitem__(self, number):
        return ["a.jpg", "b.jpg"][number]


def png(array=PIXELS):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def test_every_form_gives_the_same_pixels(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png())
    forms = [PIXELS, Image.fromarray(PIXELS), png(), path, str(path)]
    for form in forms:
        np.testing.assert_array_equal(graph.read(form), PIXELS)


def test_gray_arrays_and_transparent_pictures():
    gray = graph.read(PIXELS[..., 0])
    np.testing.assert_array_equal(gray, PIXELS[..., :1].repeat(3, axis=2))
    transparent = Image.fromarray(PIXELS).convert("RGBA")
    np.testing.assert_array_equal(graph.read(transparent), PIXELS)


def test_one_or_many():
    assert len(listed("a.jpg")) == len(listed(png())) == len(listed(PIXELS)) == 1
    assert len(listed(PIXELS[None].repeat(3, 0))) == 3
    assert len(listed(iter(["a.jpg", "b.jpg"]))) == 2
    assert listed(np.array(["a.jpg", "b.jpg"])) == ["a.jpg", "b.jpg"]
    assert listed(ByNumber()) == ["a.jpg", "b.jpg"]
    with tempfile.NamedTemporaryFile() as file:
        assert listed(file) == [file]
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
        (b"", "it is empty"),
        (b"<html>not found</html>", "no image: it looks like a web page"),
        (png()[:200], "broken or truncated"),
        (huge_png(), "hundreds of millions of pixels"),
        ("missing.jpg", "No such file"),
        (PIXELS.astype(float), r"expected uint8 .* got float64 \[40, 30, 3\]"),
        (PIXELS[..., :2], "got uint8"),
        (PIXELS[:0], "empty"),
        (7, "got int"),
    ],
    ids=["nothing", "html", "truncated", "huge", "missing", "float", "channels", "empty", "int"],
)
def test_what_is_no_photograph_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        graph.read(bad)


def test_the_limit_on_pixels():
    with pytest.raises(ValueError, match="declares 30 x 40 pixels, more than the limit 1000"):
        graph.read(png(), max_pixels=1000)

"""Photographs inside a served model: load_images as elsewhere, bad ones named by their row."""

import functools
import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from asen_tf.images import graph
from asen_tf.images.headers import read_header
from asen_tf.serving.export.photographs import read_images, rows

SIZE = 24
LIMIT = 10_000


def picture(mode="RGB", width=61, height=47):
    """A smooth picture with an edge, of an odd size."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([4 * x, 5 * y, 255 * (x > y)], -1).clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(form, mode="RGB", **options):
    file = io.BytesIO()
    picture(mode).save(file, form, **options)
    return file.getvalue()


def with_preview():
    """A JPEG whose EXIF data holds a small JPEG with an end mark of its own."""
    return encoded("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + encoded("JPEG"))


def upside_down(bmp):
    """The same BMP, whose negative height says that its rows run from the top."""
    height = struct.unpack_from("<i", bmp, 22)[0]
    return bmp[:22] + struct.pack("<i", -height) + bmp[26:]


GOOD = {
    "jpeg": encoded("JPEG"),
    "jpeg, progressive": encoded("JPEG", progressive=True),
    "jpeg, gray": encoded("JPEG", "L"),
    "jpeg, CMYK": encoded("JPEG", "CMYK"),
    "jpeg, preview": with_preview(),
    "jpeg, more behind": encoded("JPEG") + bytes(100),
    "jpeg, fill bytes": encoded("JPEG").replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1),
    "png": encoded("PNG"),
    "png, transparent": encoded("PNG", "RGBA"),
    "png, palette": encoded("PNG", "P"),
    "png, more behind": encoded("PNG") + bytes(100),
    "webp": encoded("WEBP"),
    "webp, lossless": encoded("WEBP", lossless=True),
    "webp, extended": encoded("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
    "bmp": encoded("BMP"),
    "bmp, gray": encoded("BMP", "L"),
    "bmp, 32 bits": encoded("BMP", "RGBA"),
    "bmp, from the top": upside_down(encoded("BMP")),
}


@functools.cache
def prepared():
    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
    def run(photographs):
        return read_images(photographs, rows("photograph", tf.size(photographs)), SIZE, LIMIT)

    return run


def square_of(photograph):
    pixels = graph.read(photograph)
    return graph.to_square(pixels, SIZE), tuple(pixels.shape[:2])


@functools.cache
def headers():
    def one(photograph):
        return read_header(photograph)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
    def run(photographs):
        number, text = tf.TensorSpec((), tf.int64), tf.TensorSpec((), tf.string)
        return tf.map_fn(one, photographs, fn_output_signature=(number, number, text))

    return run


def refusal(photographs):
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        prepared()(tf.constant(photographs))
    return str(raised.value)


@pytest.mark.parametrize("name", GOOD)
def test_the_image_is_the_one_of_evaluation(name):
    expected, size = square_of(GOOD[name])
    load_images, sizes = prepared()(tf.constant([GOOD[name]]))
    np.testing.assert_array_equal(load_images[0], expected)
    np.testing.assert_array_equal(sizes, [size])
    np.testing.assert_array_equal(sizes, [[47, 61]])


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "bmp"])
def test_the_pixels_of_all_photographs_are_bounded(kind):
    """sec-19-pixels-of-a-request"""
    batch, all_of_them = tf.constant([GOOD[kind]] * 3), 3 * 47 * 61
    labels = rows("photograph", 3)
    read_images(batch, labels, SIZE, LIMIT, max_all=all_of_them)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"declare {all_of_them} pixels in"):
        read_images(batch, labels, SIZE, 47 * 61, max_all=all_of_them - 1)
    # One that is let through alone is let through.
    read_images(batch[:1], labels[:1], SIZE, LIMIT, max_all=1)


def test_whole_photographs_where_asked_for():
    encoded = tf.constant([GOOD["png"]])
    images, sizes = read_images(encoded, rows("photograph", 1), SIZE, LIMIT, "pad")
    expected = graph.to_square(graph.read(GOOD["png"]), SIZE, "pad")
    np.testing.assert_array_equal(images, [expected])
    np.testing.assert_array_equal(sizes, [[47, 61]])
    assert (images.numpy()[0, 0] == 255).all()  # white above the lying photograph


def test_headers_declare_what_pillow_reads():
    heights, widths, faults = headers()(tf.constant(list(GOOD.values())))
    assert set(faults.numpy()) == {b""}
    sizes = [Image.open(io.BytesIO(photograph)).size for photograph in GOOD.values()]
    np.testing.assert_array_equal(np.stack([widths, heights], -1), sizes)


@pytest.mark.parametrize("count", [0, 1, 33])
def test_any_number_in_any_mixture(count):
    batch = (3 * list(GOOD.values()))[:count]
    load_images, sizes = prepared()(tf.constant(batch, tf.string))
    assert load_images.shape == (count, SIZE, SIZE, 3) and sizes.shape == (count, 2)
    expected = [square_of(photograph)[0] for photograph in batch]
    np.testing.assert_array_equal(load_images, np.reshape(expected, load_images.shape))


@pytest.mark.parametrize(
    "name", ["jpeg", "jpeg, progressive", "png", "webp", "webp, lossless", "bmp"]
)
def test_a_photograph_cut_off_anywhere_is_refused(name):
    whole = GOOD[name]
    cuts = [whole[:end] for end in range(3, len(whole), 1 + len(whole) // 500)]
    _, _, faults = headers()(tf.constant([*cuts, whole[:-1], whole[:-2]]))
    assert b"" not in set(faults.numpy())


def test_an_end_mark_in_the_preview_is_not_the_end():
    photograph = with_preview()
    cut = photograph[:-2]
    assert cut.count(b"\xff\xd9") == 1
    assert "photograph 0: it is cut off: a JPEG without its end" in refusal([cut])


def declaring(form, width, height):
    """The head of a photograph that declares this size."""
    if form == "JPEG":
        whole = GOOD["jpeg"]
        at = whole.index(b"\xff\xc0") + 5
        return whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :]
    if form == "PNG":
        head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        whole = GOOD["png"]
        return whole[:12] + head + struct.pack(">I", zlib.crc32(head)) + whole[33:]
    if form == "WebP":
        head = b"VP8X" + struct.pack("<II", 10, 0)
        head += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = b"WEBP" + head + GOOD["webp"][12:]
        return b"RIFF" + struct.pack("<I", len(body)) + body
    whole = GOOD["bmp"]
    return whole[:18] + struct.pack("<ii", width, -height) + whole[26:]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WebP", "BMP"])
def test_what_declares_too_much_is_not_decoded(form):
    message = refusal([GOOD["jpeg"], GOOD["png"], declaring(form, 16_000, 9_000)])
    assert f"photograph 2: it declares 16000 x 9000 pixels, more than the limit {LIMIT}" in message


def test_a_size_beyond_64_bits_is_too_much():
    side = 2**32 - 1
    assert f"it declares {side} x {side} pixels" in refusal([declaring("PNG", side, side)])


def test_the_limit_itself_is_allowed():
    side = int(LIMIT**0.5)
    file = io.BytesIO()
    picture(width=side, height=side).save(file, "PNG")
    assert prepared()(tf.constant([file.getvalue()]))[1].numpy().tolist() == [[side, side]]
    file = io.BytesIO()
    picture(width=side + 1, height=side).save(file, "PNG")
    assert "declares 101 x 100 pixels" in refusal([file.getvalue()])


def moving():
    file = io.BytesIO()
    picture().save(file, "WEBP", save_all=True, append_images=[picture().rotate(90)])
    return file.getvalue()


def veiled(lossless):
    file, image = io.BytesIO(), picture("RGBA")
    image.putalpha(100)
    image.save(file, "WEBP", lossless=lossless)
    return file.getvalue()


BAD = {
    "no data": (b"", "it is empty"),
    "web page": (b"<!DOCTYPE html><html><body>404</body></html>", "it is no image, expected JPEG"),
    "one byte": (b"\xff", "it is no image"),
    "gif": (encoded("GIF"), "it is GIF, expected JPEG, PNG, WebP, BMP"),
    "no size": (declaring("JPEG", 0, 0), "its JPEG header declares no pixels"),
    "no width": (declaring("PNG", 0, 9), "its PNG header declares no pixels"),
    "signature alone": (b"\xff\xd8\xff" + bytes(200), "its JPEG header is damaged"),
    "damaged png": (GOOD["png"].replace(b"IHDR", b"IHDX"), "its PNG header is damaged"),
    "damaged webp": (GOOD["webp"].replace(b"VP8 ", b"VP9 "), "its WebP header is damaged"),
    "moving webp": (moving(), "it is an animated WebP"),
    "veiled webp": (veiled(False), "it is a WebP with transparency"),
    "veiled lossless webp": (veiled(True), "it is a WebP with transparency"),
    "short bmp": (GOOD["bmp"][:-9], "it is cut off: a BMP shorter than it declares"),
    "text": (b"BMW sells cars", "it is cut off: a BMP without its header"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_named(name):
    photograph, reason = BAD[name]
    assert f"photograph 1: {reason}" in refusal([GOOD["png"], photograph, GOOD["jpeg"]])


def test_all_bad_rows_are_named_up_to_eight():
    message = refusal([b"", GOOD["jpeg"], b"<html>", *9 * [b""]])
    assert "[photograph 0: it is empty; photograph 2: it is no image" in message
    assert "photograph 8: it is empty]" in message and "photograph 9" not in message


def test_long_headers_do_not_take_forever():
    """Empty segments, as no camera writes them: the walk over them is bounded."""
    photograph = b"\xff\xd8" + 500_000 * b"\xff\xe0\x00\x02" + GOOD["jpeg"][2:]
    assert "photograph 0: its JPEG header is damaged" in refusal([photograph])


def test_damage_within_is_refused_by_the_decoder():
    damaged = bytearray(GOOD["png"])
    damaged[60] ^= 255
    assert "Invalid PNG data" in refusal([bytes(damaged)])

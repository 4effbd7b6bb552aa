"""Photographs to pixels and squares inside TensorFlow graphs.

The pixels are those of `asen_tf.images.read`, but for roundings.
"""

import functools
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_client.images import kinds, pillow
from asen_client.images.boxes import Boxed
from asen_client.images.inputs import Photograph
from asen_client.serving.signatures import FITS
from asen_tf.tracing import traced

_JFIF = kinds.JPEG + b"\xe0\x00\x10"
_UPRIGHT = 1
_TAG = 0x0112


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """A photograph of `KINDS`, string [], as uint8 [H, W, 3], upright.

    JPEG and PNG are decoded by TensorFlow, all else by Pillow, outside of the graph.
    """

    def unusual():
        usual = _begins(encoded, kinds.JPEG) | _begins(encoded, kinds.PNG)
        return tf.cond(
            usual,
            lambda: decode_in_graph(encoded),
            lambda: tf.numpy_function(_by_pillow, [encoded], tf.uint8, stateful=False),
        )

    # Most photographs have one header of 16 bytes, behind which the tables begin: no EXIF block.
    plain = _begins(encoded, _JFIF) & (_piece(encoded, 20, 2) == b"\xff\xdb")
    image = tf.cond(plain, lambda: _jpeg_pixels(encoded), unusual)
    image.set_shape((None, None, 3))
    return image


def decode_in_graph(encoded: tf.Tensor) -> tf.Tensor:
    """A photograph of `GRAPH_KINDS`, string [], as uint8 [H, W, 3], upright; for any graph."""
    image, exif = tf.case(
        [
            (_begins(encoded, kinds.JPEG), lambda: _jpeg(encoded)),
            (_begins(encoded, kinds.PNG), lambda: _png(encoded)),
            (_begins(encoded, kinds.RIFF), lambda: _webp(encoded)),
        ],
        default=lambda: (_bmp(encoded), ""),
    )
    image.set_shape((None, None, 3))
    return _turned(image, exif)


def to_square(image: tf.Tensor, size: int, fit: str = "crop") -> tf.Tensor:
    """A photograph as the square that a network takes: uint8 [H, W, 3] -> [size, size, 3].

    Args:
      image: the photograph.
      size: side of the square in pixels.
      fit: "crop": the square in its centre; "pad": the whole of it, padded with white.
    """
    shape = tf.shape(image)[:2]
    if check_fit(fit) == "pad":
        side = tf.reduce_max(shape)
        before = -((shape - side) // 2)
        padding = tf.stack([before, side - shape - before], axis=1)
        square = tf.pad(image, tf.concat([padding, [[0, 0]]], axis=0), constant_values=255)
    else:
        side = tf.reduce_min(shape)
        start = (shape - side) // 2
        # Cropped first, so that no pixel is resized in vain.
        square = tf.slice(image, [start[0], start[1], 0], [side, side, 3])
    resized = tf.image.resize(square, (size, size), antialias=True)
    return tf.cast(tf.round(tf.clip_by_value(resized, 0.0, 255.0)), tf.uint8)


def cut(image: tf.Tensor, region: tf.Tensor) -> tf.Tensor:
    """A region of a photograph, as `Boxed.cut` gives it: uint8 [H, W, 3] -> [h, w, 3].

    Args:
      image: the photograph.
      region: int32 [4] of `asen_client.images.boxes.widened`, cut off here; zeros: all of it.

    Raises:
      InvalidArgumentError: it lies outside.
    """

    def inside():
        height, width = tf.unstack(tf.shape(image)[:2])
        ends = tf.stack([width, height, width, height])
        left, top, right, bottom = tf.unstack(tf.clip_by_value(region, 0, ends))
        there = (left < right) & (top < bottom)
        message = ["a box lies outside of its photograph, of height and width", height, width]
        with tf.control_dependencies([tf.debugging.Assert(there, message)]):
            return image[top:bottom, left:right]

    return tf.cond(tf.reduce_all(region == 0), lambda: image, inside)


def read_square(
    path: tf.Tensor, size: int, fit: str = "crop", region: tf.Tensor | None = None
) -> tf.Tensor:
    """The square of a photograph, or of a region of it, see `cut`.

    `path`, string [] -> uint8 [size, size, 3].
    """
    image = decode(tf.io.read_file(path))
    return to_square(image if region is None else cut(image, region), size, fit)


def check_fit(fit: str) -> str:
    """The same; raises ValueError where it is none of `FITS`."""
    if fit not in FITS:
        raise ValueError(unknown_name("fit (data.fit)", fit, FITS))
    return fit


def read(photograph: Photograph, max_pixels: int = pillow.MAX_PIXELS) -> tf.Tensor:
    """A photograph in any form as uint8 [H, W, 3], by the decoders that training uses.

    Args:
      photograph: see `Photograph`.
      max_pixels: one that declares more is not decoded.

    Raises:
      ValueError: it is missing, no image, broken, or too large, or its box lies outside.
    """
    if isinstance(photograph, Boxed):
        return photograph.cut(read(photograph.photograph, max_pixels))
    try:
        if isinstance(photograph, str | os.PathLike):
            photograph = Path(photograph).read_bytes()
        if not isinstance(photograph, bytes) or not photograph.startswith(kinds.DECODED_IN_GRAPH):
            return tf.constant(pillow.read(photograph, max_pixels))
        pillow.size_of(photograph, max_pixels)
        return _decode_fn()(tf.constant(photograph))
    except pillow.UNREADABLE as error:
        raise ValueError(str(error)) from error
    except tf.errors.InvalidArgumentError as error:  # speaks of the graph
        raise ValueError("broken or truncated") from error


@functools.cache
def square_fn(size: int, fit: str = "crop") -> Callable[[tf.Tensor], tf.Tensor]:
    """`to_square` for one photograph after another, uint8 [H, W, 3] -> [size, size, 3].

    A graph: operation by operation, each of so little work, it takes three times as long.
    """
    photograph = tf.TensorSpec((None, None, 3), tf.uint8)
    return traced(lambda p: to_square(p, size, fit), input_signature=[photograph])


@functools.cache
def _decode_fn():
    return traced(decode, input_signature=[tf.TensorSpec((), tf.string)])


def _by_pillow(encoded) -> np.ndarray:
    return pillow.read(np.asarray(encoded, object).item())


def _jpeg(encoded):
    return _jpeg_pixels(encoded), _jpeg_exif(encoded)


def _jpeg_pixels(encoded):
    # TensorFlow's default for JPEG is a faster transform, a grey level away from other decoders'.
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")


def _png(encoded):
    alpha, exif = _png_chunks(encoded)
    image = tf.cond(
        alpha,
        lambda: _over_white(tf.io.decode_png(encoded, channels=4)),
        lambda: tf.io.decode_png(encoded, channels=3),
    )
    return image, exif


def _webp(encoded):
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    image.set_shape((None, None, 3))
    return image, _webp_exif(encoded)


def _bmp(encoded):
    # The decoder takes no bytes behind the pixels.
    header = _bytes(encoded, 0, 32)
    start, width = _number(header, 10, 4), _number(header, 18, 4)
    height, bits = _number(header, 22, 4), _number(header, 28, 2)
    # Negative where the rows run from the top.
    height = tf.abs(tf.where(height < 2**31, height, height - 2**32))
    used = start + (bits * width + 31) // 32 * 4 * height
    image = tf.io.decode_bmp(_piece(encoded, 0, tf.cast(used, tf.int32)))
    # Gray has one channel; the fourth of four says nothing.
    return tf.gather(image, tf.where(tf.shape(image)[2] == 1, [0, 0, 0], [0, 1, 2]), axis=2)


def _over_white(rgba):
    rgb, alpha = tf.cast(rgba[..., :3], tf.int32), tf.cast(rgba[..., 3:], tf.int32)
    return tf.cast((rgb * alpha + 255 * (255 - alpha) + 127) // 255, tf.uint8)


def _turned(image, exif):
    """The photograph upright: uint8 [H, W, 3], its EXIF block or "" -> uint8 [H', W', 3]."""
    orientation = tf.cond(exif == "", lambda: _UPRIGHT, lambda: _orientation(exif))

    def turned():
        swapped = tf.transpose(image, tf.where(orientation >= 5, [1, 0, 2], [0, 1, 2]))
        mirrored = [_one_of(orientation, 3, 4, 7, 8), _one_of(orientation, 2, 3, 6, 7)]
        return tf.reverse(swapped, tf.boolean_mask([0, 1], mirrored))

    return tf.cond(orientation == _UPRIGHT, lambda: image, turned)


def _one_of(number, *numbers):
    return tf.reduce_any(number == list(numbers))


def _orientation(exif):
    """The tag of an EXIF block (a TIFF header and its first directory), int32 [], 1 to 8."""
    data = tf.io.decode_raw(tf.strings.join([exif, bytes(16)]), tf.uint8)
    little = data[0] == ord("I")

    def number(at, count):
        return _number(data, at, count, little)

    size = tf.size(data) - 16
    start = tf.cast(tf.minimum(number(4, 4), tf.cast(size, tf.int64)), tf.int32)
    count = tf.minimum(tf.cast(number(start, 2), tf.int32), tf.maximum(size - start - 2, 0) // 12)
    entries = tf.reshape(data[start + 2 : start + 2 + 12 * count], (-1, 12))
    # Twelve bytes an entry: tag, type, count, value, the numbers in the order that the header says.
    order = tf.where(little, [1, 256], [256, 1])
    tags = tf.reduce_sum(tf.cast(entries[:, 0:2], tf.int32) * order, axis=1)
    values = tf.reduce_sum(tf.cast(entries[:, 8:10], tf.int32) * order, axis=1)
    found = tf.boolean_mask(values, (tags == _TAG) & (values >= 1) & (values <= 8))
    return tf.concat([found, [_UPRIGHT]], axis=0)[0]


def _jpeg_exif(encoded):
    """The EXIF block among the segments before the tables; "" if there is none."""
    total = tf.strings.length(encoded)

    def is_exif(data):
        return (data[1] == 0xE1) & tf.reduce_all(data[4:10] == list(b"Exif\0\0"))

    def note(at, data):
        application = ((data[1] >= 0xE0) & (data[1] <= 0xEF)) | (data[1] == 0xFE)
        return (at + 12 <= total) & (data[0] == 0xFF) & application & ~is_exif(data)

    def step(at, data):
        at += 2 + tf.cast(_number(data, 2, 2, False), tf.int32)
        return at, _bytes(encoded, at, 12)

    at, data = tf.while_loop(note, step, (tf.constant(2), _bytes(encoded, 2, 12)))
    length = tf.cast(_number(data, 2, 2, False), tf.int32) - 8
    return _piece(encoded, at + 10, tf.where(is_exif(data), length, 0))


def _png_chunks(encoded):
    """Whether a PNG has transparency, bool [], and its EXIF block, "" if there is none."""
    total = tf.strings.length(encoded)

    def step(at, alpha, exif):
        data = _bytes(encoded, at, 8)
        length, name = tf.cast(_number(data, 0, 4, False), tf.int32), data[4:8]
        alpha |= tf.reduce_all(name == list(b"tRNS"))
        is_exif = tf.reduce_all(name == list(b"eXIf"))
        exif = tf.where(is_exif, _piece(encoded, at + 8, tf.where(is_exif, length, 0)), exif)
        following = at + 12 + length
        return tf.where(length < 0, total, following), alpha, exif

    # The fourth and sixth of the colour types have alpha themselves.
    alpha = _one_of(_bytes(encoded, 25, 1)[0], 4, 6)
    _, alpha, exif = tf.while_loop(
        lambda at, *_: (at >= 8) & (at + 12 <= total), step, (tf.constant(8), alpha, "")
    )
    return alpha, exif


def _webp_exif(encoded):
    total = tf.strings.length(encoded)

    def name_and_length(at):
        data = _bytes(encoded, at, 8)
        return data[:4], tf.cast(_number(data, 4, 4), tf.int32)

    def other(at):
        name, _ = name_and_length(at)
        return (at >= 12) & (at + 8 <= total) & ~tf.reduce_all(name == list(b"EXIF"))

    def step(at):
        _, length = name_and_length(at)
        return [at + 8 + length + length % 2]

    [at] = tf.while_loop(other, step, [tf.constant(12)])
    found = (at >= 12) & (at + 8 <= total)

    exif = _piece(encoded, at + 8, tf.where(found, name_and_length(at)[1], 0))
    # Some writers put before it what stands before it in a JPEG.
    return _piece(exif, tf.where(_begins(exif, b"Exif\0\0"), 6, 0), 2**30)


def _begins(encoded, mark: bytes):
    return tf.strings.substr(encoded, 0, len(mark)) == mark


def _piece(encoded, start, length):
    """What stands there in a file, string []; less where the file ends before."""
    start = tf.clip_by_value(start, 0, tf.strings.length(encoded))
    return tf.strings.substr(encoded, start, length)


def _bytes(encoded, start, count: int):
    """The same as numbers, uint8 [count]; zeros behind the end of the file."""
    piece = tf.strings.join([_piece(encoded, start, count), bytes(count)])
    return tf.io.decode_raw(piece, tf.uint8)[:count]


def _number(data, start, count: int, little=True):
    """An unsigned number of so many bytes: uint8 [n] -> int64 []."""
    digits = tf.cast(data[start : start + count], tf.int64)
    places = tf.constant([256**place for place in range(count)], tf.int64)
    return tf.reduce_sum(digits * tf.where(little, places, places[::-1]))

"""What the header of an encoded photograph says, read inside the graph before anything is decoded.

The ops that decode raise without saying which photograph of a batch was bad, and allocate what the
header asks for. So the format, the declared size and the ends of the file are checked first.
"""

import tensorflow as tf

from asen_client.images import kinds

# More than a camera writes: previews and colour profiles come in pieces of 64 KiB.
_JPEG_SEGMENTS = 1024
# Zeros behind the data, so that a header that is cut off can be read all the same.
_MARGIN = 2048
_GRAY_PALETTE = bytes(byte for level in range(256) for byte in (level, level, level, 0))

# Height and width, int64 [], 0 where unknown; what is wrong, string [], empty if nothing is.
Header = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


def read_header(encoded: tf.Tensor) -> Header:
    """Declared size of one photograph, and what is wrong with it as far as its ends tell.

    Found are: no data; no image (a web page, a PDF); a kind that graphs do not read; a header that
    is cut off or makes no sense; a file that is cut off (JPEG without its end mark, PNG without its
    last chunk, WebP and BMP shorter than they declare); a WebP that moves or has transparency, or a
    BMP with a palette, which TensorFlow does not decode.

    Not found is damage in between. The decoder raises for it in PNG (checksums) and often in WebP;
    in a JPEG it shows as wrong pixels, here as in training and evaluation.

    GIF is not read: the sizes of its pictures stand between their data and cannot be checked
    before all of them are decoded.

    Args:
      encoded: string [].

    Returns:
      height and width int64 [], 0 where unknown; what is wrong, string [], empty if nothing is.
    """
    total = tf.strings.length(encoded)
    data = tf.io.decode_raw(tf.strings.join([encoded, bytes(_MARGIN)]), tf.uint8)
    return tf.case(
        [
            (_at(data, 0, kinds.JPEG), lambda: _jpeg(data, total)),
            (_at(data, 0, kinds.PNG), lambda: _png(data, total)),
            (_at(data, 0, kinds.RIFF) & _at(data, 8, b"WEBP"), lambda: _webp(data, total)),
            (_at(data, 0, kinds.BMP), lambda: _bmp(data, total)),
        ],
        default=lambda: _unknown(data, total),
    )


def _unknown(data, total) -> Header:
    expected = f"expected {', '.join(kinds.GRAPH_KINDS)}"
    reason = _first(
        (total == 0, "it is empty"),
        *(
            (_at(data, start, mark), f"it is {kind}, {expected}")
            for start, mark, kind in kinds.SIGNATURES
        ),
        (True, f"it is no image, {expected}"),
    )
    return tf.constant(0, tf.int64), tf.constant(0, tf.int64), reason


def _jpeg(data, total) -> Header:
    """Walks over the segments up to the image data; one of them has the size."""

    def unfinished(position, height, width, scanned):
        return ~scanned & (position + 9 <= total) & (data[position] == 0xFF)

    def step(position, height, width, scanned):
        mark = data[position + 1]
        # Marks C0 to CF begin frames, except those of tables (C4, CC) and of an extension (C8).
        frame = (mark >= 0xC0) & (mark <= 0xCF) & (mark != 0xC4) & (mark != 0xC8) & (mark != 0xCC)
        height = tf.where(frame, _big_endian(data, position + 5, 2), height)
        width = tf.where(frame, _big_endian(data, position + 7, 2), width)
        # Any number of FF may stand before a mark.
        length = 2 + tf.cast(_big_endian(data, position + 2, 2), tf.int32)
        position = tf.minimum(position + tf.where(mark == 0xFF, 1, length), total)
        return position, height, width, mark == 0xDA

    nothing = tf.constant(0, tf.int64)
    position, height, width, scanned = tf.while_loop(
        unfinished,
        step,
        (tf.constant(2), nothing, nothing, tf.constant(False)),
        maximum_iterations=_JPEG_SEGMENTS,
    )
    # Image data never holds FF D9; a preview in one of the segments may.
    scan = data[position:total]
    ended = tf.reduce_any((scan[:-1] == 0xFF) & (scan[1:] == 0xD9))
    reason = _first(
        (~scanned & (position + 9 <= total), "its JPEG header is damaged"),
        (~scanned | ~ended, "it is cut off: a JPEG without its end"),
        (height * width == 0, "its JPEG header declares no pixels"),
    )
    return height, width, reason


def _png(data, total) -> Header:
    height, width = _big_endian(data, 20, 4), _big_endian(data, 16, 4)
    # The name of the last chunk, before the four bytes of its checksum.
    last = data[33 : tf.maximum(total - 4, 33)]
    last = (last[:-3] == 0x49) & (last[1:-2] == 0x45) & (last[2:-1] == 0x4E) & (last[3:] == 0x44)
    reason = _first(
        (total < 33, "it is cut off: a PNG without its header"),
        (~_at(data, 12, b"IHDR"), "its PNG header is damaged"),
        (height * width == 0, "its PNG header declares no pixels"),
        (~tf.reduce_any(last), "it is cut off: a PNG without its end"),
    )
    return height, width, reason


def _webp(data, total) -> Header:
    """The first chunk is lossy (VP8), lossless (VP8L), or says what follows (VP8X)."""
    lossless, extended = _at(data, 12, b"VP8L"), _at(data, 12, b"VP8X")
    bits, flags = _little_endian(data, 21, 4), data[20]
    width = _first(
        (lossless, 1 + bits % 2**14),
        (extended, 1 + _little_endian(data, 24, 3)),
        (True, _little_endian(data, 26, 2) % 2**14),
    )
    height = _first(
        (lossless, 1 + bits // 2**14 % 2**14),
        (extended, 1 + _little_endian(data, 27, 3)),
        (True, _little_endian(data, 28, 2) % 2**14),
    )
    transparent = (lossless & (bits // 2**28 % 2 == 1)) | (extended & (flags // 16 % 2 == 1))
    reason = _first(
        (
            (total < 30) | (tf.cast(total, tf.int64) < 8 + _little_endian(data, 4, 4)),
            "it is cut off: a WebP shorter than it declares",
        ),
        (~(lossless | extended | _at(data, 12, b"VP8 ")), "its WebP header is damaged"),
        (extended & (flags // 2 % 2 == 1), "it is an animated WebP"),
        (transparent, "it is a WebP with transparency, which TensorFlow does not read"),
        (height * width == 0, "its WebP header declares no pixels"),
    )
    return height, width, reason


def _bmp(data, total) -> Header:
    width = _signed(_little_endian(data, 18, 4))
    # Negative where the rows run from the top.
    height = tf.abs(_signed(_little_endian(data, 22, 4)))
    row = (_little_endian(data, 28, 2) * width + 31) // 32 * 4
    need = _little_endian(data, 10, 4) + row * height
    bits, palette = _little_endian(data, 28, 2), 14 + tf.cast(data[14], tf.int32)
    plain = (bits == 24) | (bits == 32) | ((bits == 8) & _at(data, palette, _GRAY_PALETTE))
    reason = _first(
        (total < 30, "it is cut off: a BMP without its header"),
        ((width <= 0) | (height == 0), "its BMP header declares no pixels"),
        (~plain, "it is a BMP with a palette or of few bits, which TensorFlow does not read"),
        (tf.cast(total, tf.int64) < need, "it is cut off: a BMP shorter than it declares"),
    )
    return height, width, reason


def _first(*cases: tuple):
    """The value of the first case whose condition holds; an empty string if none does."""
    *others, (condition, value) = cases
    chosen = value if condition is True else tf.where(condition, value, "")
    for condition, value in reversed(others):
        chosen = tf.where(condition, value, chosen)
    return chosen


def _at(data, start, expected: bytes):
    return tf.reduce_all(data[start : start + len(expected)] == list(expected))


def _big_endian(data, start, count: int):
    digits = tf.cast(data[start : start + count], tf.int64)
    return tf.reduce_sum(digits * [256**place for place in reversed(range(count))])


def _little_endian(data, start, count: int):
    digits = tf.cast(data[start : start + count], tf.int64)
    return tf.reduce_sum(digits * [256**place for place in range(count)])


def _signed(number):
    return tf.where(number < 2**31, number, number - 2**32)

"""Telling a garment, or who wears it, from an even background by colour."""

import numpy as np
import tensorflow as tf

_EDGE = 2  # columns at either side that show the background
_TOLERANCE = 10.0  # levels of 255 by which what is not background differs from it
_WINDOW = 3


def foreground(images: tf.Tensor, side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """What stands before the background of a product photograph.

    In each row the background is a blend from the colour at the left edge to that at the right
    one. What differs is closed (dilation, then erosion), filled where no background leads in, and
    opened (erosion, then dilation).

    Args:
      images: uint8 or float [B, S, S, 3], values 0 to 255.
      side: side of the mask.

    Returns:
      bool [B, side, side];
      float32 [B]: how uneven the background is, the deviation of its edges in levels of 255.
    """
    small = _averaged(tf.cast(images, tf.float32), side)
    left = tf.reduce_mean(small[:, :, :_EDGE], axis=2)
    right = tf.reduce_mean(small[:, :, -_EDGE:], axis=2)
    share = tf.linspace(0.0, 1.0, side)[:, None]
    background = left[:, :, None] * (1 - share) + right[:, :, None] * share
    differs = tf.reduce_max(tf.abs(small - background), axis=-1) > _TOLERANCE
    # Pooling is several times as fast over images as channels.
    mask = _opened(_filled(_closed(tf.transpose(differs, (1, 2, 0)))))
    return tf.transpose(mask, (2, 0, 1)), _unevenness(tf.stack([left, right], axis=1))


def _averaged(images, side):
    """Shrinks by mean over areas; matrix products, as TensorFlow's own runs on processors only."""
    rows, columns = (_areas(n, side) for n in images.shape[1:3])
    return tf.einsum("yh,bhwc,xw->byxc", rows, images, columns)


def _areas(cells, side):
    """[side, cells]: what each of `side` areas takes of each cell, summing to 1."""
    edges = np.linspace(0, cells, side + 1)
    begin, end = edges[:-1, None], edges[1:, None]
    cell = np.arange(cells)
    shared = np.clip(np.minimum(end, cell + 1) - np.maximum(begin, cell), 0, None)
    return tf.constant(shared / (cells / side), tf.float32)


def _unevenness(edges):
    """float [B, 2, side, 3] -> [B]: deviation of the worst channel at each place."""
    away = edges - tf.reduce_mean(edges, axis=(1, 2), keepdims=True)
    return tf.sqrt(tf.reduce_mean(tf.reduce_max(away**2, axis=-1), axis=(1, 2)))


def _dilated(mask):
    """Of masks [side, side, B]."""
    return tf.nn.max_pool2d(tf.cast(mask, tf.float32)[None], _WINDOW, 1, "SAME")[0] > 0


def _eroded(mask):
    return ~_dilated(~mask)


def _closed(mask):
    return _eroded(_dilated(mask))


def _opened(mask):
    return _dilated(_eroded(mask))


def _filled(mask):
    """The mask and every hole that the background does not reach from the edges of the image."""
    # As floats: of booleans, ONNX pads none.
    inside = tf.zeros_like(mask[1:-1, 1:-1], tf.float32)
    edges = tf.pad(inside, [(1, 1), (1, 1), (0, 0)], constant_values=1.0) > 0

    # Whether it goes on is a variable of its own: a loop in which one variable takes the last value
    # of another ends too early as ONNX.
    def spread(_, reached):
        wider = _dilated(reached) & ~mask
        return tf.reduce_any(wider != reached), wider

    _, reached = tf.while_loop(lambda more, _: more, spread, (tf.constant(True), edges & ~mask))
    return ~reached

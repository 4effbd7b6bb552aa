"""What the outline of an upper body tells: its axis, shoulders, torso and sleeves."""

from typing import NamedTuple

import tensorflow as tf

# Of a mask of about 112 x 112 pixels.
_LAG = 4  # rows over which a cuff or a hand ends
_GAP = 1.5  # pixels of background that tell an arm from the torso
_FEWEST_ROWS = 3  # that must show such a gap
_UPPER = 0.7  # share of the rows in which the widest place is that of the sleeves
_WIDE = 0.8  # share of the torso's half width from which on a row is that of the shoulders
_JUMP = 0.3  # of a torso's half width: less is no cuff


class Silhouette(NamedTuple):
    """Measures of masks [B, S, S], float32, in pixels; of two sides, the left one comes first.

    Attributes:
      axis: [B] column of the vertical middle line.
      top, bottom: [B] where the figure begins and ends.
      shoulder: [B] row at which it is as wide as the torso.
      half_width: [B, 2] of the torso, from the axis to either side.
      sleeved: bool [B, 2], whether the outline jumps, or a gap tells a sleeve from the torso.
      cuff: [B, 2] row at which the outline first jumps from the sleeve (or the hand) to the torso;
        without a jump, the last row with a gap; without a sleeve, the shoulder.
      reach: [B, 2] distance of the outermost point above `cuff` from the axis.
      neck: [B] width where the figure begins, 0 where the axis lies outside it.
    """

    axis: tf.Tensor
    top: tf.Tensor
    bottom: tf.Tensor
    shoulder: tf.Tensor
    half_width: tf.Tensor
    sleeved: tf.Tensor
    cuff: tf.Tensor
    reach: tf.Tensor
    neck: tf.Tensor


def measure(mask: tf.Tensor) -> Silhouette:
    """Measures bool [B, S, S]; of an empty mask all is 0 or the middle of the image."""
    size = mask.shape[-1]
    rows = tf.range(size, dtype=tf.float32)
    axis, inner, outer = _profiles(mask)
    filled = tf.reduce_any(mask, axis=-1)
    top = _first(filled)
    bottom = size - _first(filled[:, ::-1])

    widest = tf.reduce_max(outer[:, :, : int(_UPPER * size)], axis=(1, 2))
    expected = 0.5 * widest  # half width of a torso whose sleeves reach so far
    wide = (tf.reduce_mean(outer, axis=1) >= _WIDE * expected[:, None]) & filled
    shoulder = _first(wide)

    from_shoulder = (rows - shoulder[:, None])[:, None]
    window = (from_shoulder > 0) & (from_shoulder < 4 * expected[:, None, None])
    # Where a gap tells the two apart, the run of pixels around the axis is the torso.
    apart = window & (outer - inner > _GAP) & (inner > 0)
    with_gap = tf.math.count_nonzero(apart, axis=-1) >= _FEWEST_ROWS
    cuff, under_cuff = _jump(outer, window, expected)
    jumps = under_cuff > 0
    last_gap = size - 1.0 - _first(apart[..., ::-1])
    cuff = tf.where(jumps, cuff, tf.where(with_gap, last_gap, shoulder[:, None]))

    sleeve = (from_shoulder >= 0) & (rows <= cuff[..., None])
    body = _median(outer, window & (outer > 0), tf.zeros_like(cuff))
    neck_row = tf.cast(tf.minimum(top + 1, size - 1.0), tf.int32)
    half_width = _median(inner, apart & sleeve, tf.where(jumps, under_cuff, body))
    sleeved = jumps | with_gap
    # What is narrower than the torso is a head, a neck or a collar.
    torso = tf.reduce_mean(half_width, axis=1, keepdims=True)
    return Silhouette(
        axis=axis,
        top=top,
        bottom=bottom,
        shoulder=_first((tf.reduce_mean(outer, axis=1) >= _WIDE * torso) & filled),
        half_width=half_width,
        sleeved=sleeved,
        cuff=cuff,
        reach=tf.reduce_max(tf.where(sleeve, outer, 0.0), axis=-1),
        neck=tf.gather(tf.reduce_sum(inner, axis=1), neck_row, batch_dims=1),
    )


def _jump(outer, window, expected):
    """Where the outline first jumps in to what can be a torso, and how far from the axis it is.

    That is where it jumps most, in the first run of rows that jump enough. Two [B, 2]; the second
    is 0 where nothing jumps.
    """
    below = tf.pad(outer[:, :, _LAG:], [(0, 0), (0, 0), (0, _LAG)], "SYMMETRIC")
    torso = below >= 0.7 * expected[:, None, None]
    jumps = tf.where(window & torso, outer - below, 0.0)
    enough = jumps > _JUMP * expected[:, None, None]
    # The first run of these rows: none before, or all since the first.
    ended = tf.cumsum(tf.cast(~enough & _seen(enough), tf.int32), axis=-1) > 0
    place = tf.argmax(tf.where(enough & ~ended, jumps, 0.0), axis=-1)
    under = tf.where(tf.reduce_any(enough, axis=-1), tf.gather(below, place, batch_dims=2), 0.0)
    return tf.cast(place, tf.float32) + _LAG - 1, under


def _seen(found):
    """Whether one was found up to there, along the last axis."""
    return tf.cumsum(tf.cast(found, tf.int32), axis=-1) > 0


def _profiles(mask):
    """The axis [B]; distances from it, [B, 2, S], to the first background and to the last cloth."""
    size = mask.shape[-1]
    columns = tf.range(size, dtype=tf.float32)
    first = tf.reduce_min(tf.where(mask, columns, float(size)), axis=-1)
    last = tf.reduce_max(tf.where(mask, columns + 1, 0.0), axis=-1)
    filled = last > first
    axis = _median((first + last) / 2, filled, tf.fill(tf.shape(mask)[:1], size / 2))

    at = axis[:, None, None]
    gap_left = tf.reduce_max(tf.where(~mask & (columns + 1 <= at), columns + 1, 0.0), axis=-1)
    gap_right = tf.reduce_min(tf.where(~mask & (columns >= at), columns, float(size)), axis=-1)
    on_axis = tf.gather(mask, tf.cast(tf.minimum(axis, size - 1.0), tf.int32), axis=2, batch_dims=1)
    inner = _from_axis(axis, gap_left, gap_right, on_axis)
    return axis, inner, _from_axis(axis, first, last, filled)


def _from_axis(axis, left, right, where):
    distances = tf.stack([axis[:, None] - left, right - axis[:, None]], axis=1)
    return tf.where(where[:, None], tf.maximum(distances, 0.0), 0.0)


def _first(found):
    """Index of the first True, bool [B, N] -> float [B]; 0 where there is none."""
    return tf.cast(tf.argmax(tf.cast(found, tf.int32), axis=-1), tf.float32)


def _median(values, chosen, otherwise):
    """Of the chosen values, over the last axis; `otherwise` where these are too few."""
    # Not infinity: ONNX multiplies what is not chosen by 0.
    ordered = tf.sort(tf.where(chosen, values, values.dtype.max), axis=-1)
    count = tf.reduce_sum(tf.cast(chosen, tf.int32), axis=-1)
    middle = tf.gather(ordered, tf.maximum(count - 1, 0) // 2, batch_dims=count.shape.rank)
    return tf.where(count >= _FEWEST_ROWS, middle, otherwise)

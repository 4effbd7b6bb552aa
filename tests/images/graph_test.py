"""Decoding and squares, eagerly and inside tf.data."""

import io

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from asen_tf.images import graph


def encoded(array, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


def photograph(height, width, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_decode_equals_pillow(kind):
    data = encoded(photograph(48, 64), kind)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int16)
    found = graph.decode(tf.constant(data)).numpy()
    assert found.dtype == np.uint8
    # JPEG decoders may differ by a rounding.
    assert np.abs(found - expected).max() <= (0 if kind != "JPEG" else 3)


def test_gray_becomes_three_channels():
    found = graph.decode(tf.constant(encoded(photograph(16, 16)[..., 0]))).numpy()
    assert found.shape == (16, 16, 3)
    np.testing.assert_array_equal(found[..., 0], found[..., 2])


@pytest.mark.parametrize(("height", "width"), [(96, 96), (160, 96), (96, 161), (200, 350)])
def test_square_is_the_centred_square_reduced_with_a_filter(height, width):
    image = photograph(height, width)
    found = graph.to_square(tf.constant(image), 32).numpy()
    assert found.shape == (32, 32, 3) and found.dtype == np.uint8
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    square = Image.fromarray(image[top : top + short, left : left + short])
    expected = np.asarray(square.resize((32, 32), Image.Resampling.BILINEAR), np.int16)
    assert np.abs(found - expected).max() <= 1


def test_square_can_be_larger_than_the_photograph():
    square = graph.to_square(tf.constant(photograph(24, 40)), 64)
    assert square.shape == (64, 64, 3)


def test_the_same_inside_tf_data(tmp_path):
    paths = []
    for n, shape in enumerate([(40, 64), (64, 40)]):
        path = tmp_path / f"{n}.jpg"
        path.write_bytes(encoded(photograph(*shape, seed=n), "JPEG"))
        paths.append(str(path))
    batch = tf.data.Dataset.from_tensor_slices(paths).map(lambda p: graph.read_square(p, 32))
    for path, square in zip(paths, batch, strict=True):
        np.testing.assert_array_equal(square, graph.read_square(tf.constant(path), 32))

"""Photographs that an exported model is verified and warmed up with."""

import io
import math

from PIL import Image

from asen_tf.data.synthetic.render import render


def photographs(max_pixels: int) -> list[bytes]:
    """Two garments, upright as JPEG and lying as PNG, of at most so many pixels each."""
    images = [Image.fromarray(render(0, number).image) for number in range(2)]
    images[1] = images[1].rotate(90, expand=True)
    encoded = []
    for image, kind in zip(images, ("JPEG", "PNG"), strict=True):
        image.thumbnail(2 * (math.isqrt(max_pixels),))
        image.save(file := io.BytesIO(), kind)
        encoded.append(file.getvalue())
    return encoded

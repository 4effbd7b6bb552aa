"""Photographs that an exported model is verified and warmed up with."""

import io
import math

from PIL import Image

from asen_tf.data.synthetic.render import render


def photographs(max_pixels: int) -> list[bytes]:
    """Two garments, upright as JPEG and lying as PNG, of at most so many pixels each."""
    images = [Image.fromarray(render(0, number).image) for number in range(2)]
    images[1] = images[1].rotate(90, expand=True)
    for image in images:
        image.thumbnail(2 * (math.isqrt(max_pixels),))
    return [_encoded(image, form) for image, form in zip(images, ("JPEG", "PNG"), strict=True)]


def _encoded(image: Image.Image, form: str) -> bytes:
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()

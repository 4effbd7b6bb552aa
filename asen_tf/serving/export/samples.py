"""Requests for every signature of a servable, to verify it and to warm it up."""

import io
import math
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from asen_tf.data.synthetic.render import render
from asen_tf.serving import signatures as names

# Signature -> input -> array.
Requests = dict[str, dict[str, np.ndarray]]


def photographs(max_pixels: int) -> list[bytes]:
    """Two garments, upright as JPEG and lying as PNG, of at most so many pixels each."""
    images = [Image.fromarray(render(0, number).image) for number in range(2)]
    images[1] = images[1].rotate(90, expand=True)
    for image in images:
        image.thumbnail(2 * (math.isqrt(max_pixels),))
    return [_encoded(image, form) for image, form in zip(images, ("JPEG", "PNG"), strict=True)]


def requests(
    signatures: Iterable[str], attributes: Sequence[str], photographs: Sequence[bytes]
) -> Requests:
    """A request for each of the signatures, with these photographs.

    Args:
      signatures: names of `asen_tf.serving.signatures`.
      attributes: those of the servable.
      photographs: encoded images, N.
    """
    encoded = np.array(photographs, object)
    pixels = np.asarray(Image.open(io.BytesIO(photographs[0])).convert("RGB"))
    wanted = [attributes[row % len(attributes)] for row in range(len(photographs))]
    named = {
        names.METADATA: {},
        names.EMBED_TENSOR: {
            names.IMAGES: np.stack([np.roll(pixels, 9 * row, 1) for row in range(len(wanted))]),
            names.ATTRIBUTE: np.array([name.encode() for name in wanted], object),
        },
    }
    pairs = {names.IMAGE_BYTES: encoded, names.OTHER_IMAGE_BYTES: encoded[::-1]}
    named |= {names.similarity(attribute): pairs for attribute in attributes}
    return {name: named.get(name, {names.IMAGE_BYTES: encoded}) for name in signatures}


def _encoded(image: Image.Image, form: str) -> bytes:
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()

"""Photographs: what the check accepts, both decoders take."""

import functools
import io
from pathlib import Path

import numpy as np
from PIL import Image

from asen_tf import images
from tests.fuzz.target import Target

_RAMP = np.linspace(0, 255, 24).astype(np.uint8)
_CHANNELS = np.tile(_RAMP, (16, 1)), np.tile(_RAMP[:16, None], (1, 24)), np.full((16, 24), 9)
_PICTURE = Image.fromarray(np.stack(_CHANNELS, -1).astype(np.uint8))
_NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8))


def _encoded(kind, picture=_PICTURE, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


_RGBA = _PICTURE.convert("RGBA")
_RGBA.putalpha(200)
_MORE = {"save_all": True, "append_images": [_NOISE.resize(_PICTURE.size)]}
_SEEDS = {
    "JPEG": [
        *(_encoded("JPEG"), _encoded("JPEG", _NOISE, progressive=True)),
        *(_encoded("JPEG", _PICTURE.convert("L")), _encoded("JPEG", _PICTURE.convert("CMYK"))),
        _encoded("MPO", **_MORE),
    ],
    "PNG": [
        *(_encoded("PNG"), _encoded("PNG", _RGBA), _encoded("PNG", _PICTURE.convert("P"))),
        *(_encoded("PNG", _PICTURE.convert("1")), _encoded("PNG", _PICTURE.convert("I;16"))),
    ],
    "BMP": [_encoded("BMP"), _encoded("BMP", _PICTURE.convert("L")), _encoded("BMP", _RGBA)],
    "GIF": [_encoded("GIF"), _encoded("GIF", **_MORE)],
    "WebP": [_encoded("WEBP"), _encoded("WEBP", _RGBA, lossless=True), _encoded("WEBP", **_MORE)],
    "TIFF": [_encoded("TIFF"), _encoded("TIFF", compression="tiff_lzw")],
    "AVIF": [_encoded("AVIF")],
}


def _agree(folder: Path, raw: bytes) -> None:
    import tensorflow as tf

    from asen_tf.images import graph

    path = folder / "picture"
    path.write_bytes(raw)
    if found := images.problem(path):
        raise ValueError(found)
    try:
        by_pillow, by_graph = images.read(raw), graph.decode(tf.constant(raw)).numpy()
    except Exception as error:
        raise AssertionError(f"passes the check, then: {error!s:.200}") from error
    assert by_pillow.shape == by_graph.shape
    assert images.size_of(raw) == by_pillow.shape[:2]


TARGETS = [
    Target(
        f"pictures: {kind}",
        [
            *(f"asen_client.images.{name}" for name in ("kinds", "pillow")),
            *(f"asen_tf.images.{name}" for name in ("check", "graph")),
        ],
        _agree,
        seeds=seeds,
        prepare=functools.partial(_agree, raw=seeds[0]),  # TensorFlow takes seconds for the first
        tensorflow=True,
    )
    for kind, seeds in _SEEDS.items()
]

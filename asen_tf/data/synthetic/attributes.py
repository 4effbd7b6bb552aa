"""The attributes of a synthetic garment, and the random streams that everything is drawn from."""

import zlib

import numpy as np

from asen_client.core.attributes import AttributeSpace

SPACE = AttributeSpace(
    {
        "neckline": ("round", "v", "square", "boat", "keyhole"),
        "collar": ("none", "pointed", "mandarin", "peter_pan", "ruffle"),
        "sleeve_length": ("sleeveless", "short", "three_quarter", "long"),
        "hem_length": ("crop", "hip", "knee", "maxi"),
        "pattern": ("solid", "stripes", "checks", "dots", "floral", "zigzag"),
        "color": ("red", "yellow", "green", "blue", "purple", "pink", "black", "white"),
        "pocket": ("none", "chest", "two_hip", "kangaroo"),
        "fastening": ("none", "buttons", "zipper", "double_breasted", "belt"),
    }
)


def stream(seed: int, index: int, name: str) -> np.random.Generator:
    """The random numbers of one concern (`name`) of image `index`.

    Each concern has its own stream, so that a part which uses more numbers than another, or is
    drawn with another value, leaves the rest of the picture as it was.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, index, zlib.crc32(name.encode())]))


def draw_labels(seed: int, index: int) -> dict[str, str]:
    """The value of every attribute of image `index`: uniform, each independent of the others."""
    positions = stream(seed, index, "labels").integers(SPACE.value_counts)
    return {name: SPACE[name].values[p] for name, p in zip(SPACE, positions, strict=True)}

"""What tests of several packages share."""

import csv

import numpy as np
import pytest
from PIL import Image

COLORS = {"red": (200, 30, 30), "green": (30, 180, 30), "blue": (40, 40, 200)}


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    """A folder of 48 photographs: a red, green or blue square at the left or the right.

    24 train, 12 valid, 12 test; manifest.csv with the attributes color and side, without roles.
    """
    root = tmp_path_factory.mktemp("catalogue")
    images, size = 48, (40, 36)
    (root / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for n in range(images):
        color, side = list(COLORS)[n % 3], ("left", "right")[n // 3 % 2]
        pixels = generator.integers(0, 80, (*size, 3), np.uint8)
        across = slice(2, 14) if side == "left" else slice(22, 34)
        pixels[10:28, across] = COLORS[color]
        Image.fromarray(pixels).save(root / "images" / f"{n}.png")
        split = "train" if n < images // 2 else ("valid" if n < images * 3 // 4 else "test")
        rows.append((f"images/{n}.png", split, color, side))
    with open(root / "manifest.csv", "w", newline="") as file:
        csv.writer(file).writerows([("image", "split", "color", "side"), *rows])
    return root

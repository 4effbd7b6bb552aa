"""The regions that the authors' code cut for the same attention maps."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asen_tf.layers import WeaklySupervisedLocalization
from asen_tf.models.base import original_boxes

SHARED = Path(__file__).parents[2].parent / "shared"
GOLDEN = SHARED / "golden" / "asenpp_resnet18"
PHOTOGRAPHS = SHARED / "data" / "clothing_attributes"

pytestmark = pytest.mark.skipif(
    not (GOLDEN.exists() and PHOTOGRAPHS.exists()),
    reason=f"needs {GOLDEN} and {PHOTOGRAPHS}, which are not part of the project",
)


def height_and_width(path):
    with Image.open(path) as photograph:
        return photograph.size[::-1]


def test_regions_in_pixels_of_the_original():
    """All 72 are equal: none is an odd square that passes the border, where ours stays inside."""
    golden = np.load(GOLDEN / "expected.npz")
    settings = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))
    size = settings["global_size"]
    regions = WeaklySupervisedLocalization(size, settings["threshold"])(golden["attention"])
    sizes = np.array([height_and_width(PHOTOGRAPHS / name) for name in golden["image"]])
    boxes = original_boxes(regions[:, None], size, sizes)[:, 0].numpy()

    left, top, side = golden["roi"].T
    np.testing.assert_array_equal(boxes, np.stack([left, top, left + side, top + side], axis=1))

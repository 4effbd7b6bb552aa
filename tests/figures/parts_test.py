"""Outlines of drawn garments: where the sleeves end, and which parts there are."""

import numpy as np
import pytest

from asen_tf.figures.parts import COLORS, outlines, parts_grid
from asen_tf.models.part_guided import PartExtractor

SIDE = 224
NECK, TORSO = np.s_[20:40, 100:124], np.s_[40:200, 80:144]
SLEEVES = np.s_[40:90, 40:184]


def drawn(*shapes):
    image = np.full((SIDE, SIDE, 3), 250, np.uint8)
    for shape in shapes:
        image[shape] = (40, 60, 160)
    return image


@pytest.fixture(scope="module")
def found():
    garments = drawn(NECK, TORSO, SLEEVES), drawn(NECK, TORSO), drawn(TORSO)
    return outlines(PartExtractor(), np.stack(garments))


def test_a_shirt_has_all_parts_and_ends_of_sleeves(found):
    shirt = found[0]
    assert shirt.case == "with sleeves" and set(shirt.boxes) == set(COLORS)
    # A cell of the grid is a 112th of the side.
    np.testing.assert_allclose(shirt.jumps, 90 / SIDE, atol=0.02)
    np.testing.assert_allclose(shirt.reach, 72 / SIDE, atol=0.02)
    assert shirt.axis == pytest.approx(0.5, abs=0.01)
    left, _, right, _ = shirt.boxes["torso"]
    np.testing.assert_allclose((left, right), (80 / SIDE, 144 / SIDE), atol=0.02)
    assert shirt.mask.mean() == pytest.approx(
        (np.abs(drawn(NECK, TORSO, SLEEVES)[..., 0] - 40) < 1).mean(), abs=0.01
    )


def test_without_sleeves_there_is_none_to_draw_and_of_trousers_no_part(found):
    _, bare, trousers = found
    assert bare.case == "sleeveless" and np.isnan(bare.jumps).all()
    assert set(bare.boxes) == set(COLORS) - {"left_sleeve", "right_sleeve"}
    assert trousers.case == "no parts" and trousers.boxes == {}


def test_a_column_a_photograph(found):
    axes = parts_grid(found).axes[0]
    assert len(axes.images) == 2 * len(found)
    texts = [text.get_text() for text in axes.texts]
    assert [t for t in texts if t in ("with sleeves", "sleeveless", "no parts")] == [
        outline.case for outline in found
    ]

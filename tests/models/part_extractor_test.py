"""Parts of drawn garments, against where they were drawn."""

import cv2
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx
from PIL import Image

from asen_tf.data.synthetic import render
from asen_tf.metrics.localization import box_iou
from asen_tf.models.part_guided import CASES, PARTS, PartExtractor, usable
from asen_tf.models.part_guided.foreground import foreground
from asen_tf.models.part_guided.silhouette import measure

SIDE = 224
CLOTH, WALL = (60, 90, 180), 245
WHOLE = [0, 0, 1, 1]
# The part that stands for an attribute -> whose box it should be.
PART_OF = {"neckline": ("collar",), "collar": ("collar",), "fastening": ("fastening",)}
PART_OF["sleeve_length"] = ("left_sleeve", "right_sleeve")


def square(photograph):
    """The centred square, and what takes boxes of the photograph to 0..1 of it."""
    height, width = photograph.image.shape[:2]
    short = min(height, width)
    left, top = (width - short) // 2, (height - short) // 2
    square = photograph.image[top : top + short, left : left + short]
    image = np.asarray(Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BOX))
    return image, lambda box: (np.array(box) - [left, top, left, top]) / short


@pytest.fixture(scope="module")
def plain():
    return [render(41, index, "plain") for index in range(40)]


@pytest.fixture(scope="module")
def found(plain):
    images = np.stack([square(photograph)[0] for photograph in plain])
    return [np.asarray(result) for result in PartExtractor()(images)]


def garment(*shapes):
    """A drawing of cloth on a wall."""
    image = np.full((SIDE, SIDE, 3), WALL, np.uint8)
    for shape in shapes:
        cv2.fillPoly(image, [np.int32(shape)], CLOTH)
    return image


BODY = [(92, 30), (132, 30), (165, 45), (162, 200), (62, 200), (59, 45)]
SHORT_LEFT = [(59, 45), (70, 45), (64, 100), (40, 150), (18, 140)]
LONG_LEFT = [(59, 45), (70, 60), (40, 197), (18, 190), (45, 70)]


def other_side(shape):
    return [(SIDE - x, y) for x, y in shape]


GARMENTS = {
    "shirt": garment(BODY, SHORT_LEFT, other_side(SHORT_LEFT)),
    "jumper": garment(BODY, LONG_LEFT, other_side(LONG_LEFT)),
    "vest": garment(
        [(85, 30), (100, 30), (104, 60), (112, 64), (112, 200), (64, 200), (64, 80)],
        [(139, 30), (124, 30), (120, 60), (112, 64), (112, 200), (160, 200), (160, 80)],
    ),
    "trousers": garment(
        [(70, 20), (154, 20), (170, 210), (125, 210), (112, 70), (99, 210), (54, 210)]
    ),
    "skirt": garment([(80, 40), (144, 40), (185, 190), (39, 190)]),
}


@pytest.fixture(scope="module")
def of_garments():
    regions, *results = PartExtractor()(np.stack(list(GARMENTS.values())))
    results = (usable(regions, results[-1]), *results)
    return {
        name: (dict(zip(PARTS, regions.numpy() * SIDE, strict=True)), float(sure), CASES[case])
        for name, regions, sure, case in zip(GARMENTS, *results, strict=True)
    }


@pytest.mark.parametrize("part", PARTS[1:])
def test_parts_lie_where_they_were_drawn(plain, found, part):
    place = PARTS.index(part)
    drawn = [square(photograph)[1](photograph.parts[part]) for photograph in plain]
    assert box_iou(found[0][:, place], drawn).mean() > 0.6


@pytest.mark.parametrize("attribute", PART_OF)
def test_parts_lie_on_the_boxes_of_their_attributes(plain, found, attribute):
    places = [PARTS.index(part) for part in PART_OF[attribute]]
    regions = found[0][:, places]
    around = np.concatenate([regions[..., :2].min(1), regions[..., 2:].max(1)], axis=-1)
    ious = [
        box_iou(region, square(photograph)[1](photograph.boxes[attribute]))
        for region, photograph in zip(around, plain, strict=True)
        if attribute in photograph.boxes
    ]
    assert np.mean(ious) > 0.6


def test_the_whole_image_is_a_part(found):
    np.testing.assert_array_equal(found[0][:, 0], np.tile(WHOLE, (len(found[0]), 1)))


def test_sure_of_plain_photographs(found):
    assert (found[1] >= 0.5).mean() >= 0.95
    assert {CASES[case] for case in found[2]} == {"sleeves"}  # the figures have arms


def test_not_sure_amid_clutter():
    images = np.stack([square(render(42, index, "cluttered"))[0] for index in range(20)])
    _, sure, case = PartExtractor(threshold=0.5)(images)
    assert np.max(sure) < 0.5 and {CASES[n] for n in case.numpy()} == {"off"}


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("shirt", "sleeves"),
        ("jumper", "sleeves"),
        ("vest", "sleeveless"),
        ("trousers", "off"),
        ("skirt", "off"),
    ],
)
def test_the_three_cases(of_garments, name, case):
    assert of_garments[name][1:] == (pytest.approx(1), case)


@pytest.mark.parametrize("name", ["trousers", "skirt"])
def test_lower_bodies_have_no_parts(of_garments, name):
    for box in of_garments[name][0].values():
        np.testing.assert_array_equal(box, [0, 0, SIDE, SIDE])


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("shirt", (18, 45, 70, 150), (154, 45, 206, 150)),
        ("jumper", (18, 45, 70, 197), (154, 45, 206, 197)),
    ],
)
def test_sleeves_end_where_the_outline_jumps(of_garments, name, left, right):
    parts = of_garments[name][0]
    for part, (outer, _, other, low) in (("left_sleeve", left), ("right_sleeve", right)):
        end = 0 if part == "left_sleeve" else 2
        assert parts[part][end] == pytest.approx((outer, other)[end // 2], abs=4)
        assert parts[part][3] == pytest.approx(low, abs=6)


@pytest.mark.parametrize(("name", "half"), [("shirt", 51), ("jumper", 51), ("vest", 48)])
def test_the_torso_is_what_sleeves_leave(of_garments, name, half):
    left, _, right, bottom = of_garments[name][0]["torso"]
    assert (left, right) == (pytest.approx(112 - half, abs=5), pytest.approx(112 + half, abs=5))
    assert bottom <= 200 + 2  # the hem, but for a pixel of the grid


def test_foreground_is_the_cloth():
    """Drawn at once: what is not wall, less the corners that opening rounds off."""
    image = GARMENTS["shirt"]
    mask, unevenness = foreground(image[None], SIDE)
    expected = (image != WALL).any(-1)
    assert (mask.numpy()[0] & expected).sum() > 0.995 * max(expected.sum(), mask.numpy().sum())
    assert float(unevenness[0]) == 0


def test_foreground_has_no_holes_and_no_specks():
    image = np.full((64, 64, 3), WALL, np.uint8)
    cv2.rectangle(image, (20, 20), (44, 50), CLOTH, 2)  # white cloth with an outline
    image[5, 5] = CLOTH
    mask = foreground(image[None], 64)[0].numpy()[0]
    expected = np.zeros((64, 64), np.uint8)
    cv2.rectangle(expected, (19, 19), (45, 51), 1, cv2.FILLED)
    kernel = np.ones((3, 3), np.uint8)
    assert not mask[:15].any()
    assert mask[30, 32] and (mask[cv2.erode(expected, kernel) > 0]).all()
    assert not mask[cv2.dilate(expected, kernel) == 0].any()


def test_a_sloping_light_is_no_foreground():
    slope = np.linspace(200, 250, 64)[:, None] + np.linspace(-20, 5, 64)
    mask = foreground(np.repeat(slope[None, :, :, None], 3, -1), 64)[0]
    assert not mask.numpy().any()


def test_a_silhouette_by_hand():
    """A cross of arms: neck 8 wide, torso 24 wide, arms of 6 with gaps of 4 beside it."""
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 4:10, 28:36] = True  # neck
    mask[0, 10:50, 20:44] = True  # torso
    mask[0, 10:16, 10:54] = True  # shoulders
    mask[0, 16:34, 10:16] = mask[0, 16:34, 48:54] = True  # arms
    found = {
        name: value.numpy().tolist() for name, value in measure(tf.constant(mask))._asdict().items()
    }
    assert found == {
        "axis": [32],
        "top": [4],
        "bottom": [50],
        "shoulder": [10],
        "half_width": [[12, 12]],
        "sleeved": [[True, True]],
        "cuff": [[33, 33]],
        "reach": [[22, 22]],
        "neck": [8],
    }


def test_the_first_jump_counts():
    """A sleeve that ends at row 23, and below it a pocket that sticks out farther, to row 37."""
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 10:50, 20:44] = True
    mask[0, 10:24, 12:52] = True
    mask[0, 28:38, 10:54] = True
    assert measure(tf.constant(mask)).cuff.numpy().tolist() == [[23, 23]]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_nothing_to_see(value):
    regions, sure, case = PartExtractor()(np.full((2, 64, 64, 3), value, np.uint8))
    assert np.isfinite(regions).all() and np.max(sure) == 0
    assert [CASES[n] for n in case] == ["off", "off"]


def test_images_do_not_depend_on_their_batch(plain, found):
    images = np.stack([square(photograph)[0] for photograph in plain[:3]])
    extract = tf.function(
        PartExtractor().__call__,
        input_signature=[tf.TensorSpec((None, SIDE, SIDE, 3), tf.uint8)],
    )
    for place in range(3):
        for alone, together in zip(extract(images[place : place + 1]), found, strict=True):
            np.testing.assert_allclose(alone[0], together[place], atol=1e-6)


def test_threshold_says_what_is_sure_enough():
    image = garment(BODY, SHORT_LEFT, other_side(SHORT_LEFT))
    wall = (image == WALL).all(-1)
    slope = np.broadcast_to(np.linspace(230, 250, SIDE), wall.shape)  # unevenness 10: exp(-1)
    image[wall] = slope[wall][:, None]
    regions, sure, case = PartExtractor(threshold=0.3)(image[None])
    assert float(sure[0]) == pytest.approx(np.exp(-1), abs=0.03) and CASES[case[0]] == "sleeves"
    others, _, case = PartExtractor(threshold=0.5)(image[None])
    np.testing.assert_array_equal(others, regions)
    assert CASES[case[0]] == "off"


def test_bad_threshold():
    with pytest.raises(ValueError, match=r"threshold must lie in \[0, 1\], got 2"):
        PartExtractor(threshold=2)


def test_onnx_runtime_finds_the_same(plain):
    """Of garments of every case, of none, and of people."""
    nothing = np.full((SIDE, SIDE, 3), WALL, np.uint8)
    images = np.stack([*GARMENTS.values(), nothing, *(square(one)[0] for one in plain[:6])])
    extract = PartExtractor()
    spec = [tf.TensorSpec((None, SIDE, SIDE, 3), tf.uint8, "images")]
    function = tf.function(lambda images: extract(images), input_signature=spec)
    made, _ = tf2onnx.convert.from_function(function, spec, opset=18)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    expected = extract(images)
    for found, right in zip(session.run(None, {"images": images}), expected, strict=True):
        np.testing.assert_allclose(found, right, rtol=0, atol=1e-4)

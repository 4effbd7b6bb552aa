import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asen_client.core.attributes import AttributeSpace
from asen_tf.data.manifest import LABEL, GarmentBoxes, Manifest
from asen_tf.evaluation.localization import evaluate_localization

SIZES = [(40, 60), (60, 40), (20, 20)]  # height, width
TRUE_BOXES = {(0, 0): (12, 4, 20, 12), (0, 1): (30, 20, 50, 40), (1, 1): (0, 10, 10, 20)}
TRUE_BOXES |= {(2, 0): (5, 5, 15, 15)}


@pytest.fixture
def manifest(tmp_path):
    boxes = np.full((len(SIZES), 3, 4), np.nan, np.float32)
    for (image, attribute), box in TRUE_BOXES.items():
        boxes[image, attribute] = box
    names = [f"{i}.png" for i in range(len(SIZES))]
    for name, (height, width) in zip(names, SIZES, strict=True):
        Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(tmp_path / name)
    return Manifest(
        root=Path(tmp_path),
        space=AttributeSpace({"collar": ["a"], "length": ["a"], "color": ["a"]}),
        images=np.array(names),
        splits=np.full(len(SIZES), 2, np.int8),
        labels=np.zeros(0, LABEL),
        lines=np.arange(len(SIZES), dtype=np.int32),
        source="made-up.csv",
        boxes=boxes,
    )


def load_images(rows):
    return np.broadcast_to(np.uint8(rows)[:, None, None, None], (len(rows), 4, 4, 3))


def in_square(image, x, y):
    """A pixel of the original as a part of the square, worked out one number at a time."""
    height, width = SIZES[image]
    if width > height:
        return (x - (width - height) // 2) / height, y / height
    return x / width, (y - (height - width) // 2) / width


def explain(boxes):
    """Answers with these boxes (in pixels of the original) and their centres."""

    def explain_fn(images, attributes):
        regions = np.full((*attributes.shape, 4), 0.5)
        for b, m in np.ndindex(attributes.shape):
            image = int(images[b, 0, 0, 0])
            left, top, right, bottom = boxes[image, int(attributes[b, m])]
            regions[b, m] = *in_square(image, left, top), *in_square(image, right, bottom)
        return (regions[..., :2] + regions[..., 2:]) / 2, regions

    return explain_fn


@pytest.mark.parametrize("batch_size", [1, 2, 10])
def test_right_answers_score_one(manifest, batch_size):
    result = evaluate_localization(explain(TRUE_BOXES), manifest, "test", load_images, batch_size)
    assert result["count"] == 4 and list(result["attributes"]) == ["collar", "length"]
    for row in (result, *result["attributes"].values()):
        assert row["pointing_accuracy"] == 1
        assert row["mean_iou"] == pytest.approx(1, abs=1e-5)


def test_means_by_hand(manifest):
    answers = {**TRUE_BOXES, (0, 0): (16, 4, 24, 12), (1, 1): (20, 20, 30, 30)}
    result = evaluate_localization(explain(answers), manifest, "test", load_images, 2)
    # collar: half a box aside (IoU 1/3, centre on the border) and right; length: right and missed
    collar = {"count": 2, "pointing_accuracy": 1.0, "mean_iou": pytest.approx(2 / 3, abs=1e-5)}
    length = {"count": 2, "pointing_accuracy": 0.5, "mean_iou": pytest.approx(1 / 2, abs=1e-5)}
    assert result["attributes"] == {"collar": collar, "length": length}
    assert result["pointing_accuracy"] == 0.75
    assert result["mean_iou"] == pytest.approx(7 / 12, abs=1e-5)


def test_overall_weighs_boxes_and_macro_weighs_attributes(manifest):
    boxes = manifest.boxes.copy()
    boxes[1, 1] = np.nan
    answers = {**TRUE_BOXES, (0, 1): (30, 0, 50, 10)}
    result = evaluate_localization(
        explain(answers), dataclasses.replace(manifest, boxes=boxes), "test", load_images, 2
    )
    assert result["pointing_accuracy"] == pytest.approx(2 / 3)
    assert result["pointing_accuracy_macro"] == pytest.approx(1 / 2)
    assert result["mean_iou"] == pytest.approx(2 / 3, abs=1e-5)
    assert result["mean_iou_macro"] == pytest.approx(1 / 2, abs=1e-5)


def test_in_photographs_that_are_cut_to_garments(manifest):
    """Right answers, in the square of what was cut out, are right in the whole photograph."""
    cuts = np.array([(24, 12, 52, 40), (np.nan,) * 4, (4, 4, 20, 20)])
    garments = GarmentBoxes(cuts, np.zeros(3, np.int32), "")
    seen = {0: (17, 5, 59, 40), 1: (0, 0, 40, 60), 2: (0, 0, 20, 20)}  # with a quarter around

    def explain_fn(images, attributes):
        regions = np.full((*attributes.shape, 4), 0.5)
        for b, m in np.ndindex(attributes.shape):
            image = int(images[b, 0, 0, 0])
            left, top, right, bottom = seen[image]
            x, y = right - left, bottom - top
            side = max(x, y)
            corner = np.array([left + (x - side) // 2, top + (y - side) // 2] * 2)
            regions[b, m] = (TRUE_BOXES.get((image, attributes[b, m]), corner) - corner) / side
        return (regions[..., :2] + regions[..., 2:]) / 2, regions

    manifest = dataclasses.replace(manifest, garment_boxes=garments)
    result = evaluate_localization(
        explain_fn, manifest, "test", load_images, fit="pad", box_margin=0.25
    )
    assert result["count"] == 4 and result["pointing_accuracy"] == 1
    assert result["mean_iou"] == pytest.approx(1, abs=1e-5)


def test_bad_input_is_refused(manifest):
    with pytest.raises(ValueError, match=r"split 'valid' of made-up.csv has none"):
        evaluate_localization(explain(TRUE_BOXES), manifest, "valid", load_images)
    with pytest.raises(ValueError, match="part boxes"):
        evaluate_localization(
            explain(TRUE_BOXES), dataclasses.replace(manifest, boxes=None), "test", load_images
        )
    with pytest.raises(ValueError, match="unknown split"):
        evaluate_localization(explain(TRUE_BOXES), manifest, "all", load_images)
    with pytest.raises(ValueError, match=r"regions of explain_fn must have the shape \[3, 2, 4\]"):
        evaluate_localization(
            lambda images, attributes: (np.zeros((3, 2, 2)), np.zeros((3, 2, 2))),
            manifest,
            "test",
            load_images,
        )

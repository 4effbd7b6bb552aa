"""Garments' boxes from tables, and what training then sees."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from asen_client.images.boxes import Boxed
from asen_tf import images
from asen_tf.core.config import defaults
from asen_tf.data import formats
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import BadData, load
from asen_tf.data.pipeline import training_batches


def options(root, text=None, boxes_text=None, **changes):
    """Writes the tables; gives the `data` part of a configuration."""
    found = defaults().data
    found.update(root=str(root), **changes)
    if text is not None:
        (root / "manifest.csv").write_text(text)
    if boxes_text is not None:
        (root / "boxes.csv").write_text(boxes_text)
        found.garment_boxes = "boxes.csv"
    return found


TABLES = {
    "columns": (
        "image,x1,y1,split,x2,y2,fit\n"
        "a.jpg, 1,2,train,30.5,40,slim\nb.jpg,,, train,, ,slim\na.jpg,1,2,valid,30.5,40,slim\n",
        None,
    ),
    "one column": (
        "image,split,fit,box\n"
        'a.jpg,train,slim,1 2 30.5 40\nb.jpg,train,slim,\na.jpg,valid,slim,"1, 2,30.5,40"\n',
        None,
    ),
    "a file": (
        "image,split,fit\na.jpg,train,slim\nb.jpg,train,slim\na.jpg,valid,slim\n",
        "image,x1,y1,x2,y2\n\na.jpg,1,2,30.5,40\n",
    ),
}
LINES = {"columns": [2, 3, 4], "one column": [2, 3, 4], "a file": [3, 0, 3]}


@pytest.mark.parametrize("table", TABLES)
def test_boxes_are_read_and_are_no_attributes(table, tmp_path):
    manifest, problems = formats.read(options(tmp_path, *TABLES[table]))
    assert problems == [] and list(manifest.space) == ["fit"]
    nan = [np.nan] * 4
    box = [1, 2, 30.5, 40]
    np.testing.assert_array_equal(manifest.garment_boxes.boxes, [box, nan, box])
    assert manifest.garment_boxes.lines.tolist() == LINES[table]
    assert manifest.photograph(1) == manifest.path(1)
    photograph = manifest.photograph(2, 0.5)
    assert photograph.photograph == manifest.path(2)
    assert photograph.box == tuple(box) and photograph.margin == 0.5
    assert manifest.regions(0).tolist() == [[1, 2, 31, 40], [0, 0, 0, 0], [1, 2, 31, 40]]
    taken = manifest.take([2, 1])
    np.testing.assert_array_equal(taken.garment_boxes.boxes, [box, nan])


def test_bad_boxes_are_named_by_line_and_column(tmp_path):
    text = "image,split,x1,y1,x2,y2,fit\na.jpg,train,1,2,3,4,slim\n"
    bad = {
        "1,2,wide,4": "expected a number of pixels as x2, got 'wide'",
        "1,2,,4": "expected a number of pixels as x2, got ''",
        "9,2,3,4": "expected x2 at least a pixel above x1, got x1 9 and x2 3",
        "1,-7,3,4": "y1 -7 lies 7 pixels outside",
        # 34-boxes-in-shares
        "0.1,0.2,0.9,1": "got x1 0.1 and x2 0.9 (every number lies in 0 to 1: expected pixels",
        "0,0,1,1": "box 0 0 1 1: every number lies in 0 to 1: expected pixels of the photograph",
    }
    rows = "".join(f"{n}.jpg,train,{cells},slim\n" for n, cells in enumerate(bad))
    manifest, problems = formats.read(options(tmp_path, text + rows))
    assert manifest.images.tolist() == ["a.jpg"] and len(manifest.garment_boxes.boxes) == 1
    assert [(p.source, p.line) for p in problems] == [("manifest.csv", n) for n in range(3, 9)]
    for problem, message in zip(problems, bad.values(), strict=True):
        assert message in problem.message
    with pytest.raises(BadData, match="6 problems"):
        load(options(tmp_path, check="none"))


def test_bad_rows_of_the_boxes_file_go_alone(tmp_path):
    text = "image,split,fit\na.jpg,train,slim\nb.jpg,train,slim\nc.jpg,train,slim\n"
    boxes = (
        "image,box\na.jpg,1 2 3 4\nb.jpg,1 2 3\na.jpg,2 2 9 9\ngone.jpg,1 2 3 4\nc.jpg,4 4 1 1\n"
    )
    manifest, problems = formats.read(options(tmp_path, text, boxes))
    assert manifest.images.tolist() == ["a.jpg", "b.jpg", "c.jpg"]
    assert manifest.garment_boxes.boxes[0].tolist() == [1, 2, 3, 4]
    assert np.isnan(manifest.garment_boxes.boxes[1:]).all()
    assert sorted((p.source, p.line) for p in problems) == [("boxes.csv", n) for n in (3, 4, 5, 6)]
    messages = "\n".join(map(str, problems))
    for message in (
        "boxes.csv:3: expected four numbers as box, x1 y1 x2 y2, got '1 2 3'",
        "boxes.csv:4: a.jpg has a box on line 2 already",
        "boxes.csv:5: 'gone.jpg' is not an image of the manifest",
    ):
        assert message in messages


@pytest.mark.parametrize(
    ("text", "boxes", "message"),
    [
        (
            "image,split,x1,fit\n",
            None,
            "manifest.csv:1: expected the columns x1, y1, x2, y2 or box",
        ),
        ("image,split,box,x1,y1,x2,y2,fit\n", None, "found box, x1, y1, x2, y2"),
        (TABLES["columns"][0], "image,box\na.jpg,1 2 3 4\n", "in manifest.csv and in boxes.csv"),
        (TABLES["a file"][0], "image,left\na.jpg,1\n", "boxes.csv:1: no columns x1, y1, x2, y2"),
    ],
)
def test_wrong_columns_are_explained(text, boxes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        formats.read(options(tmp_path, text, boxes))


@pytest.mark.parametrize("form", ["columns", "a file"])
def test_a_box_has_to_lie_in_its_photograph(form, tmp_path):
    """Two pixels outside are cut off, more are a problem of the line that says so."""
    boxes = {"a": "0,0,32,22", "b": "1,1,33,20", "c": "31,1,32,20", "d": ",,,"}
    for name in boxes:
        Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / f"{name}.png")
    if form == "columns":
        rows = "".join(f"{name}.png,train,slim,{box}\n" for name, box in boxes.items())
        found = options(tmp_path, f"image,split,fit,x1,y1,x2,y2\n{rows}")
    else:
        rows = "".join(f"{name}.png,train,slim\n" for name in boxes)
        boxes_rows = "".join(f"{name}.png,{box}\n" for name, box in boxes.items())
        found = options(tmp_path, f"image,split,fit\n{rows}", f"image,x1,y1,x2,y2\n{boxes_rows}")
    with pytest.raises(BadData) as caught:
        load(found)
    source = "manifest.csv" if form == "columns" else "boxes.csv"
    assert [str(problem) for problem in caught.value.problems] == [
        f"{source}:3: b.png: x2 33 lies 3 pixels outside of the photograph of 30 x 20",
        f"{source}:4: c.png: box 31 1 32 20 lies outside of the photograph of 30 x 20",
    ]
    found.skip_bad = True
    assert load(found).images.tolist() == ["a.png", "d.png"]
    found.update(skip_bad=False, check="exists")
    assert len(load(found)) == 4


@pytest.fixture(scope="module")
def cut(boxed_and_cut):
    """The manifest with boxes, and that of the photographs which were cut by hand."""
    return [load(options(folder)) for folder in boxed_and_cut]


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("mode", ["memory", "disk", "none"])
def test_training_sees_what_was_cut_by_hand(mode, fit, cut, tmp_path):
    rows = np.arange(2, 40)
    wanted = tf.constant([7, 4, 39, 7], tf.int64)
    found = [
        open_images(manifest, rows, 24, mode, folder=tmp_path, fit=fit, box_margin=0.25)(wanted)
        for manifest in cut
    ]
    np.testing.assert_array_equal(*found)


def test_the_cache_is_of_these_boxes_and_this_margin(cut, tmp_path):
    rows, manifest = np.arange(4), cut[0]
    boxes = manifest.garment_boxes.boxes.copy()
    boxes[0] += 3
    moved = dataclasses.replace(manifest.garment_boxes, boxes=boxes)
    others = [
        (manifest, 0.25, "crop"),
        (manifest, 0.0, "crop"),
        (manifest, 0.25, "pad"),
        (dataclasses.replace(manifest, garment_boxes=moved), 0.25, "crop"),
        (dataclasses.replace(manifest, garment_boxes=None), 0.25, "crop"),
    ]
    for its, margin, fit in others * 2:
        kept, anew = (
            open_images(its, rows, 24, mode, folder=tmp_path, fit=fit, box_margin=margin)(rows)
            for mode in ("disk", "none")
        )
        np.testing.assert_array_equal(kept, anew)
    different = {
        (repr(its.photograph(row, margin)), fit) for its, margin, fit in others for row in rows
    }
    assert len(list(tmp_path.glob("*.raw"))) == len(different)


def test_batches_for_fit_are_cut_too(cut):
    given = {"image_size": 24, "batch_size": 8, "box_margin": 0.25, "fit": "pad"}
    found = [next(iter(training_batches(manifest, **given)))[0]["images"] for manifest in cut]
    np.testing.assert_array_equal(*found)
    with pytest.raises(ValueError, match="box_margin must be a number from 0 up"):
        training_batches(cut[0], 24, box_margin=-1)


def test_photographs_of_a_manifest_are_cut(cut):
    boxed, by_hand = cut
    for row in range(8):
        found = images.read(boxed.photograph(row, 0.25))
        np.testing.assert_array_equal(found, images.read(by_hand.path(row)))
    assert isinstance(boxed.photograph(0), Boxed) and boxed.photograph(3) == boxed.path(3)

"""Attributes and values of data and of a model are matched by name."""

import logging
from pathlib import Path

import numpy as np
import pytest

from asen_tf.core import AttributeSpace
from asen_tf.data.manifest import LABEL, TRIPLET, Manifest, sort_labels
from asen_tf.data.matching import matched

COLORS, NECKS = ["blue", "green", "red"], ["round", "v"]
TABLE = AttributeSpace({"neck": NECKS, "color": COLORS})
# Row 0 is round and red, row 1 v and blue.
LABELS = [(0, 0, 0, 0), (0, 1, 2, 0), (1, 0, 1, 0), (1, 1, 0, 0)]


def make(space=TABLE, labels=LABELS, **more):
    return Manifest(
        root=Path("/data"),
        space=space,
        images=np.array(["0.jpg", "1.jpg"]),
        splits=np.zeros(2, np.int8),
        labels=sort_labels(np.array(labels, LABEL)),
        lines=np.arange(2) + 2,
        source="manifest.csv",
        **more,
    )


def said(manifest):
    """(image, attribute, value) of every label, by name."""
    values = manifest.space.to_dict()
    names = list(values)
    return {(i, names[a], values[names[a]][v]) for i, a, v, _ in manifest.labels.tolist()}


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"color": COLORS, "neck": NECKS}, id="01-init-from-other-columns"),
        {"color": ["red", "pink", "blue", "green"], "neck": NECKS},
        pytest.param({"neck": NECKS, "color": COLORS, "fit": ["slim"]}, id="12-no-red"),
    ],
)
def test_labels_keep_their_names(known):
    found = matched(make(), AttributeSpace(known))
    assert found.space == AttributeSpace(known)
    assert said(found) == said(make())


def test_boxes_and_triplets_follow_their_attribute():
    boxes = np.arange(16, dtype=np.float32).reshape(2, 2, 4)
    triplets = np.array([(0, 0, 1, 0), (1, 1, 0, 1)], TRIPLET)
    known = AttributeSpace({"color": COLORS, "fit": ["slim"], "neck": NECKS})
    found = matched(make(boxes=boxes, triplets=triplets), known)
    np.testing.assert_array_equal(found.boxes[:, [2, 0]], boxes)
    assert np.isnan(found.boxes[:, 1]).all()
    assert found.triplets["attribute"].tolist() == [2, 0]


def test_an_attribute_that_the_model_does_not_know_is_left_out(caplog):
    found = matched(make(), AttributeSpace({"color": COLORS}))
    assert said(found) == {(0, "color", "red"), (1, "color", "blue")}
    assert not caplog.records


def test_a_column_of_another_name_is_warned_about(caplog):
    with caplog.at_level(logging.WARNING):
        matched(make(), AttributeSpace({"colour": COLORS, "neck": NECKS}))
    (record,) = caplog.records
    assert record.getMessage() == (
        "the data lacks colour, which the model knows; it has color, passed over"
    )


def test_values_that_the_model_does_not_know_are_named():
    """12-the-same-text-on-both-sides."""
    known = AttributeSpace({"neck": NECKS, "color": ["blue", "crimson", "green"]})
    expected = "color: the model knows crimson, which the data lacks; the data has red"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        matched(make(), known)


def test_a_new_run_needs_all_of_its_attributes():
    with pytest.raises(ValueError, match="runs/a knows the attributes color; the data has neck, c"):
        matched(make(), AttributeSpace({"color": COLORS}), "runs/a", whole=True)
    with pytest.raises(ValueError, match="the model knows the attributes fit"):
        matched(make(), AttributeSpace({"fit": ["slim"]}))


def test_either_unicode_form_of_an_accent_is_known():
    """Runs of earlier versions keep the form that their table had."""
    table = AttributeSpace({"neck": NECKS, "caf\u00e9": ["blue", "gr\u00fcn", "red"]})
    known = AttributeSpace({"cafe\u0301": ["gru\u0308n", "blue", "red"], "neck": NECKS})
    found = matched(make(table), known)
    assert found.space == known
    assert said(found) == {
        (0, "neck", "round"),
        (0, "cafe\u0301", "red"),
        (1, "neck", "v"),
        (1, "cafe\u0301", "blue"),
    }


def test_what_fits_stays_as_it_is():
    manifest = make()
    np.testing.assert_array_equal(matched(manifest, TABLE).labels, manifest.labels)

"""The manifest: rows, splits, labels, default roles."""

from pathlib import Path

import numpy as np

from asen_tf.core import AttributeSpace
from asen_tf.data.manifest import (
    CANDIDATE,
    LABEL,
    NO_ROLE,
    QUERY,
    Manifest,
    sort_labels,
    with_default_roles,
)


def make(labels, splits, boxes=None):
    count = len(splits)
    return Manifest(
        root=Path("/data"),
        space=AttributeSpace({"collar": ["no", "yes"], "color": ["red", "blue", "white"]}),
        images=np.array([f"{n}.jpg" for n in range(count)]),
        splits=np.array(splits, np.int8),
        labels=sort_labels(np.array(labels, LABEL)),
        lines=np.arange(count) + 2,
        source="manifest.csv",
        boxes=boxes,
    )


def test_labels_are_sorted_and_doubles_removed():
    manifest = make([(1, 0, 1, 0), (0, 1, 2, 0), (0, 1, 0, 0), (1, 0, 1, 0)], [0, 0])
    assert manifest.labels.tolist() == [(0, 1, 0, 0), (0, 1, 2, 0), (1, 0, 1, 0)]


def test_rows_and_labels_of_a_split():
    manifest = make([(0, 0, 0, 0), (1, 0, 1, 1), (2, 1, 1, 2)], [0, 2, 2])
    assert manifest.rows("test").tolist() == [1, 2]
    assert manifest.labels_of("test")["image"].tolist() == [1, 2]
    assert manifest.rows("valid").tolist() == []


def test_take_renumbers_labels_and_keeps_lines_and_boxes():
    boxes = np.arange(3 * 2 * 4, dtype=np.float32).reshape(3, 2, 4)
    manifest = make([(0, 0, 0, 0), (1, 0, 1, 0), (2, 1, 1, 0)], [0, 1, 2], boxes).take([2, 0])
    assert manifest.images.tolist() == ["2.jpg", "0.jpg"]
    assert manifest.lines.tolist() == [4, 2]
    assert manifest.labels.tolist() == [(0, 1, 1, 0), (1, 0, 0, 0)]
    np.testing.assert_array_equal(manifest.boxes, boxes[[2, 0]])


def test_default_roles_make_every_fifth_labelled_image_a_query():
    labels = [(n, 0, n % 2, 0) for n in range(12)] + [(n, 1, v, 0) for n in (1, 3) for v in (0, 2)]
    manifest = with_default_roles(make(labels, [2] * 12))
    collar = manifest.labels[manifest.labels["attribute"] == 0]
    assert collar["image"][collar["role"] == QUERY].tolist() == [0, 5, 10]
    assert (collar["role"] == CANDIDATE).sum() == 9
    # Both values of an image have its role.
    color = manifest.labels[manifest.labels["attribute"] == 1]
    assert color["role"].tolist() == [QUERY, QUERY, CANDIDATE, CANDIDATE]


def test_given_roles_and_training_images_are_left_alone():
    labels = [(0, 0, 0, 0), (1, 0, 0, QUERY), (2, 0, 0, CANDIDATE), (3, 0, 0, 0)]
    manifest = with_default_roles(make(labels, [0, 2, 2, 2]))
    assert manifest.labels["role"].tolist() == [NO_ROLE, QUERY, CANDIDATE, NO_ROLE]

"""The manifest: rows, splits, labels, default roles."""

import dataclasses
from pathlib import Path

import numpy as np

from asen_tf.core import AttributeSpace
from asen_tf.data.manifest import (
    CANDIDATE,
    LABEL,
    NO_ROLE,
    QUERY,
    TRIPLET,
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


TRIPLETS = [(0, 0, 1, 2), (1, 3, 4, 5), (0, 2, 1, 0)]


def with_triplets(splits=(0, 0, 0, 2, 2, 2, 2)):
    manifest = make([], list(splits))
    return dataclasses.replace(manifest, triplets=np.array(TRIPLETS, TRIPLET))


def test_triplets_of_a_split():
    manifest = with_triplets()
    assert manifest.triplets_of("train").tolist() == [(0, 0, 1, 2), (0, 2, 1, 0)]
    assert manifest.triplets_of("test").tolist() == [(1, 3, 4, 5)]
    assert manifest.triplets_of("valid").tolist() == []
    assert make([], [0]).triplets_of("train").tolist() == []


def test_examples_carry_a_label_or_stand_in_a_triplet():
    assert with_triplets().examples_of("test").tolist() == [3, 4, 5]
    labelled = make([(1, 0, 0, 0), (1, 1, 2, 0), (2, 1, 0, 0)], [0, 0, 1, 0])
    assert labelled.examples_of("train").tolist() == [1]


def test_take_renumbers_triplets_and_drops_those_that_are_not_whole():
    taken = with_triplets().take([5, 2, 4, 1, 0])
    assert taken.triplets.tolist() == [(0, 4, 3, 1), (0, 1, 3, 4)]
    assert with_default_roles(taken).triplets.tolist() == taken.triplets.tolist()


def test_a_problem_names_the_file_of_its_row():
    manifest = dataclasses.replace(make([], [0, 0]), sources=np.array(["a.csv", "b.csv"]))
    assert str(manifest.problem(1, "gone")) == "b.csv:3: gone"
    assert str(manifest.take([1]).problem(0, "gone")) == "b.csv:3: gone"


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

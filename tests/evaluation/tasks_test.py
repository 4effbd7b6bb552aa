"""Which candidates are relevant to which queries."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from asen_client.core.attributes import AttributeSpace
from asen_tf.data.manifest import CANDIDATE, LABEL, NO_ROLE, QUERY, Manifest, sort_labels
from asen_tf.evaluation.tasks import NothingToMeasure, retrieval_tasks

TEST, FABRIC, SHAPE = 2, 0, 1
EVERY = slice(None)


def manifest(records):
    """Records are (image, attribute, value, role)."""
    labels = sort_labels(np.array(records, LABEL))
    count = int(labels["image"].max()) + 1
    return Manifest(
        root=Path("nowhere"),
        space=AttributeSpace({"fabric": ("lace", "denim", "knit"), "shape": ("a", "b")}),
        images=np.array([f"{i}.jpg" for i in range(count)]),
        splits=np.full(count, TEST, np.int8),
        labels=labels,
        lines=np.arange(count, dtype=np.int32),
        source="made-up.csv",
    )


LACE, DENIM, KNIT = range(3)
# The roles name one value of each image; its other labels say what else is on it.
RECORDS = [
    (0, FABRIC, LACE, QUERY),
    (0, FABRIC, LACE, NO_ROLE),
    (0, FABRIC, KNIT, NO_ROLE),
    (1, FABRIC, DENIM, QUERY),
    (2, FABRIC, LACE, CANDIDATE),
    (2, FABRIC, LACE, NO_ROLE),
    (3, FABRIC, DENIM, CANDIDATE),
    (3, FABRIC, LACE, NO_ROLE),
    (3, FABRIC, DENIM, NO_ROLE),
    (4, FABRIC, KNIT, CANDIDATE),
    (5, FABRIC, DENIM, NO_ROLE),  # in no role for the fabric, whatever it wears
    (5, SHAPE, 0, QUERY),
    (4, SHAPE, 0, CANDIDATE),
    (2, SHAPE, 1, CANDIDATE),
]


@pytest.mark.parametrize(
    ("relevance", "relevant"),
    [
        # Queries 0 (lace) and 1 (denim) among candidates 2 (lace), 3 (denim), 4 (knit).
        ("official", [[1, 0, 0], [0, 1, 0]]),
        # Query 0 is lace and knit, candidate 3 is lace and denim.
        ("multi_label", [[1, 1, 1], [0, 1, 0]]),
    ],
)
def test_relevance_by_hand(relevance, relevant):
    (fabric, shape), skipped = retrieval_tasks(manifest(RECORDS), "test", relevance)
    assert not skipped
    assert fabric.queries.tolist() == [0, 1] and fabric.candidates.tolist() == [2, 3, 4]
    assert fabric.relevant(EVERY).astype(int).tolist() == relevant
    assert fabric.relevant(slice(1, 2)).astype(int).tolist() == relevant[1:]
    assert (shape.queries.tolist(), shape.candidates.tolist()) == ([5], [2, 4])
    assert shape.relevant(EVERY).tolist() == [[False, True]]


def test_the_papers_truth_is_the_default():
    (fabric, _), _ = retrieval_tasks(manifest(RECORDS), "test")
    assert fabric.relevant(EVERY).sum() == 2


@pytest.mark.parametrize("relevance", ["official", "multi_label"])
def test_labels_without_a_role_make_no_task(relevance):
    alone = [(0, FABRIC, LACE, NO_ROLE)]
    alone += [(1, SHAPE, 0, QUERY), (2, SHAPE, 0, CANDIDATE), (3, SHAPE, 1, CANDIDATE)]
    tasks, skipped = retrieval_tasks(manifest(alone), "test", relevance)
    assert [task.attribute for task in tasks] == [SHAPE] and skipped == ["fabric"]


def test_unknown_relevance():
    with pytest.raises(ValueError, match="unknown relevance 'multilabel'.*Did you mean 'multi_l"):
        retrieval_tasks(manifest(RECORDS), "test", "multilabel")


QUERIES = [(0, SHAPE, 0, QUERY), (1, SHAPE, 1, QUERY)]


@pytest.mark.parametrize(
    "shapes",
    [
        pytest.param([(2, 0), (3, 0)], id="02-one-valued-attribute"),
        pytest.param([(0, 0), (1, 1)], id="its own image alone"),
        [(2, 0)],
        [],
    ],
)
def test_what_any_order_answers_alike_is_not_measured(shapes):
    alone = [*QUERIES, *((image, SHAPE, value, CANDIDATE) for image, value in shapes)]
    fabric = RECORDS[:11]
    tasks, skipped = retrieval_tasks(manifest([*fabric, *alone]), "test")
    assert [task.attribute for task in tasks] == [FABRIC] and skipped == ["shape"]
    with pytest.raises(NothingToMeasure, match="split test of made-up.csv: . rows, but no query"):
        retrieval_tasks(manifest(alone), "test")


@pytest.mark.parametrize(
    ("products", "excluded"),
    [
        # Queries 0 and 1 among candidates 2, 3 and 4.
        (None, [[0, 0, 0], [0, 0, 0]]),
        ([7, 8, 7, 7, 8, 9], [[1, 1, 0], [0, 0, 1]]),
        ([-1, 8, -1, 8, 9, -1], [[0, 0, 0], [0, 1, 0]]),
    ],
)
def test_photographs_of_the_querys_own_product_are_neither_right_nor_wrong(products, excluded):
    known = None if products is None else np.array(products, np.int32)
    (fabric, _), _ = retrieval_tasks(dataclasses.replace(manifest(RECORDS), products=known), "test")
    assert fabric.excluded(EVERY).astype(int).tolist() == excluded
    assert fabric.excluded(slice(1, 2)).astype(int).tolist() == excluded[1:]


def test_what_only_the_own_product_shows_is_not_measured():
    shapes = [(0, SHAPE, 0, QUERY), (1, SHAPE, 0, CANDIDATE), (2, SHAPE, 1, CANDIDATE)]
    known = dataclasses.replace(manifest(shapes), products=np.array([3, 3, 4], np.int32))
    with pytest.raises(NothingToMeasure):
        retrieval_tasks(known, "test")


def test_a_split_without_rows():
    """14-no-test-rows."""
    with pytest.raises(NothingToMeasure, match="split valid of made-up.csv: no row has it"):
        retrieval_tasks(manifest(RECORDS), "valid")

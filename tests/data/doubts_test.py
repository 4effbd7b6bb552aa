"""Lines about data that can hardly mean what it says."""

import pytest
from PIL import Image

from asen_tf.core.config import defaults
from asen_tf.data import formats
from asen_tf.data.doubts import doubts, no_attributes
from asen_tf.data.manifest import with_default_roles

# Colors and necks in every split, as queries and as candidates.
CLEAN = [
    f"{split}{n}.jpg,{split},{('query', 'candidate')[n > 1] if split != 'train' else ''},"
    f"{('red', 'blue')[n % 2]},{('v', 'round')[n % 2]}"
    for split in ("train", "valid", "test")
    for n in range(4)
]


def told(root, rows, header="image,split,role,color,neck", **how):
    (root / "manifest.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    options = defaults().data
    options.root = str(root)
    manifest, problems = formats.read(options)
    assert not problems
    return list(doubts(with_default_roles(manifest), **how))


def test_clean_data_draws_no_line(tmp_path):
    assert told(tmp_path, CLEAN) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            lambda rows: [row.replace(",round", ",v") for row in rows],
            "1 attributes of which nothing can be learned (they need two values in split train, "
            "one of them on two images): neck has one value",
            id="02-one-valued-attribute",
        ),
        pytest.param(
            lambda rows: [row.replace(",round", ",v") for row in rows],
            "1 attributes that are not measured on test (they need a query and candidates of two "
            "values): neck",
            id="02-not-measured",
        ),
        pytest.param(
            lambda rows: [*rows, "./train0.jpg,test,candidate,red,v"],
            "1 images are in train and test: train0.jpg",
            id="04-one-photograph-two-spellings",
        ),
        (
            lambda rows: [*rows, " .//train0.jpg ,train,,blue,v"],
            "1 labels of one photograph contradict each other: train0.jpg (color: red; blue)",
        ),
        pytest.param(
            lambda rows: [*rows, "a.jpg,train,,Red,v", "b.jpg,train,,RED,v"],
            "values of color that differ in capitals only: RED, Red, red",
            id="05-values-that-differ-in-case",
        ),
        (
            lambda rows: [*rows, "a.jpg,train,,dark red,v", "b.jpg,train,,dark-red,v"],
            "values of color that differ in blanks and signs only: dark red, dark-red",
        ),
        (
            lambda rows: [*rows, "a.jpg,train,,NaN,v", "b.jpg,train,,N/A,v"],
            "values of color that often stand for no label: N/A, NaN; leave such cells blank",
        ),
        pytest.param(
            lambda rows: [*rows, "a.jpg,train,,pink,v"],
            "1 values that no image of test carries: color=pink; no score speaks of them",
            id="09-value-without-test-photograph",
        ),
        (
            lambda rows: [*rows, "a.jpg,test,candidate,pink,v"],
            "1 values that no image for training carries: color=pink",
        ),
        (
            lambda rows: [*rows, "a.jpg,test,query,pink,v"],
            "1 queries of test have no candidate that shares their value and will count 0: "
            "a.jpg (color=pink)",
        ),
        pytest.param(
            lambda rows: [row for row in rows if ",test," not in row],
            "no image is in split test: nothing is kept for asen-evaluate",
            id="14-no-test-rows",
        ),
        (lambda rows: [*rows, rows[0]], "1 images are in train twice: train0.jpg"),
    ],
)
def test_each_doubt_is_a_line(change, expected, tmp_path):
    assert expected in told(tmp_path, change(CLEAN))


def test_columns_that_differ_in_capitals(tmp_path):
    rows = [f"{row},{row.rpartition(',')[2]}" for row in CLEAN]
    lines = told(tmp_path, rows, "image,split,role,color,neck,Neck")
    assert lines == ["attributes that differ in capitals only: neck, Neck"]


def test_both_unicode_forms_of_an_accent_are_one_value(tmp_path):
    rows = [row.replace(",red", ",caf\u00e9") for row in CLEAN[:6]]
    rows += [row.replace(",red", ",cafe\u0301") for row in CLEAN[6:]]
    assert told(tmp_path, rows) == []


def test_the_same_photograph_in_two_files(tmp_path):
    for number, row in enumerate(CLEAN):
        Image.new("RGB", (8, 8), (20 * number, 0, 0)).save(tmp_path / row.split(",")[0])
    assert told(tmp_path, CLEAN) == []
    (tmp_path / "test0.jpg").write_bytes((tmp_path / "train0.jpg").read_bytes())
    (tmp_path / "valid1.jpg").write_bytes((tmp_path / "valid0.jpg").read_bytes())
    lines = told(tmp_path, CLEAN)
    assert lines == [
        "1 photographs are several files in train and test: train0.jpg = test0.jpg",
        "1 photographs are several files in valid: valid0.jpg = valid1.jpg",
        "2 labels of one photograph contradict each other: valid0.jpg (color: red; blue), "
        "valid0.jpg (neck: v; round)",
    ]
    assert told(tmp_path, CLEAN, contents=False) == []


@pytest.mark.parametrize(
    ("cell", "rows", "left_out"),
    [
        (lambda n: f"title {n}", 10, True),
        (lambda n: f"title {n}", 9, False),
        (lambda n: f"title {n // 2}", 20, True),
        (lambda n: f"title {n // 3}", 30, False),
        (lambda n: f"{n % 50 + 0.5}", 500, True),
        (lambda n: f"value {n % 50}", 500, False),
    ],
)
def test_what_looks_like_no_attribute(cell, rows, left_out, tmp_path):
    """08-columns-that-are-no-attributes."""
    table = [f"{n}.jpg,train,{('red', 'blue')[n % 2]},{cell(n)}" for n in range(rows)]
    (tmp_path / "manifest.csv").write_text("\n".join(["image,split,color,other", *table]))
    options = defaults().data
    options.root = str(tmp_path)
    manifest, _ = formats.read(options)
    assert list(no_attributes(manifest)) == ["other"] * left_out

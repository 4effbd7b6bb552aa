"""Tables of every kind come as the same rows, to training and to indexing."""

import csv
import io

import pytest

from asen_tf.core.config import defaults
from asen_tf.data import formats
from asen_tf.data.catalogue_table import read_catalogue
from asen_tf.data.tables import Table, text

ROWS = [
    ["image", "split", "id", "price", "color"],
    ["a, b.jpg", "train", "007", "19.9", "röd|blue"],
    ["c;d.jpg", "train", "8", "", ""],
    ["e.jpg", "train", "9", "38", "blue"],
]


def separated(sign, encoding):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=sign).writerows(ROWS)
    return file.getvalue().encode(encoding)


FILES = {
    f"{name} {encoding}": lambda sign=sign, encoding=encoding: separated(sign, encoding)
    for name, sign in (("comma", ","), ("semicolon", ";"), ("tab", "\t"))
    for encoding in ("utf-8", "utf-8-sig", "utf-16")
}


@pytest.mark.parametrize("kind", FILES)
def test_the_same_rows_for_training_and_for_indexing(kind, tmp_path):
    path = tmp_path / "shop"
    path.write_bytes(FILES[kind]())
    manifest, problems = formats.csv.read(tmp_path, options("shop"))
    assert not problems
    assert manifest.images.tolist() == [row[0] for row in ROWS[1:]]
    assert manifest.space.to_dict()["color"] == ["blue", "röd"]
    found = read_catalogue(path, ["color"])
    assert [(row.id, row.image) for row in found] == [(row[2], row[0]) for row in ROWS[1:]]
    assert [row.labels for row in found] == [{"color": ["röd", "blue"]}, {}, {"color": ["blue"]}]
    assert [row.metadata.get("price") for row in found] == [19.9, None, 38]


def options(name):
    given = defaults().data
    given.manifest = name
    return given


DAMAGED = {
    "a row without an end": (b"image,x\n" + b"a," * text.LONGEST_ROW, "shop:2: not CSV: a row of"),
    "a cell without an end": (b'image\n"' + b"a\n" * 70_000, "shop:2: not CSV: field larger"),
    "UTF-16, cut": ("image\nä.jpg".encode("utf-16")[:-1], "shop:2: starts as UTF-16"),
    "UTF-8 behind the mark of UTF-16": (b"\xff\xfe\x00\xdc\x00\xdc", "shop:1: starts as UTF-16"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_what_cannot_be_read_is_explained(kind, tmp_path):
    content, message = DAMAGED[kind]
    (tmp_path / "shop").write_bytes(content)
    with pytest.raises(ValueError) as caught:
        list(Table(tmp_path, "shop", ["image"]).rows([]))
    assert message in str(caught.value)

"""A shop's table."""

import pytest

from asen_tf.data.catalogue_table import CatalogueRow, read_catalogue


@pytest.fixture
def table(tmp_path):
    """A function from text to the rows."""

    def read(text, attributes=("color", "collar"), boxes_file=None):
        path = tmp_path / "shop.csv"
        path.write_text(text, encoding="utf-8")
        return read_catalogue(path, attributes, boxes_file)

    return read


def test_columns_are_labels_or_metadata(table):
    rows = table(
        "id, image ,color,price,size,code,split\n"
        "a,x/1.jpg,red|green,19.90,38,007,train\n"
        "b,2.jpg, , -3 ,,12,\n"
    )
    assert rows == [
        CatalogueRow(
            "a",
            "x/1.jpg",
            {"color": ["red", "green"]},
            {"price": 19.9, "size": 38, "code": "007", "split": "train"},
        ),
        CatalogueRow("b", "2.jpg", {}, {"price": -3, "code": "12"}),
    ]


@pytest.mark.parametrize("form", ["columns", "one column", "a file"])
def test_boxes_are_no_metadata(form, table, tmp_path):
    if form == "columns":
        rows = table("image,x1,y1,x2,y2,size\na.jpg,1,2,3.5,4,7\nb.jpg,,,,,8\n")
    elif form == "one column":
        rows = table("image,size,box\na.jpg,7,1 2 3.5 4\nb.jpg,8,\n")
    else:
        (tmp_path / "boxes.csv").write_text("image,x1,y1,x2,y2\na.jpg,1,2,3.5,4\n")
        rows = table("image,size\na.jpg,7\nb.jpg,8\n", boxes_file=tmp_path / "boxes.csv")
    assert [row.box for row in rows] == [(1, 2, 3.5, 4), None]
    assert [row.metadata for row in rows] == [{"size": 7}, {"size": 8}]


def test_an_image_is_its_own_name(table):
    assert [row.id for row in table("image\n1.jpg\n2.jpg\n")] == ["1.jpg", "2.jpg"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,id\n1.jpg,a\n2.jpg,a\n", "shop.csv:3: id 'a' is on line 2 already"),
        ("image,id\n1.jpg,\n,b\n", "2 problems in the catalogue\nshop.csv:2: no id\n"),
        ("image,id\n,b\n", "shop.csv:2: no image path"),
        ("image,id\n1.jpg\n", "shop.csv:2: expected 2 cells"),
        ("image,box\n1.jpg,1 2 1 4\n", "shop.csv:2: expected x2 at least a pixel above x1"),
        ("image,x2\n1.jpg,1\n", "shop.csv:1: expected the columns x1, y1, x2, y2 or box, found x2"),
        ("image\n", "only a header"),
        ("photo\n1.jpg\n", "no column 'image'"),
    ],
)
def test_bad_tables_are_explained(table, text, message):
    with pytest.raises(ValueError) as caught:
        table(text)
    assert message in str(caught.value)


def test_a_missing_table(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.csv"):
        read_catalogue(tmp_path / "nothing.csv", ())

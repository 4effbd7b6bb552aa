"""A shop's table."""

import pytest

from asen_tf.data.catalogue_table import CatalogueRow, read_catalogue


@pytest.fixture
def table(tmp_path):
    """A function from text to the rows."""

    def read(text, attributes=("color", "collar")):
        path = tmp_path / "shop.csv"
        path.write_text(text, encoding="utf-8")
        return read_catalogue(path, attributes)

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


def test_an_image_is_its_own_name(table):
    assert [row.id for row in table("image\n1.jpg\n2.jpg\n")] == ["1.jpg", "2.jpg"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,id\n1.jpg,a\n2.jpg,a\n", "shop.csv:3: id 'a' is on line 2 already"),
        ("image,id\n1.jpg,\n,b\n", "2 problems in the catalogue\nshop.csv:2: no id\n"),
        ("image,id\n,b\n", "shop.csv:2: no image path"),
        ("image,id\n1.jpg\n", "shop.csv:2: expected 2 cells"),
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

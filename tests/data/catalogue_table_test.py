"""A shop's table."""

import pytest

from asen_tf.data.catalogue_table import CatalogueRow, columns_told, read_catalogue


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


def test_products_are_texts(table):
    rows = table("image,product,price\na.jpg,7,1\nb.jpg,07,2\nc.jpg,,3\n")
    assert [row.metadata.get("product") for row in rows] == ["7", "07", None]
    assert columns_told(rows, []) == "columns: numbers price; texts product; 2 products"


SAID = "shop.csv: column price: {} of {} cells are numbers; {}"


@pytest.mark.parametrize(
    ("cells", "kept", "said"),
    [
        pytest.param(
            ["1", "2.5", "NaN", *"45678"],
            [1, 2.5, None, 4, 5, 6, 7, 8],
            SAID.format(7, 8, "left out are line 4 'NaN'"),
            id="07-one-cell-makes-prices-text",
        ),
        (["12,90", *"2345"], [None, 2, 3, 4, 5], SAID.format(4, 5, "left out are line 2 '12,90'")),
        (["12,90", "8,5", "10", ""], [12.9, 8.5, 10, None], None),
        (["12,90", "1.299,00", "1.300", "-0,5"], [12.9, 1299, 1300, -0.5], None),
        (["39,90 €", "1.299,00 €", "", "5 €"], [39.9, 1299, None, 5], None),
        (["$39.90", "$1,299.00", "$ 5", "7"], [39.9, 1299, 5, 7], None),
        (["EUR 39.90", "1 299.00 EUR"], [39.9, 1299], None),
        (["1\u202f299,00 €", "12,90 €"], [1299, 12.9], None),
        (["1.299 €", "5 €"], [1299, 5], None),
        (["39,90 €", "1.299 €", "", "5 €", "7 €"], [39.9, 1299, None, 5, 7], None),
        (["¥12,800", "¥980"], [12800, 980], None),
        (["1.299 €", "0.500 €", "19.99 €"], [1.299, 0.5, 19.99], None),
        (["-$5.00", "$1,299"], [-5, 1299], None),
        (["EUR39.90", "5EUR"], [39.9, 5], None),
        (["CHF 1'299.00", "1\u2019299.00 CHF"], [1299, 1299], None),
        (["12,90 €", "13.5 €"], ["12,90 €", "13.5 €"], None),
        (["5 €", "$5"], ["5 €", "$5"], None),
        (["EUROPE 5", "EUROPE 6"], ["EUROPE 5", "EUROPE 6"], None),
        (["1,299.00", "1,5"], ["1,299.00", "1,5"], None),
        (["12,90", "1.29,00", "8,5"], ["12,90", "1.29,00", "8,5"], None),
        (["12,90", "13.5", "8,5"], ["12,90", "13.5", "8,5"], None),
        (["1,234", "5,678"], ["1,234", "5,678"], None),
        (["1", "-", "2"], [1, None, 2], SAID.format(2, 3, "left out are line 3 '-'")),
        (
            ["36", "M", "37"],
            ["36", "M", "37"],
            SAID.format(2, 3, "kept as text because of line 3 'M'"),
        ),
        (
            ["007", *"234567"],
            ["007", *"234567"],
            SAID.format(6, 7, "kept as text because of line 2 '007'"),
        ),
        (["1", "", "2"], [1, None, 2], None),
        (["S", "M", "36"], ["S", "M", "36"], None),
    ],
)
def test_odd_cells_among_numbers_are_named(cells, kept, said, table, caplog):
    rows = table("image,price\n" + "".join(f'{n}.jpg,"{cell}"\n' for n, cell in enumerate(cells)))
    assert [row.metadata.get("price") for row in rows] == kept
    assert [record.getMessage() for record in caplog.records] == [said] * bool(said)


def test_what_columns_are_taken_for_is_told(table):
    rows = table("image,color,price,brand\na.jpg,,3,x\nb.jpg,red,4,\n")
    assert columns_told(rows, ["color", "collar"]) == (
        "columns: labels color; numbers price; texts brand; no labels of collar"
    )


def test_paths_are_spelled_as_in_training(table):
    """04-one-photograph-two-spellings, 19-paths-as-other-systems-write-them."""
    assert table("image,color\n .//a.jpg , red \n")[0] == CatalogueRow(
        "a.jpg", "a.jpg", {"color": ["red"]}, {}
    )
    with pytest.raises(ValueError, match="id 'a.jpg' is on line 2 already"):
        table("image\na.jpg\n./a.jpg\n")


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

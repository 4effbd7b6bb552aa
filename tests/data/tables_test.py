"""Tables of every kind come as the same rows, to training and to indexing."""

import csv
import functools
import gzip
import io
import json
import zipfile

import pandas
import polars
import pyarrow
import pytest
import xlsxwriter
from pyarrow import feather, parquet

from asen_tf.core.config import defaults
from asen_tf.data.catalogue_table import read_catalogue
from asen_tf.data.formats import csv as csv_format
from asen_tf.data.load import load
from asen_tf.data.tables import Table, arrow_file, cells, excel, text, write_changed
from asen_tf.data.tables import arrow as arrow_reader

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


VALUES = {
    "image": [row[0] for row in ROWS[1:]],
    "split": ["train"] * 3,
    "id": ["007", "8", "9"],
    "price": [19.9, None, 38],
    "color": [["röd", "blue"], None, ["blue"]],
}


def written(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def arrow(**changes):
    return pyarrow.table({**VALUES, **changes})


def workbook():
    """With an empty row above and within."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for at, cells in zip((1, 2, 4, 5), ROWS, strict=True):
            sheet.write_row(at, 0, cells)
        for at, price in zip((2, 4, 5), VALUES["price"], strict=True):
            sheet.write(at, 3, price)
    return file.getvalue()


def json_lines():
    lines = (
        {k: v for k, v in zip(VALUES, row, strict=True) if v}
        for row in zip(*VALUES.values(), strict=True)
    )
    return "\n\n".join(map(json.dumps, lines)).encode()


def stream(table):
    file = io.BytesIO()
    with pyarrow.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


FILES = {
    "Excel": workbook,
    "JSON lines": json_lines,
    "Parquet": lambda: written(lambda file: parquet.write_table(arrow(), file)),
    "Parquet of float32": lambda: written(
        lambda file: parquet.write_table(
            arrow(price=pyarrow.array(VALUES["price"], pyarrow.float32())), file
        )
    ),
    "Feather": lambda: written(lambda file: feather.write_feather(arrow(), file)),
    "Arrow, a stream": lambda: stream(arrow()),
    "Arrow, of Polars": lambda: written(polars.DataFrame(VALUES).write_ipc),
    "Parquet, of pandas": lambda: pandas.DataFrame(VALUES).iloc[::-1].iloc[::-1].to_parquet(),
    **{
        f"{name}, {encoding}": functools.partial(separated, sign, encoding)
        for name, sign in (("commas", ","), ("semicolons", ";"), ("tabs", "\t"))
        for encoding in ("utf-8", "utf-8-sig", "utf-16")
    },
}
FRAMES = {
    "pandas": lambda: pandas.DataFrame(VALUES).iloc[::-1].iloc[::-1],
    "pandas of categories": lambda: pandas.DataFrame(VALUES).astype({"image": "category"}),
    "Polars": lambda: polars.DataFrame(VALUES),
    "Arrow": arrow,
}


def check(table, folder):
    data = defaults().data
    manifest, problems = csv_format.read(folder, data, table)
    assert not problems
    assert manifest.images.tolist() == [row[0] for row in ROWS[1:]]
    assert manifest.space.to_dict()["color"] == ["blue", "röd"]
    found = read_catalogue(table if not isinstance(table, str) else folder / table, ["color"])
    assert [(row.id, row.image) for row in found] == [(row[2], row[0]) for row in ROWS[1:]]
    assert [row.labels for row in found] == [{"color": ["röd", "blue"]}, {}, {"color": ["blue"]}]
    assert [row.metadata.get("price") for row in found] == [19.9, None, 38]


@pytest.mark.parametrize("kind", FILES)
def test_the_same_rows_for_training_and_for_indexing(kind, tmp_path):
    (tmp_path / "shop").write_bytes(FILES[kind]())
    check("shop", tmp_path)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("image;color, main;size, eu", ["image", "color, main", "size, eu"]),
        ("image, color, size", ["image", "color", "size"]),
        ("image;color", ["image", "color"]),
        ("image\tcolor; main, second", ["image", "color; main, second"]),
        ("image", ["image"]),
    ],
)
def test_what_separates_cells(header, names, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\n")
    assert list(text.rows(path, "table.csv")) == [(1, names)]


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_are_tables(kind, tmp_path):
    check(FRAMES[kind](), tmp_path)


def sheet(xml):
    """A workbook with another sheet."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as book, zipfile.ZipFile(file, "w", 8) as changed:
        for name in book.namelist():
            changed.writestr(name, xml if "sheet1.xml" in name else book.read(name))
    return file.getvalue()


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
FAR = SHEET + b'<row r="9"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
MANY = pyarrow.table({"image": pyarrow.nulls(cells.MOST_CELLS + 1)})


def test_a_frame_in_place_of_the_manifest(tmp_path):
    data = defaults().data
    data.update(root=str(tmp_path), check="none")
    assert len(load(data, training=False, table=FRAMES["Polars"]())) == 3
    data.format = "index_files"
    with pytest.raises(ValueError, match="data.format=index_files: a table in memory goes with"):
        load(data, table=FRAMES["Polars"]())


def save(folder, *tables):
    """As datasets.Dataset.save_to_disk does."""
    folder.mkdir(parents=True)
    names = [f"data-{n:05d}-of-{len(tables):05d}.arrow" for n in range(len(tables))]
    for name, table in zip(names, tables, strict=True):
        (folder / name).write_bytes(stream(table))
    state = {"_data_files": [{"filename": name} for name in names], "_split": None}
    (folder / "state.json").write_text(json.dumps(state))


def test_a_folder_of_a_dataset(tmp_path):
    save(tmp_path / "shop", arrow().slice(0, 1), arrow().slice(1))
    check("shop", tmp_path)


def test_the_splits_of_a_folder_are_a_column(tmp_path):
    for split in ("train", "validation"):
        save(tmp_path / "shop" / split, pyarrow.table({"image": [f"{split}.jpg"]}))
    (tmp_path / "shop/dataset_dict.json").write_text('{"splits": ["train", "validation"]}')
    table = Table(tmp_path, "shop", ["image", "split"])
    assert list(table.rows([])) == [
        (1, ["train.jpg", "train"]),
        (2, ["validation.jpg", "valid"]),
    ]


LONG = "ä" * 128  # 256 bytes


@pytest.mark.parametrize(
    "files", [None, [], 3, ["a"], [{"filename": "../a"}], [{"filename": LONG}], [{}]]
)
def test_a_damaged_folder(files, tmp_path):
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": files}))
    with pytest.raises(ValueError, match="state.json is damaged"):
        Table(tmp_path.parent, tmp_path.name, ["image"])


DAMAGED = {
    "a workbook with a cell far away": (sheet(FAR), "shop: a table of 1048576 rows and 16384 col"),
    "a workbook, cut": (workbook()[:-100], "shop: expected a workbook of Excel"),
    "Excel of before 2007": (b"\xd0\xcf\x11\xe0" + bytes(600), "shop: a file of Excel as before"),
    "Parquet, cut": (b"PAR1" + bytes(100), "shop: expected a Parquet file"),
    "Parquet with too many rows": (
        written(lambda file: parquet.write_table(MANY, file)),
        f"shop: a table of {cells.MOST_CELLS + 1} rows",
    ),
    "Arrow with too many rows": (stream(MANY), f"shop: a table of {cells.MOST_CELLS + 1} rows"),
    "Arrow, cut": (stream(arrow())[:-200], "shop: expected a file or a stream of Arrow"),
    "JSON, not an object": (b'{"image": "a"}\n\n[1]\n', "shop:3: not JSON lines"),
    "JSON, cut": (b'{"image": "a"}\n{"image": ', "shop:2: not JSON lines"),
    "JSON, deep": (b'{"image": ' + b"[" * 100_000, "shop:1: not JSON lines"),
    "no column of that name": (stream(pyarrow.table({"imgae": ["a"]})), "shop: no column 'image'"),
    "a row without an end": (b"image,x\n" + b"a," * text.LONGEST_ROW, "shop:2: not CSV: a row of"),
    "a cell without an end": (b'image\n"' + b"a\n" * 70_000, "shop:2: not CSV: unexpected end"),
    "packed": (gzip.compress(b"image,x\na,b\n"), "shop: it is compressed by gzip: unpack it"),
    "UTF-16 without its mark": ("image,x\n".encode("utf-16-le"), "shop: it has zeros between its"),
    "UTF-32": ("image,x\n".encode("utf-32"), "shop: it has zeros between its letters"),
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


def test_a_cell_that_is_too_long_is_a_problem_of_its_row(tmp_path):
    (tmp_path / "shop").write_text(f'image,x\na,"{"red, shirt " * 95_000}"\nb,red\n')
    problems = []
    assert list(Table(tmp_path, "shop", ["image"]).rows(problems)) == [(3, ["b", "red"])]
    [problem] = problems
    assert str(problem).startswith("shop:2: column x: a cell of 1045000 characters; at most 131072")


def test_what_unpacks_to_more_than_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow_file, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(arrow_reader, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(excel, "MOST_BYTES", 1_000_000)
    large = pyarrow.table({"image": ["a" * 1_000_000, "b" * 1_000_000]})
    for content in (
        written(lambda file: feather.write_feather(large, file, compression="zstd")),
        written(lambda file: parquet.write_table(large, file, compression="zstd")),
        sheet(SHEET + b" " * 1_000_001),
    ):
        assert len(content) < 100_000
        (tmp_path / "shop").write_bytes(content)
        with pytest.raises(ValueError, match="shop: more than 1000000 bytes unpacked"):
            Table(tmp_path, "shop", ["image"])


def test_a_cell_that_is_no_text_is_a_problem_of_its_row(tmp_path):
    deep = [lists * "[" + lists * "]" for lists in (2, 600)]
    values = ['"a"', '{"path": "b"}', "3", *deep, '["a", "b"]', '[["a"], ["b"]]', "[]"]
    (tmp_path / "shop").write_text("".join(f'{{"image": {value}}}\n' for value in values))
    problems = []
    rows = list(Table(tmp_path, "shop", ["image"]).rows(problems))
    assert rows == [(1, ["a"]), (3, ["3"]), (6, ["a|b"]), (8, [""])]
    told = [(one.line, one.message[:14]) for one in problems]
    assert told == [(line, "column image: ") for line in (2, 4, 5, 7)]


def test_columns_that_hold_neither_text_nor_numbers_are_named(caplog):
    frame = pyarrow.table({"image": ["a"], "vector": [[1.0, 2.0]], "photo": [b"..."]})
    assert Table(None, frame, ["image"]).header == ["image"]
    [record] = caplog.records
    assert "vector (list<item: double>), photo (binary)" in record.getMessage()


NAMES = {"image": "photo_url", "id": "sku"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("photo_url,sku,color", ["image", "id", "color"]),
        ("photo_url,sku,id", ["image", "id", "id_"]),
        ("id,image,sku,photo_url", ["id_", "image_", "id", "image"]),
    ],
)
def test_columns_by_other_names(header, expected, tmp_path):
    (tmp_path / "shop").write_text(header + "\n")
    assert Table(tmp_path, "shop", ["image"], NAMES).header == expected


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"image": "foto_url"}, "'foto_url'. Did you mean 'photo_url'?"),
        ({}, "no column 'image'; the header is: photo_url, sku; --config.data.column_names.image="),
    ],
)
def test_names_that_are_none(names, message, tmp_path):
    (tmp_path / "shop").write_text("photo_url,sku\n")
    with pytest.raises(ValueError) as caught:
        Table(tmp_path, "shop", ["image"], names)
    assert message in str(caught.value)


def test_training_and_indexing_take_names(tmp_path):
    (tmp_path / "shop").write_text("photo_url,part,sku,Farbe\na,train,1,red\n")
    data = defaults().data
    data.manifest = "shop"
    data.column_names.update(image="photo_url", split="part", id="sku")
    manifest, _ = csv_format.read(tmp_path, data)
    assert (manifest.images.tolist(), manifest.space.names) == (["a"], ("Farbe",))
    [row] = read_catalogue(tmp_path / "shop", ["color"], names={**NAMES, "color": "Farbe"})
    assert (row.id, row.image, row.labels) == ("1", "a", {"color": ["red"]})
    assert row.metadata == {"part": "train"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_changed_table_keeps_its_form(sign, encoding, tmp_path):
    (tmp_path / "table").write_bytes(separated(sign, encoding).replace(b"\r\n", b"\n"))
    names = {"id": "price"}  # what the table calls price; its own id becomes id_
    write_changed(tmp_path, "table", {}, {3: {"color": "red"}}, tmp_path / "same_names")
    changed = {2: {"color": ""}, 3: {"id": "9", "id_": "1"}}
    write_changed(tmp_path, "table", names, changed, tmp_path / "others")
    for name, changes in {
        "same_names": {(2, 4): "red"},
        "others": {(1, 4): "", (2, 2): "1", (2, 3): "9"},
    }.items():
        expected = [list(row) for row in ROWS]
        for (row, column), value in changes.items():
            expected[row][column] = value
        raw = (tmp_path / name).read_bytes()
        assert list(csv.reader(io.StringIO(raw.decode(encoding)), delimiter=sign)) == expected
        assert raw.startswith("image".encode(encoding))


def test_half_a_sign_of_utf_16_stops_no_changed_table(tmp_path):
    (tmp_path / "table").write_text(json.dumps({"image": "a", "title": "red \ud83d"}))
    write_changed(tmp_path, "table", {}, {}, tmp_path / "new")
    assert (tmp_path / "new").read_text() == "image,title\na,red ?\n"


def test_a_changed_table_of_another_kind_is_csv(tmp_path):
    lines = [json.dumps(dict(zip(ROWS[0], row, strict=True))) for row in ROWS[1:]]
    (tmp_path / "table").write_text("\n".join(lines))
    for source in ("table", pandas.DataFrame(VALUES)):
        write_changed(tmp_path, source, {}, {}, tmp_path / "new")
        with open(tmp_path / "new", encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert header == ROWS[0]
        assert [row[0] for row in rows] == VALUES["image"]

"""Tables of every kind of file, as catalogues."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
from pyarrow import feather, parquet

from asen_tf.data.catalogue_table import read_catalogue
from tests.fuzz.target import Target, of_files

_T = "asen_tf.data.tables."
_ROWS = "image,id,price,color\na.jpg,1,3.5,red\nb.jpg,2,9,red|b\n"


def _read(folder: Path):
    return read_catalogue(folder / "shop", ["color"])


def _target(name: str, module: str, content: bytes, **options) -> list[Target]:
    modules = [f"{_T}{one}" for one in ("table", "kinds", "cells", module)]
    files = {"shop": content}
    return of_files(f"table: {name}", modules, _read, files, mentions=["shop", "catal"], **options)


def _workbook(shared: bool) -> bytes:
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": not shared}) as book:
        sheet = book.add_worksheet()
        for at, line in enumerate(_ROWS.splitlines()):
            sheet.write_row(at, 0, line.split(","))
            sheet.write(at, 4, at or "n")
    return file.getvalue()


def _parts(workbook: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(workbook)) as book:
        return {f"parts/{name}": book.read(name) for name in book.namelist()}


def _read_parts(folder: Path):
    parts = folder / "parts"
    with zipfile.ZipFile(folder / "shop", "w") as book:
        for part in filter(Path.is_file, parts.rglob("*")):
            book.write(part, part.relative_to(parts))
    return _read(folder)


def _arrow(write: Callable[[pyarrow.Table, io.BytesIO], None]) -> bytes:
    frame = pyarrow.table(
        {
            "image": ["a.jpg", "b.jpg"],
            "id": pyarrow.array(["1", "2"]).dictionary_encode(),
            "price": [3.5, None],
            "color": [["red"], ["red", "b"]],
        }
    )
    file = io.BytesIO()
    write(frame, file)
    return file.getvalue()


def _stream(frame: pyarrow.Table, file: io.BytesIO) -> None:
    with pyarrow.ipc.new_stream(file, frame.schema) as writer:
        writer.write_table(frame)


_JSON = (
    '{"image": "a.jpg", "id": 1, "color": ["red", "b"]}\n\n{"image": "b.jpg", "id": 2, "n": 3.5}\n'
)

TARGETS = [
    *_target("Excel", "excel", _workbook(True)),
    *of_files(
        "table: parts of Excel",
        [f"{_T}excel"],
        _read_parts,
        _parts(_workbook(True)),
        [f"parts/xl/{part}.xml" for part in ("workbook", "sharedStrings", "worksheets/sheet1")],
        mentions=["shop", "catal"],
    ),
    *_target("Parquet", "arrow", _arrow(parquet.write_table)),
    *_target("Feather", "arrow_file", _arrow(feather.write_feather)),
    *_target("Arrow", "arrow_file", _arrow(_stream)),
    *_target("JSON lines", "json_lines", _JSON.encode()),
    *of_files(
        "table: a folder",
        [f"{_T}dataset_folder"],
        _read,
        {
            "shop/dataset_dict.json": '{"splits": ["train"]}',
            "shop/train/state.json": '{"_data_files": [{"filename": "data.arrow"}]}',
            "shop/train/data.arrow": _arrow(_stream),
        },
        mentions=["shop", "catal"],
    ),
    *_target("semicolons", "text", _ROWS.replace(",", ";").encode()),
    *_target("UTF-16", "text", _ROWS.replace(",", "\t").encode("utf-16")),
]

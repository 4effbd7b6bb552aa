"""Excel's .xlsx: the first sheet of a workbook."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from asen_client.core.foreign import FormatError, reading
from asen_tf.data.tables.cells import MOST_BYTES, check_size, needed

_TEXTS = re.compile(r".*\.(xml|rels)", re.IGNORECASE)
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_COUNT = re.compile(rb"""\b(?:unique)?count\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)
_COUNTED = re.compile(rb"<[^<>]*count\s*=[^<>]*>", re.IGNORECASE)
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]*)(\d+)["']""")


def rows(path: Path, source: str) -> Iterator[tuple[int, list[object]]]:
    """(row, cells) of each row that has any, the header's first.

    Raises:
      FormatError: it is no workbook, or a large one.
      ValueError: python-calamine is not installed.
    """
    calamine = needed("python_calamine", f"{source}: Excel")
    with reading(path, "expected a workbook of Excel (.xlsx)"):
        sheet = calamine.load_workbook(_unpacked(path, source)).get_sheet_by_index(0)
        above = sheet.start[0] if sheet.start else 0
        for row, values in enumerate(sheet.iter_rows(), above + 1):
            if any(value != "" for value in values):
                yield row, values


def _unpacked(path: Path, source: str) -> io.BytesIO:
    """The texts of a workbook, each as long as it says: calamine takes them for what they are."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as packed, zipfile.ZipFile(copy, "w") as unpacked:
        parts = [part for part in packed.infolist() if _TEXTS.fullmatch(part.filename)]
        if sum(part.file_size for part in parts) > MOST_BYTES:
            raise FormatError(
                source, f"more than {MOST_BYTES} bytes unpacked; save it as CSV UTF-8"
            )
        for part in parts:
            xml = packed.read(part)
            if b"sheetData" in xml:
                check_size(source, *_size(xml))
            else:
                xml = _COUNTED.sub(_without_counts, xml)
            unpacked.writestr(part.filename, xml)
    copy.seek(0)
    return copy


def _without_counts(tag: re.Match[bytes]) -> bytes:
    """calamine makes room for as many texts as are announced, or ends the process."""
    return _COUNT.sub(b"", tag[0])


def _size(xml: bytes) -> tuple[int, int]:
    """Rows and columns that a sheet has at most: empty ones before a cell count, too."""
    above = left = places = 0
    for found in _PLACE.finditer(xml):
        places += 1
        above = max(above, int(found[2][:12]))
        column = 0
        for letter in found[1][:8].upper():
            column = 26 * column + letter - ord("A") + 1
        left = max(left, column)
    of_rows = [len(_CELL.findall(row)) for row in _ROW.split(xml)]
    if places < len(of_rows) - 1 + sum(of_rows):  # some follow the one before
        above, left = above + len(of_rows), left + max(of_rows)
    return above, left

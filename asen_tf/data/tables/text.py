"""Tables as text: cells between `,`, `;` or tabs, in UTF-8 or UTF-16."""

import codecs
import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from asen_client.core.foreign import FormatError, check_stand_in, not_utf8

SIGNS = ",;\t"
LONGEST_ROW = 1 << 22
_OTHERS = (
    ".xlsx",
    ".xls",
    ".ods",
    ".parquet",
    ".arrow",
    ".feather",
    ".json",
    ".jsonl",
    ".gz",
    ".zip",
)


class Lines:
    """The lines of a text file; more than `LONGEST_ROW` characters since `fresh` are an error."""

    def __init__(self, file: TextIO):
        self._file = file
        self.fresh()

    def fresh(self) -> None:
        self._left = LONGEST_ROW

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise ValueError(f"a row of more than {LONGEST_ROW} characters: is a quote not closed?")
        if not line:
            raise StopIteration
        return line


def encoding_of(path: Path) -> str:
    """UTF-16 where the file starts with its mark, else UTF-8."""
    with open(path, "rb") as file:
        wide = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return "utf-16" if wide else "utf-8-sig"


def check_written(path: str | os.PathLike) -> None:
    """Raises ValueError where a table to write, as text, is called like one of another kind."""
    if os.path.splitext(path)[1].lower() in _OTHERS:
        raise ValueError(f"{path}: a table is written as CSV: name a file that ends in .csv")


def _cells(line: str, sign: str) -> tuple[int, int]:
    """How many cells a sign makes of a line: that do not begin with a blank, and all."""
    cells = next(csv.reader([line], delimiter=sign), [])
    return sum(not cell.startswith(" ") for cell in cells), len(cells)


def not_decoded(path: Path, source: str, line: int) -> FormatError:
    """What to say of a file that is not in its encoding; `line` were read of it."""
    if encoding_of(path) == "utf-16":
        return FormatError(source, "starts as UTF-16 and goes on otherwise", line=line + 1)
    return not_utf8(path, source)


def sign_of(header: str) -> str:
    """What separates cells: the sign that gives the header most of them."""
    return max(SIGNS, key=lambda one: _cells(header, one))


def form_of(path: Path) -> tuple[str, str]:
    """(sign between cells, encoding) of such a file, to write another one alike."""
    encoding = encoding_of(path)
    with open(path, newline="", encoding=encoding) as file:
        sign = sign_of(next(Lines(file), ""))
    with open(path, "rb") as file:
        marked = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    return sign, encoding if marked or encoding == "utf-16" else "utf-8"


def rows(path: Path, source: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row that has any, the header's first.

    Cells are separated by what gives the header most of them; those that begin with a blank, as
    after a comma in a name, count only between equals.

    Raises:
      FormatError: it cannot be read, because of a stray quote or a wrong encoding.
    """
    check_stand_in(path, source)
    # csv's own limit, of a cell, ends the table; `Lines` bounds rows, and `cells` refuses a row.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW))
    done = 0
    with open(path, newline="", encoding=encoding_of(path)) as file:
        try:
            first = next(Lines(file), "")
            if "\0" in first:
                raise FormatError(
                    source, "it has zeros between its letters, as UTF-16 has: save it as UTF-8"
                )
            sign = sign_of(first)
            file.seek(0)
            lines = Lines(file)
            # Strict: a stray quote would otherwise swallow the rest of the file as one cell.
            reader = csv.reader(lines, delimiter=sign, strict=True, skipinitialspace=True)
            for cells in reader:
                if cells or not done:
                    yield done + 1, cells
                done = reader.line_num
                lines.fresh()
        except FormatError:
            raise
        except UnicodeDecodeError as error:
            raise not_decoded(path, source, done) from error
        except (csv.Error, ValueError) as error:
            raise FormatError(source, f"not CSV: {error}", line=done + 1) from error

"""CSV tables with a header: the part that manifest, attributes and boxes files share."""

import contextlib
import csv
import difflib
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from asen_tf.core.foreign import FormatError, check_stand_in, not_utf8
from asen_tf.data.manifest import Problem


class Table:
    """A CSV file in UTF-8 whose first row names its columns.

    Attributes:
      source: the file's name relative to the data root, for messages.
      header: names of the columns, in the form of cells.

    Args:
      root: the data root.
      source: the file, relative to `root`.
      required: columns that have to be there.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file is not CSV in UTF-8, a required column is missing, or a column is
        unnamed or named twice.
    """

    def __init__(self, root: Path, source: str, required: Sequence[str]):
        self._path = root / source
        self.source = source
        if not self._path.is_file():
            raise FileNotFoundError(f"{self._path}: no such file")
        check_stand_in(self._path, source)
        with self._reader() as reader:
            self.header = _cells(next(reader, []))
        self._check_header(required)

    def _check_header(self, required: Sequence[str]) -> None:
        missing = [name for name in required if name not in self.header]
        if missing:
            others = [name for name in self.header if name not in required]
            raise ValueError(f"{self.source}:1: {_missing_columns(missing, others, self.header)}")
        if "" in self.header:
            raise ValueError(f"{self.source}:1: column {self.header.index('') + 1} has no name")
        twice = sorted({name for name in self.header if self.header.count(name) > 1})
        if twice:
            raise ValueError(f"{self.source}:1: column {', '.join(twice)} is there more than once")

    def rows(self, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
        """Yields (line, cells) of each row under the header; blank lines are passed over.

        Cells have no blanks around them, and accents in one of their two Unicode forms (NFC).
        A row with another number of cells than the header is left out and added to `problems`.

        Raises:
          ValueError: what follows cannot be read, because of a stray quote or a wrong encoding.
        """
        width = len(self.header)
        with self._reader() as reader:
            next(reader)
            line = reader.line_num + 1
            for cells in reader:
                if len(cells) == width:
                    yield line, _cells(cells)
                elif cells:
                    message = f"expected {width} cells as in the header, found {len(cells)}"
                    problems.append(Problem(self.source, line, message))
                line = reader.line_num + 1

    @contextlib.contextmanager
    def _reader(self) -> Iterator:
        with open(self._path, newline="", encoding="utf-8-sig") as file:
            # Strict: a stray quote would otherwise swallow the rest of the file as one cell.
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            try:
                yield reader
            except csv.Error as error:
                raise FormatError(self.source, f"not CSV: {error}", line=reader.line_num) from error
            except UnicodeDecodeError as error:
                raise not_utf8(self._path, self.source) from error


def _cells(cells: list[str]) -> list[str]:
    return [unicodedata.normalize("NFC", cell.strip()) for cell in cells]


def _missing_columns(missing: list[str], others: list[str], header: list[str]) -> str:
    hints = []
    for name in missing:
        nearest = difflib.get_close_matches(name, others, n=1)
        hints.append(f"no column {name!r}" + (f" (is {nearest[0]!r} meant?)" if nearest else ""))
    message = f"{', '.join(hints)}; the header is: {', '.join(header) or 'empty'}"
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        message += "; cells are separated by commas in CSV"
    return message

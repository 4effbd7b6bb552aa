"""A table with a header: the one reader of manifests, catalogues, attributes and boxes files."""

import difflib
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from asen_tf.data.manifest import Problem
from asen_tf.data.tables.kinds import rows_of


class Table:
    """A file whose first row names its columns; `kinds` says which files these may be.

    Attributes:
      source: the file's name relative to the data root, for messages.
      header: names of the columns, in the form of cells.

    Args:
      root: the data root.
      source: the file, relative to `root`.
      required: columns that have to be there.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file is no table, a required column is missing, or a column is unnamed or
        named twice.
    """

    def __init__(self, root: Path, source: str, required: Sequence[str]):
        path = root / source
        self.source = source
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        self._rows = rows_of(path, source)
        self.header = _cells(next(self._rows, (1, []))[1])
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
        """Yields (line, cells) of each row under the header, once.

        Cells have no blanks around them, and accents in one of their two Unicode forms (NFC).
        A row with another number of cells than the header is left out and added to `problems`.

        Raises:
          ValueError: what follows cannot be read.
        """
        width = len(self.header)
        for line, cells in self._rows:
            if len(cells) == width:
                yield line, _cells(cells)
            else:
                message = f"expected {width} cells as in the header, found {len(cells)}"
                problems.append(Problem(self.source, line, message))


def _cells(cells: list[str]) -> list[str]:
    return [unicodedata.normalize("NFC", cell.strip()) for cell in cells]


def _missing_columns(missing: list[str], others: list[str], header: list[str]) -> str:
    hints = []
    for name in missing:
        nearest = difflib.get_close_matches(name, others, n=1)
        hints.append(f"no column {name!r}" + (f" (is {nearest[0]!r} meant?)" if nearest else ""))
    return f"{', '.join(hints)}; the header is: {', '.join(header) or 'empty'}"

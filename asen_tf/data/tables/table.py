"""A table with a header: the one reader of manifests, catalogues, attributes and boxes files."""

import difflib
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from asen_client.core.errors import check_names
from asen_tf.data.manifest import Problem
from asen_tf.data.tables import arrow, cells, dataset_folder
from asen_tf.data.tables.arrow import Frame
from asen_tf.data.tables.kinds import rows_of


class Table:
    """A file whose first row names its columns; `kinds` says which files these may be.

    Attributes:
      source: the file's name relative to the data root, for messages.
      heading: likewise the place of the header.
      header: names of the columns, in the form of cells.
      own_header: likewise as the table has them, whatever `names` say.

    Args:
      root: the data root.
      source: the file, relative to `root`; or a frame of pandas, Polars, Arrow or the like.
      required: columns that have to be there.
      names: what columns are called in the table, by the names that they are to have.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file is no table, a required column is missing, or a column is unnamed or
        named twice.
    """

    def __init__(
        self,
        root: Path,
        source: str | Frame,
        required: Sequence[str],
        names: Mapping[str, str] | None = None,
    ):
        if isinstance(source, str):
            path = root / source
            if not path.is_file() and not dataset_folder.is_one(path):
                raise FileNotFoundError(f"{path}: no such file")
            self.source, self._rows = source, rows_of(path, source)
        else:
            self.source, self._rows = "the table", arrow.of_frame(source)
        line, header = next(self._rows, (1, []))
        self.heading = f"{self.source}:{line}" if line else self.source
        self.own_header = _cells(header, header)
        self.header = self._renamed(self.own_header, names or {})
        self._check_header(required, names is not None)

    @classmethod
    def at(
        cls,
        place: str | os.PathLike | Frame,
        required: Sequence[str],
        names: Mapping[str, str] | None = None,
    ) -> "Table":
        """The table of a path, or of a frame; the rest as in `Table`."""
        if isinstance(place, str | os.PathLike):
            path = Path(place)
            return cls(path.parent, path.name, required, names)
        return cls(Path(), place, required, names)

    def _renamed(self, header: list[str], names: Mapping[str, str]) -> list[str]:
        theirs = {theirs: ours for ours, theirs in names.items() if theirs not in (ours, "")}
        check_names(f"column of {self.source} in column_names", theirs, header)
        # A column that had one of these names makes room.
        room = {name: f"{name}_" for name in theirs.values()}
        return [theirs.get(name) or room.get(name) or name for name in header]

    def _check_header(self, required: Sequence[str], can_be_named: bool) -> None:
        missing = [name for name in required if name not in self.header]
        if missing:
            others = [name for name in self.header if name not in required]
            message = _missing_columns(missing, others, self.header)
            if can_be_named:
                message += (
                    f"; --config.data.column_names.{missing[0]}=NAME, or --column_names="
                    f"{missing[0]}=NAME, says which of them it is"
                )
            raise ValueError(f"{self.heading}: {message}")
        if "" in self.header:
            raise ValueError(f"{self.heading}: column {self.header.index('') + 1} has no name")
        twice = sorted({name for name in self.header if self.header.count(name) > 1})
        if twice:
            raise ValueError(f"{self.heading}: column {', '.join(twice)} is there more than once")

    def rows(self, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
        """Yields (line, cells) of each row under the header, once.

        Cells have no blanks around them, and accents in one of their two Unicode forms (NFC).
        Lines count from 1, as those of a file do, or else the rows under the header. A row with
        another number of cells than the header, or with one that is neither text nor a number, is
        left out and added to `problems`.

        Raises:
          ValueError: what follows cannot be read.
        """
        width = len(self.header)
        for line, values in self._rows:
            if len(values) != width:
                message = f"expected {width} cells as in the header, found {len(values)}"
                problems.append(Problem(self.source, line, message))
                continue
            try:
                row = _cells(values, self.header)
            except ValueError as error:
                problems.append(Problem(self.source, line, str(error)))
            else:
                yield line, row


def _cells(values: Sequence[object], header: Sequence[object]) -> list[str]:
    found = []
    for name, value in zip(header, values, strict=True):
        try:
            found.append(unicodedata.normalize("NFC", cells.text(value).strip()))
        except ValueError as error:
            raise ValueError(f"column {name}: {error}") from error
    return found


def _missing_columns(missing: list[str], others: list[str], header: list[str]) -> str:
    hints = []
    for name in missing:
        nearest = difflib.get_close_matches(name, others, n=1)
        hints.append(f"no column {name!r}" + (f" (is {nearest[0]!r} meant?)" if nearest else ""))
    return f"{', '.join(hints)}; the header is: {', '.join(header) or 'empty'}"

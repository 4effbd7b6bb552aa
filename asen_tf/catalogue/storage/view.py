"""What is in a store at one moment."""

import dataclasses
import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from asen_tf.catalogue.filters import Comparison, Condition
from asen_tf.catalogue.items import Record
from asen_tf.catalogue.storage import records
from asen_tf.catalogue.storage.cells import Kept, met
from asen_tf.catalogue.storage.database import damaged
from asen_tf.catalogue.storage.matrices import Matrices

# Comparisons whose items are remembered until the next write.
_REMEMBERED = 64


@dataclasses.dataclass
class Now:
    """The store at one generation; what is found out of it stays until the next."""

    generation: int
    folder: int
    rows: int
    items: int
    matrices: Matrices
    masks: dict[Comparison | None, np.ndarray] = dataclasses.field(default_factory=dict)
    groups: dict[str, np.ndarray | None] = dataclasses.field(default_factory=dict)


class View:
    """The store at one moment, whatever is written meanwhile.

    Attributes:
      folder: the number of the matrices' folder.
      rows: how many there are in the matrices, of which some may be of items that are gone.
      items: how many items there are.
      matrices: the vectors, of these rows and perhaps of later ones.
    """

    def __init__(self, connection: sqlite3.Connection, now: Now, path: Path):
        self._connection, self._now, self._path = connection, now, path
        self.folder, self.rows, self.items = now.folder, now.rows, now.items
        self.matrices = now.matrices

    def places(self, ids: Iterable[str]) -> dict[str, int]:
        """Id -> row, of the items that are there."""
        wanted = "SELECT row FROM items WHERE id = ?"
        found = ((name, self._connection.execute(wanted, (name,)).fetchone()) for name in ids)
        places = {name: row[0] for name, row in found if row}
        self._check_rows(np.array(list(places.values()), np.int64))
        return places

    def marks(self, ids: Iterable[str]) -> dict[str, str]:
        """Id -> mark, of the items that are there."""
        wanted = "SELECT mark FROM items WHERE id = ?"
        found = ((name, self._connection.execute(wanted, (name,)).fetchone()) for name in ids)
        return {name: row[0] for name, row in found if row}

    def names(self, rows: np.ndarray) -> list[str]:
        """The ids of rows of living items."""
        if len(rows) > self.items // 8:
            known = dict(self._connection.execute("SELECT row, id FROM items"))
            found = [known.get(row) for row in rows.tolist()]
        else:
            found = [name for (name,) in self._each("SELECT id", rows.tolist())]
        if not all(isinstance(name, str) for name in found):
            raise damaged(self._path, "an item without an id")
        return found

    def records(self, rows: Iterable[int]) -> list[Record]:
        """Labels and metadata of living items; ValueError: damaged."""
        return [
            records.record(self._path, *one) for one in self._each("SELECT id, record, crc", rows)
        ]

    def mask(self, where: Condition | None = None) -> np.ndarray:
        """bool [rows]: the items, or those that meet a condition."""
        alive = self._of(None)
        return alive.copy() if where is None else alive & where.mask(self._of)

    def having(self, name: str, value: Kept) -> np.ndarray:
        """The rows of the items whose metadata of this name it is, ascending."""
        return self._rows("cells", "name = ? AND value = ?", (name, value))

    def groups(self, name: str) -> np.ndarray | None:
        """int64 [rows]: a number that rows share whose metadata of this name is the same.

        Rows without it have a number each; None: there are no others.
        """
        known = self._now.groups
        if name not in known:
            values, numbers, rows = self._numbered(name)
            found = np.arange(-self.rows, 0)
            found[rows] = numbers
            known[name] = found if values else None
        return known[name]

    def counts(self, name: str, met: np.ndarray, groups: np.ndarray | None) -> dict[Kept, int]:
        """Value of a name -> how many of the rows bool [rows] have it, or how many groups."""
        values, numbers, rows = self._numbered(name)
        numbers, rows = numbers[met[rows]], rows[met[rows]]
        if groups is not None:
            width = 2 * self.rows
            numbers = np.unique(numbers * width + groups[rows] + self.rows) // width
        counted = np.bincount(numbers, minlength=len(values)).tolist()
        return {value: count for value, count in zip(values, counted, strict=True) if count}

    def any(self, condition: str, parameters: Sequence) -> bool:
        """Whether a cell meets a condition of SQL."""
        query = f"SELECT EXISTS (SELECT 1 FROM cells WHERE {condition})"
        return bool(self._connection.execute(query, parameters).fetchone()[0])

    def _each(self, select: str, rows: Iterable[int]) -> Iterator[tuple]:
        for row in rows:
            found = self._connection.execute(
                f"{select} FROM items WHERE row = ?", (row,)
            ).fetchone()
            if found is None:
                raise damaged(self._path, f"no item of row {row}")
            yield found

    def _rows(self, table: str, condition: str = "TRUE", parameters: Sequence = ()) -> np.ndarray:
        cursor = self._connection.execute(f"SELECT row FROM {table} WHERE {condition}", parameters)
        rows = np.fromiter(itertools.chain.from_iterable(cursor), np.int64)
        self._check_rows(rows)
        return rows

    def _numbered(self, name: str) -> tuple[list[Kept], np.ndarray, np.ndarray]:
        """The values of a name, and for each of its cells the value's number and the row."""
        rows = self._rows("cells", "name = ? ORDER BY value", (name,))
        counted = "SELECT value, count(*) FROM cells WHERE name = ? GROUP BY value ORDER BY value"
        found = self._connection.execute(counted, (name,)).fetchall()
        numbers = np.repeat(np.arange(len(found)), [count for _, count in found])
        return [value for value, _ in found], numbers, rows

    def _check_rows(self, rows: np.ndarray) -> None:
        if len(rows) and not 0 <= rows.min() <= rows.max() < self.rows:
            raise damaged(self._path, f"a row beyond the {self.rows} that count")

    def _of(self, comparison: Comparison | None) -> np.ndarray:
        masks = self._now.masks
        if (found := masks.get(comparison)) is not None:
            return found
        rows = self._rows("items") if comparison is None else self._rows("cells", *met(comparison))
        found = np.zeros(self.rows, bool)
        found[rows] = True
        if len(masks) >= _REMEMBERED:
            masks.clear()
        masks[comparison] = found
        return found

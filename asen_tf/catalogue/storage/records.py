"""Items as rows of `store.db`: written, read and removed."""

import json
import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path

from asen_tf.catalogue.items import Record
from asen_tf.catalogue.storage.cells import cells_of
from asen_tf.catalogue.storage.database import damaged


def _crc(name: str, text: str) -> int:
    return zlib.crc32(text.encode(), zlib.crc32(name.encode()))


def record(path: Path, name: str, text: str, crc: int) -> Record:
    """A kept record; ValueError: it is not as it was written."""
    if not isinstance(name, str) or not isinstance(text, str) or _crc(name, text) != crc:
        raise damaged(path, f"the item {name!r}")
    return Record(*json.loads(text))


def insert(
    writer: sqlite3.Connection, first: int, items: Iterable[tuple[str, str, Record]]
) -> None:
    """Writes items (id, mark, record), from row `first` on."""
    rows, cells = [], []
    for row, (name, mark, given) in enumerate(items, first):
        labels = {key: list(values) for key, values in given.labels.items()}
        text = json.dumps([labels, dict(given.metadata)], ensure_ascii=False)
        rows.append((row, name, mark, text, _crc(name, text)))
        cells += ((*cell, row) for cell in cells_of(given))
    writer.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?)", rows)
    writer.executemany("INSERT INTO cells VALUES (?, ?, ?)", sorted(cells, key=_order))


def _order(cell: tuple) -> tuple:
    """Near to each other what lies near to each other in the table."""
    name, value, row = cell
    return name, str(type(value)), value, row


def forget(writer: sqlite3.Connection, path: Path, ids: Iterable[str]) -> int:
    """Removes the items of these ids, and gives how many were there."""
    count = 0
    for name in ids:
        if found := writer.execute(
            "SELECT row, record, crc FROM items WHERE id = ?", (name,)
        ).fetchone():
            row, *kept = found
            forget_cells(writer, row, record(path, name, *kept))
            writer.execute("DELETE FROM items WHERE row = ?", (row,))
            count += 1
    return count


def forget_cells(writer: sqlite3.Connection, row: int, known: Record) -> None:
    """Removes the cells of an item."""
    writer.executemany(
        "DELETE FROM cells WHERE name = ? AND value = ? AND row = ?",
        [(*cell, row) for cell in cells_of(known)],
    )

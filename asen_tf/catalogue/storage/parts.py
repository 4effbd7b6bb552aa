"""A run of items in the order in which they were written: a segment on disk, or the log's."""

import json
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from asen_tf.catalogue.columns import Column
from asen_tf.catalogue.items import Items, Record
from asen_tf.catalogue.storage.durable import sync_folder, synced

# [id, labels, metadata], as the log and the segments keep it.
Row = list

VECTORS, ROWS, DELETED = "vectors.f32", "items.jsonl", "deleted.json"

# CRC-32 of each attribute's vectors; earlier versions wrote none.
CHECKS = "checks.json"
_CHUNK = 4096


class Part:
    """N items; rows that were replaced or deleted since stay, but are not alive.

    Attributes:
      ids: [N] names.
      lines: [N] JSON of [id, labels, metadata].
      alive: bool [N].
      deleted: ids that were deleted from the parts before this one.
    """

    def __init__(self, ids: list[str], lines: list[bytes], deleted: Iterable[str]):
        self.ids = ids
        self.lines = lines
        self.alive = np.ones(len(ids), bool)
        self.deleted = set(deleted)
        self._columns: dict[str, Column] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def matrix(self, attribute: int) -> np.ndarray:
        """The vectors of one attribute, float32 [N, D], contiguous in memory."""
        raise NotImplementedError

    def record(self, row: int) -> Record:
        _, labels, metadata = json.loads(self.lines[row])
        return Record(labels, metadata)

    def column(self, name: str) -> Column:
        """The labels, or else the metadata, of this name."""
        if name not in self._columns:
            self._columns[name] = Column([_cells(line, name) for line in self.lines])
        return self._columns[name]


class Segment(Part):
    """Items that lie in a folder; their vectors are mapped into memory, checked when first used.

    Raises:
      ValueError: the folder's files are damaged.
      FileNotFoundError: it is not there any more.
    """

    def __init__(self, folder: Path, shape: tuple[int, int], check: int):
        content = (folder / ROWS).read_bytes()
        deleted = (folder / DELETED).read_bytes()
        checks = (folder / CHECKS).read_bytes() if (folder / CHECKS).exists() else b""
        if zlib.crc32(checks, zlib.crc32(deleted, zlib.crc32(content))) != check:
            raise ValueError(f"{folder}: {ROWS}, {DELETED} or {CHECKS} is damaged")
        self._unchecked = dict(enumerate(json.loads(checks or b"[]")))
        lines = content.splitlines()
        super().__init__([json.loads(line)[0] for line in lines], lines, json.loads(deleted))
        self.folder = folder
        attributes, dimension = shape
        expected = (attributes, len(lines), dimension)
        if (folder / VECTORS).stat().st_size != 4 * int(np.prod(expected)):
            raise ValueError(f"{folder}: {VECTORS} is damaged: expected {list(expected)} numbers")
        # An empty file cannot be mapped.
        self._vectors = (
            np.memmap(folder / VECTORS, "<f4", "r", shape=expected)
            if lines
            else np.empty(expected, np.float32)
        )

    def matrix(self, attribute: int) -> np.ndarray:
        found = self._vectors[attribute]
        if (check := self._unchecked.get(attribute)) is not None:
            if zlib.crc32(found) != check:
                raise ValueError(
                    f"{self.folder / VECTORS}: the vectors of attribute {attribute} are damaged; "
                    "bring the file back from a backup, or index the catalogue anew, into another "
                    "store"
                )
            self._unchecked.pop(attribute, None)
        return found


class Tail(Part):
    """The items of the log, in memory."""

    def __init__(self, shape: tuple[int, int]):
        super().__init__([], [], ())
        self._vectors = np.empty((shape[0], 0, shape[1]), np.float32)

    def matrix(self, attribute: int) -> np.ndarray:
        return self._vectors[attribute, : len(self)]

    def append(self, rows: Sequence[Row], vectors: np.ndarray) -> None:
        """Adds rows with their vectors float32 [N, A, D]."""
        attributes, room, dimension = self._vectors.shape
        start, stop = len(self), len(self) + len(rows)
        if stop > room:
            grown = np.empty((attributes, max(stop, 2 * room), dimension), np.float32)
            grown[:, :start] = self._vectors[:, :start]
            self._vectors = grown
        self._vectors[:, start:stop] = vectors.swapaxes(0, 1)
        self.ids += [row[0] for row in rows]
        self.lines += [json.dumps(row, ensure_ascii=False).encode() for row in rows]
        self.alive = np.append(self.alive, np.ones(len(rows), bool))
        self._columns.clear()


def rows_of(items: Items) -> list[Row]:
    """Items without their vectors, as the log keeps them."""
    return [[n, *map(dict, record)] for n, record in zip(items.ids, items.records, strict=True)]


def write_segment(
    folder: Path, parts: Sequence[Part], attributes: int, deleted: Iterable[str]
) -> int:
    """Writes the living items of parts as one segment; gives its check, see `Segment`."""
    folder.mkdir()
    alive = [np.flatnonzero(part.alive) for part in parts]
    checks = []
    with synced(folder / VECTORS) as file:
        for attribute in range(attributes):
            check = 0
            for part, rows in zip(parts, alive, strict=True):
                for n in range(0, len(rows), _CHUNK):
                    chunk = part.matrix(attribute)[rows[n : n + _CHUNK]]
                    chunk = np.ascontiguousarray(chunk, "<f4")
                    file.write(chunk)
                    check = zlib.crc32(chunk, check)
            checks.append(check)
    content = b"".join(
        part.lines[row] + b"\n" for part, rows in zip(parts, alive, strict=True) for row in rows
    )
    names = json.dumps(sorted(deleted), ensure_ascii=False).encode()
    listed = json.dumps(checks).encode()
    for name, text in ((ROWS, content), (DELETED, names), (CHECKS, listed)):
        with synced(folder / name) as file:
            file.write(text)
    sync_folder(folder)
    return zlib.crc32(listed, zlib.crc32(names, zlib.crc32(content)))


def _cells(line: bytes, name: str) -> Sequence:
    _, labels, metadata = json.loads(line)
    if name in labels:
        return labels[name]
    value = metadata.get(name)
    return () if value is None else (value,)

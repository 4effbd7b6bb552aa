"""Reads stores of versions before 0.2, a log and segments, so that they can be converted."""

import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from asen_client.core.foreign import shown
from asen_tf.catalogue.indexing import BOX
from asen_tf.catalogue.items import Items, Record
from asen_tf.catalogue.store import open_store
from asen_tf.embedders import Fingerprint
from asen_tf.photographs import mark_of

# Mark, bytes of text, bytes of vectors, CRC-32 of both; then CRC-32 of these.
_HEADER = struct.Struct("<4sQQII")
_AT_ONCE = 1024


class _Place(NamedTuple):
    """Where an item's vectors are: `vectors` is [N, A, D], perhaps mapped into memory."""

    vectors: np.ndarray
    row: int
    record: Record


def convert(old: str, new: str) -> int:
    """Copies a store of a version before 0.2; gives how many items there are.

    Args:
      old: `faiss:PATH`, which stays as it is.
      new: as in `open_store`; it is made, or gets the items as `upsert` does.

    Raises:
      FileNotFoundError: no store of such a version.
      ValueError: it is damaged, or the new store is another model's.
    """
    folder = Path(old.removeprefix("faiss:").partition("?")[0])
    fingerprint, places = _read(folder)
    ids = list(places)
    with open_store(new, fingerprint) as store:
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            found = [places[name] for name in some]
            vectors = np.stack([place.vectors[place.row] for place in found])
            records, marks = zip(*(_with_mark(place.record) for place in found), strict=True)
            items = Items(some, vectors, records, marks)
            try:
                store.upsert(items)
            except ValueError as error:
                raise ValueError(f"{folder} cannot be copied: {error}") from error
    return len(ids)


def _with_mark(record: Record) -> tuple[Record, str]:
    """A record, and the photograph's mark, which was metadata."""
    metadata = dict(record.metadata)
    version = metadata.pop("image_version", "")
    return Record(record.labels, metadata), mark_of(str(version), metadata.get(BOX))


def _read(folder: Path) -> tuple[Fingerprint, dict[str, _Place]]:
    """The model, and where each item is, in the order in which they were written."""
    path = folder / "store.json"
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path}: no such file; expected a store made before 0.2") from None
    try:
        content = json.loads(text)
        fingerprint = Fingerprint.from_dict(content["identity"])
        log, segments = _named("log", content["log"]), content["segments"]
        segments = [(_named("segment", name), int(check)) for name, check in segments]
        if content["format"] != 1:
            raise ValueError(f"format {shown(content['format'])}, expected 1")
    except (
        AttributeError,
        KeyError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"{path}: not a store of this library: {error}") from error
    shape = len(fingerprint.attributes), fingerprint.dimension
    places: dict[str, _Place] = {}
    try:
        for name, check in segments:
            _segment(folder / name, shape, check, places)
        for entry, vectors in _entries(folder / log):
            for name in entry.get("delete", ()):
                places.pop(name, None)
            rows = entry.get("put", ())
            _put(places, rows, vectors.reshape(len(rows), *shape))
    except FileNotFoundError as error:
        raise ValueError(f"{error.filename} is missing; {path} names it") from None
    return fingerprint, places


def _named(kind: str, name: str) -> str:
    """A name that leads nowhere else."""
    if not re.fullmatch(rf"{kind}-\d{{6,18}}", name):
        raise ValueError(f"{shown(name)} is no name of a {kind}")
    return name


def _put(places: dict[str, _Place], rows: list, vectors: np.ndarray) -> None:
    for row, (name, labels, metadata) in enumerate(rows):
        places.pop(name, None)
        places[name] = _Place(vectors, row, Record(labels, metadata))


def _segment(folder: Path, shape: tuple[int, int], check: int, places: dict[str, _Place]) -> None:
    rows, deleted = ((folder / name).read_bytes() for name in ("items.jsonl", "deleted.json"))
    path = folder / "checks.json"  # the first versions wrote none
    checks = path.read_bytes() if path.exists() else b""
    if zlib.crc32(checks, zlib.crc32(deleted, zlib.crc32(rows))) != check:
        raise ValueError(f"{folder}: items.jsonl, deleted.json or checks.json is damaged")
    for name in json.loads(deleted):
        places.pop(name, None)
    lines, path = rows.splitlines(), folder / "vectors.f32"
    size = len(lines) * shape[0] * shape[1]
    if path.stat().st_size != 4 * size:
        raise ValueError(f"{path} is damaged: expected {size} numbers")
    if not lines:
        return
    vectors = np.memmap(path, "<f4", "r", shape=(shape[0], len(lines), shape[1]))
    for attribute, expected in enumerate(json.loads(checks or b"[]")):
        if zlib.crc32(vectors[attribute]) != expected:
            raise ValueError(f"{path}: the vectors of attribute {attribute} are damaged")
    _put(places, [json.loads(line) for line in lines], vectors.swapaxes(0, 1))


def _entries(path: Path) -> Iterator[tuple[dict, np.ndarray]]:
    """Content and vectors of each entry of a log; what was cut off at its end was not written."""
    content, start = path.read_bytes(), 0
    while len(content) - start >= _HEADER.size:
        mark, text, vectors, check, header = _HEADER.unpack_from(content, start)
        begin = start + _HEADER.size
        if not any(content[start:]):
            return
        good = mark == b"ASL1" and zlib.crc32(content[start : begin - 4]) == header
        end = begin + text + vectors
        if good and end > len(content):
            return
        if not good or zlib.crc32(content[begin:end]) != check:
            raise ValueError(f"{path}: the entry at byte {start} is damaged")
        yield (
            json.loads(content[begin : begin + text]),
            np.frombuffer(content, "<f4", vectors // 4, begin + text),
        )
        start = end

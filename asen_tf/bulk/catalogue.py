"""The rows of a catalogue's table: which photographs to embed, and under which names."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from asen_client.images.boxes import Box
from asen_tf.bulk import files
from asen_tf.data.catalogue_table import read_catalogue


class Row(NamedTuple):
    """Name in the output, path relative to the root, and box of the garment if it has one."""

    name: str
    image: str
    box: Box | None = None


def read_rows(
    manifest: str, boxes: str | None = None, names: Mapping[str, str] | None = None
) -> list[Row]:
    """Reads a table with the column `image` and, unless paths are the names, `id`.

    Garments' boxes are columns of it, or those of the file `boxes`; `names` as in `read_catalogue`.

    Raises:
      ValueError: it is no such table, a row is incomplete, or two rows have the same name; lists
        the lines.
      FileNotFoundError: there is no such file.
    """
    with tempfile.TemporaryDirectory() as folder:
        table, boxes_file = (file and _local(file, Path(folder)) for file in (manifest, boxes))
        found = read_catalogue(table, (), boxes_file, names)
        return [Row(row.id, row.image, row.box) for row in found]


def _local(file: str, folder: Path) -> Path:
    if not files.exists(file):
        raise FileNotFoundError(f"{file}: no such file")
    if files.is_local(file):
        return Path(file)
    copy = folder / os.path.basename(file)
    copy.write_bytes(files.read(file))
    return copy


def encode(rows: Sequence[Row]) -> bytes:
    """Rows as text, a JSON list a line."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def decode(text: bytes) -> list[Row]:
    """Rows that `encode` wrote."""
    return [Row(*json.loads(line)) for line in text.splitlines()]


def digest(rows: Sequence[Row], versions: Iterable[str] = ()) -> str:
    """Tells catalogues apart: SHA-256 of the rows, and versions of photographs, in their order."""
    return hashlib.sha256(encode(rows) + "\n".join(versions).encode()).hexdigest()

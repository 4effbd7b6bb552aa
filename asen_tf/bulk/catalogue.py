"""The rows of a catalogue's table: which photographs to embed, and under which names."""

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from asen_tf.bulk import files
from asen_tf.data.catalogue_table import read_catalogue

# Name in the output, path relative to the root.
Row = tuple[str, str]


def read_rows(manifest: str) -> list[Row]:
    """Reads a table: CSV in UTF-8 with the column `image` and, unless paths are the names, `id`.

    Raises:
      ValueError: it is no such table, a row is incomplete, or two rows have the same name; lists
        the lines.
      FileNotFoundError: there is no such file.
    """
    if not files.exists(manifest):
        raise FileNotFoundError(f"{manifest}: no such file")
    with tempfile.TemporaryDirectory() as folder:
        local = Path(manifest)
        if not files.is_local(manifest):
            local = Path(folder) / os.path.basename(manifest)
            local.write_bytes(files.read(manifest))
        return [(row.id, row.image) for row in read_catalogue(local, attributes=())]


def encode(rows: Sequence[Row]) -> bytes:
    """Rows as text, a JSON list a line."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def decode(text: bytes) -> list[Row]:
    """Rows that `encode` wrote."""
    return [tuple(json.loads(line)) for line in text.splitlines()]


def digest(rows: Sequence[Row]) -> str:
    """Tells catalogues apart: SHA-256 of the rows in their order."""
    return hashlib.sha256(encode(rows)).hexdigest()

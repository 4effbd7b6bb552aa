"""The rows of a catalogue's table: which photographs to embed, and under which names."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from asen_tf.data.formats.table import Table
from asen_tf.data.manifest import Problem
from asen_tf.serving.bulk import files

# Name in the output, path relative to the root.
Row = tuple[str, str]

_SHOWN = 50


def read_rows(manifest: str) -> list[Row]:
    """Reads a table with the column `image` and, if the rows have names, `id`; others are ignored.

    Args:
      manifest: CSV in UTF-8 with a header. Without the column `id`, an image's path is its name.

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
        return _rows(Table(local.parent, local.name, required=["image"]))


def encode(rows: Sequence[Row]) -> bytes:
    """Rows as text, a JSON list a line."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def decode(text: bytes) -> list[Row]:
    """Rows that `encode` wrote."""
    return [tuple(json.loads(line)) for line in text.splitlines()]


def digest(rows: Sequence[Row]) -> str:
    """Tells catalogues apart: SHA-256 of the rows in their order."""
    hashed = hashlib.sha256()
    for row in rows:
        hashed.update(encode([row]))
    return hashed.hexdigest()


def _rows(table: Table) -> list[Row]:
    problems: list[Problem] = []
    lines: dict[str, int] = {}
    rows = []
    for line, name, image in _cells(table, problems):
        if not image or not name:
            problems.append(Problem(table.source, line, "no image path" if name else "no id"))
        elif name in lines:
            message = f"id {name!r} is on line {lines[name]} already; every row needs its own"
            problems.append(Problem(table.source, line, message))
        else:
            lines[name] = line
            rows.append((name, image))
    if problems:
        problems.sort(key=lambda problem: problem.line)
        shown = [*map(str, problems[:_SHOWN])]
        if len(problems) > _SHOWN:
            shown.append(f"... and {len(problems) - _SHOWN} more")
        raise ValueError("\n".join([f"{len(problems)} problems in the catalogue", *shown]))
    if not rows:
        raise ValueError(f"{table.source}: only a header")
    return rows


def _cells(table: Table, problems: list[Problem]) -> Iterator[tuple[int, str, str]]:
    """Line, name and image of each row."""
    image = table.header.index("image")
    name = table.header.index("id") if "id" in table.header else image
    for line, cells in table.rows(problems):
        yield line, cells[name], cells[image]

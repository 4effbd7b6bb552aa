"""Attributes as a file of a run or preset: a JSON list of {"name", "values"}, in order."""

import dataclasses
import json
import os

from asen_client.core.attributes import AttributeSpace
from asen_client.core.foreign import reading
from asen_tf.core import files


def write(path: str | os.PathLike, space: AttributeSpace) -> None:
    """Writes attributes, see `files.written_whole`."""
    rows = [dataclasses.asdict(space[name]) for name in space]
    files.write_text(path, json.dumps(rows, indent=1, ensure_ascii=False))


def read(path: str | os.PathLike) -> AttributeSpace:
    """Reads what `write` wrote.

    Raises:
      ValueError: it is damaged; the message names it.
      OSError: it cannot be read.
    """
    rows = files.read_json(path, list)
    with reading(path, 'it is damaged: expected a list of objects with "name" and "values"'):
        return AttributeSpace({row["name"]: row["values"] for row in rows})
